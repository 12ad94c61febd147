using System.CommandLine;
using System.Globalization;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;

namespace LocalPlus.Cli;

/// <summary>
/// Hands a merchant's events on to a program on this machine, signed as webhooks are: asks the API for what is new, so
/// nothing has to reach this machine from outside. From the moment it starts, each event once and in the feed's order;
/// one that the program does not take is told and passed.
/// </summary>
internal static class Listen
{
    private const string SecretPrefix = "whsec_";
    private const int SecretBytes = 32;
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan ForwardTime = TimeSpan.FromSeconds(10);

    private static readonly Option<string> Forward = new("--forward")
    {
        Description = "where your program takes webhooks, e.g. http://localhost:4000/hook",
        HelpName = "URL",
        Required = true,
    };

    private static readonly Option<string> Type = Verbs.Text("--type", "only these, e.g. gift_card.*", "TYPE");
    private static readonly Option<string> Secret = Verbs.Text(
        "--secret",
        "signs what is handed on; a new one when nothing is said",
        "SECRET"
    );

    public static readonly Verb Verb = Verbs.Define(
        "listen",
        "hand events on to a program on this machine, as webhooks",
        RunAsync,
        Forward,
        Type,
        Secret,
        MerchantCaller.Key,
        MerchantCaller.Gateway
    );

    private static async Task<int> RunAsync(Invocation call)
    {
        var (_, words, cancel) = call;
        if (
            !Uri.TryCreate(words.GetValue(Forward), UriKind.Absolute, out var target)
            || !target.Scheme.StartsWith("http", StringComparison.Ordinal)
        )
        {
            throw CliFailure.Usage("--forward takes a URL of http or https", "listen");
        }

        var secret =
            words.GetValue(Secret)
            ?? SecretPrefix + Convert.ToBase64String(RandomNumberGenerator.GetBytes(SecretBytes));
        using var merchant = MerchantCaller.Of(call);
        using var http = new HttpClient { Timeout = ForwardTime };
        var from = Uri.EscapeDataString(DateTimeOffset.UtcNow.ToString("O", CultureInfo.InvariantCulture));
        var type = words.GetValue(Type) is { } filter ? $"&type={Uri.EscapeDataString(filter)}" : "";
        var (path, cursor) = ($"/v1/events?order=oldest&from={from}{type}", "");
        var isFirst = true;
        while (!cancel.IsCancellationRequested)
        {
            var page = await merchant.GetAsync(path + cursor, cancel);
            if (page.Status == 200)
            {
                if (isFirst)
                {
                    Terminal.Say($"secret {secret}");
                    Terminal.Good($"events go to {target}");
                    isFirst = false;
                }

                foreach (var told in page.At("data")!.AsArray())
                {
                    await HandOnAsync(http, target, Key(secret), told!, cancel);
                }

                cursor = $"&cursor={page.Text("next_cursor")}";
            }
            else if (page.Status is not (0 or 429 or >= 500))
            {
                throw MerchantCaller.Refusal("/v1/events", page);
            }
            else
            {
                Terminal.Bad($"no answer from the API: {page.Text("detail")}");
            }

            if (page.At("has_more")?.GetValue<bool>() != true)
            {
                await Task.Delay(Pause, cancel);
            }
        }

        return ExitCodes.Ok;
    }

    private static async Task HandOnAsync(
        HttpClient http,
        Uri target,
        byte[] key,
        JsonNode told,
        CancellationToken cancel
    )
    {
        var (id, body) = ((string)told["id"]!, Encoding.UTF8.GetBytes(told.ToJsonString()));
        var timestamp = DateTimeOffset.UtcNow.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);
        byte[] signed = [.. Encoding.ASCII.GetBytes($"{id}.{timestamp}."), .. body];
        using var request = new HttpRequestMessage(HttpMethod.Post, target) { Content = new ByteArrayContent(body) };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/cloudevents+json")
        {
            CharSet = "utf-8",
        };
        request.Headers.Add("webhook-id", id);
        request.Headers.Add("webhook-timestamp", timestamp);
        request.Headers.Add("webhook-signature", $"v1,{Convert.ToBase64String(HMACSHA256.HashData(key, signed))}");
        var line = $"{id}  {told["type"]}  {told["subject"]}";
        try
        {
            using var answer = await http.SendAsync(request, cancel);
            if (answer.IsSuccessStatusCode)
            {
                Terminal.Good($"{line}  {(int)answer.StatusCode}");
            }
            else
            {
                Terminal.Bad($"{line}  {(int)answer.StatusCode}");
            }
        }
        catch (HttpRequestException failure)
        {
            Terminal.Bad($"{line}  {failure.Message}");
        }
        catch (TaskCanceledException) when (!cancel.IsCancellationRequested)
        {
            Terminal.Bad($"{line}  no answer within {ForwardTime.TotalSeconds:0} s");
        }
    }

    private static byte[] Key(string secret)
    {
        try
        {
            return Convert.FromBase64String(
                secret.StartsWith(SecretPrefix, StringComparison.Ordinal) ? secret[SecretPrefix.Length..] : secret
            );
        }
        catch (FormatException)
        {
            throw CliFailure.Usage($"--secret is {SecretPrefix} and base64", "listen");
        }
    }
}
