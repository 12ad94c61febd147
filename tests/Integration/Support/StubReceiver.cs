using System.Collections.Concurrent;
using System.Net;
using System.Text;
using System.Text.Json;
using LocalPlus.Servers;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace LocalPlus.Tests.Integration.Support;

/// <summary>A webhook as it came.</summary>
public sealed record ReceivedWebhook(string Path, HeaderDictionary Headers, string Body)
{
    public string Id => Headers["webhook-id"].ToString();

    public JsonElement Event => JsonSerializer.Deserialize<JsonElement>(Body);
}

/// <summary>A merchant's server: keeps what comes, and answers 204 where a test has not said otherwise.</summary>
public sealed class StubReceiver : IAsyncDisposable
{
    private readonly WebApplication app;
    private readonly ConcurrentDictionary<string, Func<HttpContext, Task>> answers = new(StringComparer.Ordinal);

    private StubReceiver(WebApplication app, int port)
    {
        this.app = app;
        Port = port;
    }

    public int Port { get; }

    public ConcurrentQueue<ReceivedWebhook> All { get; } = new();

    public static async Task<StubReceiver> StartAsync()
    {
        var port = FreePort.Next();
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, port));
        var receiver = new StubReceiver(builder.Build(), port);
        receiver.app.Run(receiver.ReceiveAsync);
        await receiver.app.StartAsync();
        return receiver;
    }

    public string Url(string path) => $"http://127.0.0.1:{Port}/{path}";

    /// <summary>What came to a path, in order.</summary>
    public ReceivedWebhook[] At(string path) => [.. All.Where(webhook => webhook.Path == $"/{path}")];

    public void OnReceive(string path, Func<HttpContext, Task> answer) => answers[$"/{path}"] = answer;

    public void OnReceive(string path, int status) =>
        OnReceive(
            path,
            http =>
            {
                http.Response.StatusCode = status;
                return Task.CompletedTask;
            }
        );

    public async Task<ReceivedWebhook[]> ReceivedAsync(string path, int count, Func<string>? because = null)
    {
        await Eventually.TrueAsync(() => At(path).Length >= count, because: because);
        return At(path);
    }

    public ValueTask DisposeAsync() => app.DisposeAsync();

    private async Task ReceiveAsync(HttpContext http)
    {
        using var reader = new StreamReader(http.Request.Body, Encoding.UTF8);
        var headers = new HeaderDictionary();
        foreach (var (name, value) in http.Request.Headers)
        {
            headers[name] = value;
        }

        All.Enqueue(new ReceivedWebhook(http.Request.Path, headers, await reader.ReadToEndAsync()));
        if (answers.TryGetValue(http.Request.Path, out var answer))
        {
            await answer(http);
            return;
        }

        http.Response.StatusCode = StatusCodes.Status204NoContent;
    }
}
