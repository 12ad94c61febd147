using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;

namespace LocalPlus.Tests.Integration.Support;

/// <summary>Calls to a service as a merchant, an operator or the sidecar makes them.</summary>
public static class ServiceCalls
{
    /// <summary>
    /// A request with a bearer; a POST gets a fresh Idempotency-Key unless one is given. A string body is sent as it
    /// is.
    /// </summary>
    public static async Task<HttpResponseMessage> SendAsync(
        this RunningService service,
        HttpMethod method,
        string path,
        string? bearer,
        object? body = null,
        string? idempotencyKey = null
    )
    {
        using var request = new HttpRequestMessage(method, path);
        if (bearer is not null)
        {
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", bearer);
        }

        if (method == HttpMethod.Post)
        {
            request.Headers.Add("Idempotency-Key", idempotencyKey ?? Guid.CreateVersion7().ToString());
            request.Content = Content(body);
        }

        return await service.Public.SendAsync(request);
    }

    /// <summary>
    /// Sends, checks the status and returns the body (an empty object where there is none). Busy is an invitation to
    /// repeat with the same key: on a slow machine a request's time runs out.
    /// </summary>
    public static async Task<JsonElement> CallAsync(
        this RunningService service,
        HttpMethod method,
        string path,
        string? bearer,
        object? body = null,
        int status = 200,
        string? idempotencyKey = null
    )
    {
        var key = idempotencyKey ?? Guid.CreateVersion7().ToString();
        var result = default(JsonElement);
        await Eventually.TrueAsync(async () =>
        {
            using var answer = await service.SendAsync(method, path, bearer, body, key);
            if (status != (int)answer.StatusCode && await IsBusyAsync(answer))
            {
                return false;
            }

            result = await ReadAsync(service, answer, status, $"{method} {path}");
            return true;
        });
        return result;
    }

    /// <summary>Changes an object whose version was <paramref name="version"/>; null sends no If-Match.</summary>
    public static Task<JsonElement> PatchAsync(
        this RunningService service,
        string path,
        string bearer,
        long? version,
        object body,
        int status = 200
    ) => service.ChangeAsync(HttpMethod.Patch, path, bearer, version, body, status);

    /// <summary>Replaces an object whose version was <paramref name="version"/>; null sends no If-Match.</summary>
    public static Task<JsonElement> PutAsync(
        this RunningService service,
        string path,
        string bearer,
        long? version,
        object body,
        int status = 200
    ) => service.ChangeAsync(HttpMethod.Put, path, bearer, version, body, status);

    private static async Task<JsonElement> ChangeAsync(
        this RunningService service,
        HttpMethod method,
        string path,
        string bearer,
        long? version,
        object body,
        int status
    )
    {
        using var request = new HttpRequestMessage(method, path) { Content = Content(body) };
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", bearer);
        if (version is { } known)
        {
            request.Headers.IfMatch.Add(new EntityTagHeaderValue($"\"{known}\""));
        }

        using var answer = await service.Public.SendAsync(request);
        return await ReadAsync(service, answer, status, $"{method} {path}");
    }

    /// <summary>Calls an internal route on the app port, as another service does through the sidecar.</summary>
    public static async Task<JsonElement> InvokeAsync(
        this RunningService service,
        HttpMethod method,
        string path,
        object? body = null,
        int status = 200
    )
    {
        using var request = new HttpRequestMessage(method, path)
        {
            Content = method == HttpMethod.Post ? Content(body) : null,
            Version = service.App.DefaultRequestVersion,
            VersionPolicy = service.App.DefaultVersionPolicy,
        };
        using var answer = await service.App.SendAsync(request);
        return await ReadAsync(service, answer, status, $"{method} {path}");
    }

    /// <summary>Delivers an event in its CloudEvent.</summary>
    public static async Task DeliverAsync(this RunningService service, string topic, TestEvent e)
    {
        using var content = JsonContent.Create(
            e.CloudEvent(),
            new MediaTypeHeaderValue("application/cloudevents+json")
        );
        using var answer = await service.App.PostAsync(new Uri($"/events/{topic}", UriKind.Relative), content);
        var body = await ReadAsync(service, answer, 200, topic);
        Assert.Equal("SUCCESS", body.GetProperty("status").GetString());
    }

    /// <summary>Delivers as a bulk subscription does; gives the answer with its statuses.</summary>
    public static async Task<JsonElement> DeliverManyAsync(
        this RunningService service,
        string topic,
        IReadOnlyList<object> entries
    )
    {
        using var answer = await service.App.PostAsync(
            new Uri($"/events/{topic}", UriKind.Relative),
            JsonContent.Create(
                new
                {
                    id = "1",
                    entries,
                    pubsubname = "pubsub",
                    topic,
                }
            )
        );
        return await ReadAsync(service, answer, 200, topic);
    }

    /// <summary>
    /// Delivers whatever was on the wire, many at once, as a subscription with rawPayload does; gives the distinct
    /// statuses.
    /// </summary>
    public static async Task<string> DeliverRawAsync(
        this RunningService service,
        string topic,
        params byte[][] messages
    )
    {
        var answer = await service.DeliverManyAsync(
            topic,
            [
                .. messages.Select(
                    (message, i) =>
                        new
                        {
                            entryId = $"{i}",
                            @event = Convert.ToBase64String(message),
                            contentType = "application/octet-stream",
                        }
                ),
            ]
        );
        var statuses = answer.GetProperty("statuses").EnumerateArray().ToArray();
        Assert.Equal(
            Enumerable.Range(0, messages.Length).Select(i => $"{i}"),
            statuses.Select(s => s.GetProperty("entryId").GetString())
        );
        return string.Join(' ', statuses.Select(s => s.GetProperty("status").GetString()).Distinct());
    }

    private static HttpContent Content(object? body) =>
        body is string text
            ? new StringContent(text, new MediaTypeHeaderValue("application/json"))
            : JsonContent.Create(body);

    private static async Task<bool> IsBusyAsync(HttpResponseMessage answer) =>
        answer.StatusCode == HttpStatusCode.ServiceUnavailable
        && (await answer.Content.ReadAsStringAsync()).Contains("\"busy\"", StringComparison.Ordinal);

    private static async Task<JsonElement> ReadAsync(
        RunningService service,
        HttpResponseMessage answer,
        int status,
        string what
    )
    {
        var text = await answer.Content.ReadAsStringAsync();
        Assert.True(status == (int)answer.StatusCode, $"{what}: {(int)answer.StatusCode} {text}\n{service.Output}");
        return JsonSerializer.Deserialize<JsonElement>(text.Length == 0 ? "{}" : text);
    }
}
