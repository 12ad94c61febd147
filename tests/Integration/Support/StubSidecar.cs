using System.Collections.Concurrent;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Nodes;
using LocalPlus.Hosting;
using LocalPlus.Kernel;
using LocalPlus.Servers;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace LocalPlus.Tests.Integration.Support;

/// <summary>
/// The sidecar's HTTP API as far as a lone service needs it: accepts and keeps bulk publishes, verifies API keys that a
/// test handed out, and answers invocations that a test scripted.
/// </summary>
public sealed class StubSidecar : IAsyncDisposable
{
    private readonly WebApplication app;
    private readonly ConcurrentDictionary<string, JsonNode> keys = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, Func<HttpRequest, Task<IResult>>> invocations = new(
        StringComparer.Ordinal
    );

    private int verifications;

    private StubSidecar(WebApplication app, int port)
    {
        this.app = app;
        Port = port;
    }

    public int Port { get; }

    /// <summary>The CloudEvents published so far, in order.</summary>
    public ConcurrentQueue<JsonElement> Published { get; } = new();

    /// <summary>What was told of requests, as CloudEvents: it comes by the way, some time after them.</summary>
    public ConcurrentQueue<JsonElement> Requests { get; } = new();

    /// <summary>What a caller's dapr-api-token must be, if anything.</summary>
    public string? Token { get; init; }

    /// <summary>The keys that merchant was asked about.</summary>
    public ConcurrentQueue<string> AskedKeys { get; } = new();

    /// <summary>What stands for merchant while it is not there; null: it is.</summary>
    public Func<IResult>? InMerchantsPlace { get; set; }

    /// <summary>The service that is asked about keys instead, while merchant is up.</summary>
    public RunningService? Merchant { get; set; }

    /// <summary>False makes every publish fail, as without a broker.</summary>
    public bool BrokerUp { get; set; } = true;

    /// <summary>The broker takes nothing of this one.</summary>
    public string? RefusedTopic { get; set; }

    /// <summary>False makes every verification of an API key fail, as without the merchant service.</summary>
    public bool MerchantUp { get; set; } = true;

    /// <summary>How often somebody asked about an API key.</summary>
    public int Verifications => verifications;

    public static async Task<StubSidecar> StartAsync(string? token = null)
    {
        var port = FreePort.Next();
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls($"http://127.0.0.1:{port}");
        var stub = new StubSidecar(builder.Build(), port) { Token = token };
        stub.Map();
        await stub.app.StartAsync();
        return stub;
    }

    /// <summary>An API key of the merchant, good for the scopes named.</summary>
    public string IssueKey(MerchantId merchant, params string[] scopes) => IssueKey(merchant, live: false, scopes);

    public string IssueKey(MerchantId merchant, bool live, params string[] scopes)
    {
        var key = ApiKeyId.New(TimeProvider.System);
        var text = $"lp_{(live ? "live" : "test")}_{Base32.Format(key.Value)}{new string('s', 32)}";
        keys[text] = JsonSerializer.SerializeToNode(
            new
            {
                merchant_id = merchant.ToString(),
                key_id = key.ToString(),
                live,
                scopes,
            }
        )!;
        return text;
    }

    /// <summary>What merchant says of the key's merchant from now on, e.g. of its status or settings.</summary>
    public void Say(string key, string member, object value)
    {
        var verdict = keys[key].DeepClone();
        verdict[member] = JsonSerializer.SerializeToNode(value);
        keys[key] = verdict;
    }

    /// <summary>Somebody in the merchant's team, by the subject of a token of the tests' provider.</summary>
    public void IssuePerson(MerchantId merchant, string subject, params string[] scopes)
    {
        var key = IssueKey(merchant, scopes);
        var credential = new PersonCredential(OperatorTokens.Issuer, subject, "").ToString();
        keys[credential] = keys[key].DeepClone();
        Say(credential, "person", "usr_00000000000000000000000001");
    }

    public void RevokeKey(string key) => keys.TryRemove(key, out _);

    /// <summary>
    /// Answers invocations of an app's method, e.g. ("wallet", "internal/customers"); "internal/customers/*" is any
    /// below it.
    /// </summary>
    public void OnInvoke(string appId, string method, Func<HttpRequest, Task<IResult>> answer) =>
        invocations[$"{appId}/{method}"] = answer;

    public ValueTask DisposeAsync() => app.DisposeAsync();

    private void Map()
    {
        app.Use(
            async (http, next) =>
            {
                if (Token is null || http.Request.Headers["dapr-api-token"] == Token)
                {
                    await next(http);
                    return;
                }

                http.Response.StatusCode = StatusCodes.Status401Unauthorized;
                await http.Response.WriteAsync("invalid api token");
            }
        );
        app.MapGet("/v1.0/healthz/outbound", () => Results.NoContent());
        app.MapPost(
            "/v1.0/publish/bulk/{pubsub}/{topic}",
            async (string topic, HttpRequest request) =>
            {
                if (!BrokerUp || topic == RefusedTopic)
                {
                    return Results.Json(
                        new { errorCode = "ERR_PUBSUB_PUBLISH_MESSAGE", message = "broker away" },
                        statusCode: 500
                    );
                }

                foreach (
                    var entry in (await JsonSerializer.DeserializeAsync<JsonElement>(request.Body)).EnumerateArray()
                )
                {
                    var kept = topic.EndsWith(".requests.v1", StringComparison.Ordinal) ? Requests : Published;
                    kept.Enqueue(
                        JsonSerializer.SerializeToElement(
                            new
                            {
                                topic,
                                @event = entry.GetProperty("event"),
                                metadata = entry.GetProperty("metadata"),
                            }
                        )
                    );
                }

                return Results.NoContent();
            }
        );
        app.MapMethods(
            "/v1.0/invoke/{appId}/method/{**method}",
            ["GET", "POST"],
            async (string appId, string method, HttpRequest request) =>
            {
                if (appId == "merchant" && method == "internal/api_keys/verify")
                {
                    Interlocked.Increment(ref verifications);
                    if (!MerchantUp)
                    {
                        return Results.StatusCode(500);
                    }

                    var key = (await JsonSerializer.DeserializeAsync<JsonElement>(request.Body))
                        .GetProperty("key")
                        .GetString()!;
                    AskedKeys.Enqueue(key);
                    if (Merchant is { } merchant)
                    {
                        using var said = await merchant.App.PostAsync(
                            new Uri($"/{method}", UriKind.Relative),
                            JsonContent.Create(new { key })
                        );
                        return Results.Content(
                            await said.Content.ReadAsStringAsync(),
                            said.Content.Headers.ContentType?.ToString(),
                            statusCode: (int)said.StatusCode
                        );
                    }

                    if (InMerchantsPlace is { } other)
                    {
                        return other();
                    }

                    return keys.TryGetValue(key, out var identity)
                        ? Results.Json(identity)
                        : Results.Json(new { code = "api_key_invalid" }, statusCode: 404);
                }

                return Scripted($"{appId}/{method}") is { } answer ? await answer(request) : Results.StatusCode(500);
            }
        );
    }

    /// <summary>The method's own, or the one of the nearest path above it.</summary>
    private Func<HttpRequest, Task<IResult>>? Scripted(string path)
    {
        var answer = invocations.GetValueOrDefault(path);
        for (var end = path.LastIndexOf('/'); answer is null && end > 0; end = path.LastIndexOf('/', end - 1))
        {
            answer = invocations.GetValueOrDefault($"{path[..end]}/*");
        }

        return answer;
    }
}
