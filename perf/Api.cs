using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;

namespace LocalPlus.Perf;

/// <summary>The REST API as a bench calls it for setting up and for checking: one connection pool, no retries.</summary>
internal sealed class Api : IDisposable
{
    private readonly HttpClient _http;

    public Api(string address, string bearer, int connections)
    {
        _http = new HttpClient(new SocketsHttpHandler { MaxConnectionsPerServer = connections }) { BaseAddress = new Uri(address) };
        _http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", bearer);
    }

    public static string Setting(string name) =>
        Environment.GetEnvironmentVariable(name) is { Length: > 0 } value
            ? value
            : throw new BenchException($"{name} is not set: start it through ./localplus bench");

    /// <summary>For setting up: anything but success ends the bench.</summary>
    public async Task<JsonNode> MustPostAsync(string path, JsonObject body, CancellationToken cancel)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path);
        request.Headers.Add("Idempotency-Key", Guid.NewGuid().ToString());
        request.Content = new StringContent(body.ToJsonString(), Encoding.UTF8, "application/json");
        return await MustSendAsync(request, cancel);
    }

    public async Task<JsonNode> MustGetAsync(string path, CancellationToken cancel)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        return await MustSendAsync(request, cancel);
    }

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

    private async Task<JsonNode> MustSendAsync(HttpRequestMessage request, CancellationToken cancel)
    {
        using var answer = await _http.SendAsync(request, cancel);
        var text = await answer.Content.ReadAsStringAsync(cancel);
        return answer.IsSuccessStatusCode
            ? JsonNode.Parse(text)!
            : throw new BenchException($"{request.Method} {request.RequestUri} answered {(int)answer.StatusCode}: {text}");
    }
}
