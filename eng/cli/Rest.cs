using System.Net.Http.Headers;
using System.Text.Json.Nodes;

namespace LocalPlus.Cli;

/// <summary>One answer of the API.</summary>
internal sealed record RestAnswer(int Status, JsonNode? Body, HttpResponseHeaders? Headers)
{
    /// <summary>The stable code of a problem document.</summary>
    public string? Code => Text("code");

    public bool Replayed =>
        Headers?.TryGetValues("Idempotency-Replayed", out var values) == true && values.Contains("true");

    /// <summary>The value at a dotted path, e.g. "data.0.state"; null when it is not there.</summary>
    public JsonNode? At(string path) => path.Split('.').Aggregate(Body, Step);

    public string? Text(string path) => At(path)?.ToString();

    public long? Number(string path) => long.TryParse(Text(path), out var number) ? number : null;

    private static JsonNode? Step(JsonNode? node, string name) =>
        node switch
        {
            JsonObject map => map[name],
            JsonArray list when int.TryParse(name, out var i) && i < list.Count => list[i],
            _ => null,
        };
}

/// <summary>
/// A caller of the REST API through the gateway, in a merchant's or an operator's name. A call that gets no answer, or
/// 503, is sent again with the same Idempotency-Key, as a good client would, until the limit.
/// </summary>
internal sealed class Rest(string gateway, string bearer, TimeSpan patience) : IDisposable
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(300);
    private readonly HttpClient _http = new() { BaseAddress = new Uri(gateway), Timeout = TimeSpan.FromSeconds(15) };

    /// <summary>How often a call had to be repeated.</summary>
    public int Repeats { get; private set; }

    /// <summary>Changes what is at the path under the version that was last seen.</summary>
    public Task<RestAnswer> PatchAsync(string path, JsonObject body, long version, CancellationToken cancel) =>
        SendAsync(HttpMethod.Patch, path, Written.Json(body), null, cancel, version);

    public Task<RestAnswer> DeleteAsync(string path, CancellationToken cancel) =>
        SendAsync(HttpMethod.Delete, path, null, null, cancel);

    public Task<RestAnswer> GetAsync(string path, CancellationToken cancel) =>
        SendAsync(HttpMethod.Get, path, null, null, cancel);

    public Task<RestAnswer> PostAsync(string path, JsonObject? body, string key, CancellationToken cancel) =>
        SendAsync(HttpMethod.Post, path, Written.Json(body ?? []), key, cancel);

    /// <summary>Sends what is no JSON and is known by itself.</summary>
    public Task<RestAnswer> UploadAsync(string path, string text, string media, CancellationToken cancel) =>
        SendAsync(HttpMethod.Post, path, new Written(text, media), null, cancel);

    public void Dispose() => _http.Dispose();

    /// <summary>A body, which is sent as often as it is asked for.</summary>
    private sealed record Written(string Text, string Media)
    {
        public static Written Json(JsonObject body) => new(body.ToJsonString(), "application/json");
    }

    private async Task<RestAnswer> SendAsync(
        HttpMethod method,
        string path,
        Written? body,
        string? key,
        CancellationToken cancel,
        long? version = null
    )
    {
        var deadline = DateTimeOffset.UtcNow + patience;
        while (true)
        {
            var answer = await TryAsync(method, path, body, key, version, cancel);
            var again = answer.Status is 0 or 503 || answer is { Status: 409, Code: "request_in_progress" };
            if (!again || DateTimeOffset.UtcNow > deadline)
            {
                return answer;
            }

            Repeats++;
            await Task.Delay(Pause, cancel);
        }
    }

    /// <summary>Status 0: no answer.</summary>
    private async Task<RestAnswer> TryAsync(
        HttpMethod method,
        string path,
        Written? body,
        string? key,
        long? version,
        CancellationToken cancel
    )
    {
        using var request = new HttpRequestMessage(method, path);
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", bearer);
        if (key is not null)
        {
            request.Headers.Add("Idempotency-Key", key);
        }

        if (version is not null)
        {
            request.Headers.Add("If-Match", $"\"{version}\"");
        }

        if (body is not null)
        {
            request.Content = new StringContent(body.Text, System.Text.Encoding.UTF8, body.Media);
        }

        try
        {
            using var answer = await _http.SendAsync(request, cancel);
            var text = await answer.Content.ReadAsStringAsync(cancel);
            return new RestAnswer((int)answer.StatusCode, Parse(text), answer.Headers);
        }
        catch (HttpRequestException e)
        {
            return new RestAnswer(0, new JsonObject { ["detail"] = e.Message }, null);
        }
        catch (TaskCanceledException) when (!cancel.IsCancellationRequested)
        {
            return new RestAnswer(0, new JsonObject { ["detail"] = "no answer in time" }, null);
        }
    }

    private static JsonNode? Parse(string text)
    {
        try
        {
            return text.Length == 0 ? null : JsonNode.Parse(text);
        }
        catch (System.Text.Json.JsonException)
        {
            return new JsonObject { ["detail"] = text };
        }
    }
}
