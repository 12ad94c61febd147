using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;

namespace LocalPlus.Perf;

/// <summary>The merchant's REST API as a load generator calls it: one connection pool, no retries.</summary>
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

    /// <summary>Sends and reads the whole answer; gives its status and body.</summary>
    public async Task<(int Status, string Body)> PostAsync(string path, string json, string key, CancellationToken cancel)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path);
        request.Headers.Add("Idempotency-Key", key);
        request.Content = new StringContent(json, Encoding.UTF8, "application/json");
        using var answer = await _http.SendAsync(request, cancel);
        return ((int)answer.StatusCode, await answer.Content.ReadAsStringAsync(cancel));
    }

    /// <summary>For setting up: anything but success ends the bench.</summary>
    public async Task<JsonNode> MustPostAsync(string path, JsonObject body, CancellationToken cancel)
    {
        var (status, text) = await PostAsync(path, body.ToJsonString(), Guid.NewGuid().ToString(), cancel);
        return status is >= 200 and < 300 ? JsonNode.Parse(text)! : throw new BenchException($"POST {path} answered {status}: {text}");
    }

    public async Task<JsonNode> MustGetAsync(string path, CancellationToken cancel)
    {
        using var answer = await _http.GetAsync(path, cancel);
        var text = await answer.Content.ReadAsStringAsync(cancel);
        return answer.IsSuccessStatusCode ? JsonNode.Parse(text)! : throw new BenchException($"GET {path} answered {(int)answer.StatusCode}: {text}");
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
}
