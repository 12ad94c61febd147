using System.Net;
using System.Text.RegularExpressions;

namespace LocalPlus.Cli;

/// <summary>Somebody who reads the console's pages as text, signed in at the stack's own provider.</summary>
internal sealed partial class ConsolePages : IDisposable
{
    private const int MostRedirects = 10;
    private readonly Uri _home;
    private readonly CookieContainer _cookies = new();
    private readonly HttpClient _http;

    private ConsolePages(Uri home)
    {
        _home = home;
        _http = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false, CookieContainer = _cookies })
        {
            Timeout = TimeSpan.FromSeconds(30),
        };
        _http.DefaultRequestHeaders.Add("Accept-Language", "en");
    }

    /// <summary>Who carries them is signed in, as the header that a browser sends.</summary>
    public string Cookies => _cookies.GetCookieHeader(new Uri(_home, "/console"));

    /// <param name="person">One of the provider's people: ada is an administrator, olga owns the shop.</param>
    public static async Task<ConsolePages> SignInAsync(Ports ports, string person, CancellationToken cancel)
    {
        var pages = new ConsolePages(new Uri(ports.GatewayUrl));
        try
        {
            var (at, form) = await pages.FollowAsync(pages.Get("/console"), cancel);
            var fields = Hidden()
                .Matches(form)
                .Select(m =>
                    KeyValuePair.Create(m.Groups["name"].Value, WebUtility.HtmlDecode(m.Groups["value"].Value))
                );
            var enter = new HttpRequestMessage(HttpMethod.Post, new Uri(at, "/sign-in"))
            {
                Content = new FormUrlEncodedContent([.. fields, KeyValuePair.Create("person", person)]),
            };
            (at, _) = await pages.FollowAsync(enter, cancel);
            return at.AbsolutePath.StartsWith("/console", StringComparison.Ordinal)
                ? pages
                : throw new CliFailure(
                    ExitCodes.Failed,
                    $"{person} could not sign in: {at}",
                    "./localplus logs console"
                );
        }
        catch
        {
            pages.Dispose();
            throw;
        }
    }

    /// <summary>What stands on a page, without its marks, in one line; what went wrong where there is none.</summary>
    public async Task<string> ReadAsync(string path, CancellationToken cancel)
    {
        try
        {
            var (_, page) = await FollowAsync(Get(path), cancel);
            var main = page.IndexOf("<main", StringComparison.Ordinal);
            var text = Mark().Replace(main < 0 ? page : page[main..], " ");
            return Blank().Replace(WebUtility.HtmlDecode(text), " ").Trim();
        }
        catch (Exception away)
            when (away is HttpRequestException or TaskCanceledException && !cancel.IsCancellationRequested)
        {
            return $"(no page: {away.Message})";
        }
    }

    public void Dispose() => _http.Dispose();

    private HttpRequestMessage Get(string path) => new(HttpMethod.Get, new Uri(_home, path));

    private async Task<(Uri At, string Page)> FollowAsync(HttpRequestMessage request, CancellationToken cancel)
    {
        for (var i = 0; i < MostRedirects; i++)
        {
            var at = request.RequestUri!;
            using var answer = await _http.SendAsync(request, cancel);
            request.Dispose();
            if ((int)answer.StatusCode is not (302 or 303))
            {
                return (at, await answer.Content.ReadAsStringAsync(cancel));
            }

            request = new(HttpMethod.Get, new Uri(at, answer.Headers.Location!));
        }

        throw new CliFailure(ExitCodes.Failed, "the console goes round in circles", "./localplus logs console");
    }

    [GeneratedRegex("""<input type="hidden" name="(?<name>[^"]*)" value="(?<value>[^"]*)">""")]
    private static partial Regex Hidden();

    [GeneratedRegex("<[^>]*>")]
    private static partial Regex Mark();

    [GeneratedRegex(@"\s+")]
    private static partial Regex Blank();
}
