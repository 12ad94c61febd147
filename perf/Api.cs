using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;

namespace LocalPlus.Perf;

/// <summary>The REST API as a bench calls it for setting up and for checking: one connection pool.</summary>
internal sealed class Api : IDisposable
{
    private const int Tries = 10;
    private readonly HttpClient _http;

    public Api(string address, string bearer, int connections)
    {
        _http = new HttpClient(new SocketsHttpHandler { MaxConnectionsPerServer = connections })
        {
            BaseAddress = new Uri(address),
        };
        _http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", bearer);
    }

    public static string Setting(string name) =>
        Environment.GetEnvironmentVariable(name) is { Length: > 0 } value
            ? value
            : throw new BenchException($"{name} is not set: start it through ./localplus bench");

    /// <summary>For setting up: what does not succeed in the end ends the bench.</summary>
    public Task<JsonNode> MustPostAsync(string path, JsonObject body, CancellationToken cancel) =>
        MustSendAsync(
            HttpMethod.Post,
            path,
            new StringContent(body.ToJsonString(), Encoding.UTF8, "application/json"),
            cancel
        );

    /// <summary>A part of a file: its rows as they are.</summary>
    public Task<JsonNode> MustPostAsync(string path, string text, string mediaType, CancellationToken cancel) =>
        MustSendAsync(HttpMethod.Post, path, new StringContent(text, Encoding.UTF8, mediaType), cancel);

    public Task MustDeleteAsync(string path, CancellationToken cancel) =>
        MustSendAsync(HttpMethod.Delete, path, null, cancel);

    public Task<JsonNode> MustGetAsync(string path, CancellationToken cancel) =>
        MustSendAsync(HttpMethod.Get, path, null, cancel);

    /// <summary>A failure's short name: the problem's stable code, or the status.</summary>
    public static string Failure(int status, string body)
    {
        try
        {
            return (string?)JsonNode.Parse(body)?["code"] ?? $"{status}";
        }
        catch (System.Text.Json.JsonException)
        {
            return $"{status}";
        }
    }

    public void Dispose() => _http.Dispose();

    /// <summary>
    /// Busy says to repeat with the same key: a database that was just dropped costs the disk a moment.
    /// </summary>
    private async Task<JsonNode> MustSendAsync(
        HttpMethod method,
        string path,
        HttpContent? body,
        CancellationToken cancel
    )
    {
        using var content = body;
        var key = Guid.NewGuid().ToString();
        for (var attempt = 1; ; attempt++)
        {
            using var request = new HttpRequestMessage(method, path);
            if (body is not null)
            {
                request.Headers.Add("Idempotency-Key", key);
                request.Content = new ByteArrayContent(await body.ReadAsByteArrayAsync(cancel));
                request.Content.Headers.ContentType = body.Headers.ContentType;
            }

            using var answer = await _http.SendAsync(request, cancel);
            var text = await answer.Content.ReadAsStringAsync(cancel);
            if (answer.IsSuccessStatusCode)
            {
                return text.Length == 0 ? new JsonObject() : JsonNode.Parse(text)!;
            }

            if (
                attempt == Tries
                || answer.StatusCode is not (HttpStatusCode.ServiceUnavailable or HttpStatusCode.Conflict)
            )
            {
                throw new BenchException($"{method} {path} answered {(int)answer.StatusCode}: {text}");
            }

            await Task.Delay(answer.Headers.RetryAfter?.Delta ?? TimeSpan.FromSeconds(1), cancel);
        }
    }
}
