using System.Net;
using System.Text.RegularExpressions;

namespace LocalPlus.Tests.EndToEnd.Console;

/// <summary>Somebody in front of the console: keeps cookies, follows where it is sent, fills forms in.</summary>
internal sealed partial class Browser : IDisposable
{
    private const int MostRedirects = 10;
    private readonly Uri home;
    private readonly HttpClient http = new(
        new SocketsHttpHandler { AllowAutoRedirect = false, CookieContainer = new CookieContainer() }
    );

    public Browser(Uri home) => this.home = home;

    /// <summary>Where the last page was.</summary>
    public Uri At { get; private set; } = new("about:blank");

    /// <summary>Where the last page led through.</summary>
    public List<string> Way { get; } = [];

    /// <param name="person">Whoever has no role of the platform comes to the shop's pages.</param>
    public static async Task<Browser> SignedInAsync(
        StackFixture stack,
        string person,
        string language = "en",
        string home = "/console"
    )
    {
        var browser = new Browser(stack.LocalPlus.Gateway);
        browser.http.DefaultRequestHeaders.Add("Accept-Language", language);
        var asked = await browser.GetAsync("/console");
        await browser.SubmitAsync(await asked.Content.ReadAsStringAsync(), "/sign-in", ("person", person));
        Assert.Equal(new Uri(stack.LocalPlus.Gateway, home), browser.At);
        return browser;
    }

    public async Task<string> PageAsync(string path, int status = 200)
    {
        using var answer = await GetAsync(path);
        Assert.Equal(status, (int)answer.StatusCode);
        return await answer.Content.ReadAsStringAsync();
    }

    public Task<HttpResponseMessage> GetAsync(string path) => FollowAsync(new(HttpMethod.Get, new Uri(home, path)));

    /// <summary>Sends the form of a page that goes to this action, with its hidden fields.</summary>
    public async Task<HttpResponseMessage> SubmitAsync(
        string page,
        string action,
        params (string Name, string Value)[] fields
    )
    {
        var form = Form().Matches(page).First(m => m.Groups["action"].Value == action).Groups["body"].Value;
        var hidden = Input()
            .Matches(form)
            .Where(m => m.Value.Contains("type=\"hidden\"", StringComparison.Ordinal))
            .Select(m => (m.Groups["name"].Value, WebUtility.HtmlDecode(m.Groups["value"].Value)));
        return await PostAsync(new Uri(At, action), [.. hidden, .. fields]);
    }

    public Task<HttpResponseMessage> PostAsync(Uri to, params (string Name, string Value)[] fields) =>
        FollowAsync(
            new(HttpMethod.Post, to)
            {
                Content = new FormUrlEncodedContent(fields.Select(f => KeyValuePair.Create(f.Name, f.Value))),
            }
        );

    public void Dispose() => http.Dispose();

    private async Task<HttpResponseMessage> FollowAsync(HttpRequestMessage request)
    {
        Way.Clear();
        for (var i = 0; i < MostRedirects; i++)
        {
            At = request.RequestUri!;
            Way.Add(At.AbsolutePath);
            var answer = await http.SendAsync(request);
            request.Dispose();
            if ((int)answer.StatusCode is not (302 or 303))
            {
                return answer;
            }

            request = new(HttpMethod.Get, new Uri(At, answer.Headers.Location!));
            answer.Dispose();
        }

        throw new InvalidOperationException($"{At} goes round in circles.");
    }

    [GeneratedRegex(
        """<form method="post" action="(?<action>[^"]*)"[^>]*>(?<body>.*?)</form>""",
        RegexOptions.Singleline
    )]
    private static partial Regex Form();

    [GeneratedRegex("""<input[^>]*?name="(?<name>[^"]*)"[^>]*?value="(?<value>[^"]*)"[^>]*>""")]
    private static partial Regex Input();
}
