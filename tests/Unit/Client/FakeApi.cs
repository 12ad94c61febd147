using System.Collections.Concurrent;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace LocalPlus.Tests.Unit.Client;

/// <summary>A request that came to <see cref="FakeApi"/>.</summary>
internal sealed record Asked(string Line, string? Bearer, string? Key, string Body);

/// <summary>An API that answers what a test says and remembers what it was asked.</summary>
internal sealed class FakeApi : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly ConcurrentQueue<Asked> _asked = new();

    private FakeApi(WebApplication app) => _app = app;

    public string Url => _app.Urls.Single();

    public IReadOnlyList<Asked> Requests => [.. _asked];

    /// <summary>Status 0 ends the connection without an answer.</summary>
    public static async Task<FakeApi> StartAsync(Func<HttpRequest, int, (int Status, string Body)> answer)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        var app = builder.Build();
        app.Urls.Add("http://127.0.0.1:0");
        var api = new FakeApi(app);
        app.Run(async http =>
        {
            using var reader = new StreamReader(http.Request.Body);
            api._asked.Enqueue(
                new Asked(
                    $"{http.Request.Method} {http.Request.Path}{http.Request.QueryString}",
                    http.Request.Headers.Authorization.ToString().Replace("Bearer ", "", StringComparison.Ordinal),
                    http.Request.Headers["Idempotency-Key"],
                    await reader.ReadToEndAsync()
                )
            );
            var (status, body) = answer(http.Request, api._asked.Count);
            if (status == 0)
            {
                http.Abort();
                return;
            }

            http.Response.StatusCode = status;
            http.Response.ContentType = status < 300 ? "application/json" : "application/problem+json";
            await http.Response.WriteAsync(body);
        });
        await app.StartAsync();
        return api;
    }

    public static string Problem(string code) =>
        $$"""{"code":"{{code}}","detail":"It is so.","request_id":"req_1","retryable":false}""";

    public async ValueTask DisposeAsync() => await _app.DisposeAsync();
}
