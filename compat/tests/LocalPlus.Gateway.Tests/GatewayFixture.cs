using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using LocalPlus.Servers;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;

namespace LocalPlus.Gateway.Tests;

/// <summary>
/// Debian's real nginx with a written configuration, in front of one backend that tells what reached it, one that never
/// answers and one that is not there.
/// </summary>
public sealed class GatewayFixture : IAsyncLifetime
{
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(90);
    private static readonly string[] Places = ["/usr/sbin/nginx", "/usr/bin/nginx", "/usr/local/sbin/nginx"];

    private readonly string _folder = Directory.CreateTempSubdirectory("localplus-gateway-").FullName;
    private readonly CancellationTokenSource _silence = new();
    private WebApplication? _backend;
    private Process? _nginx;

    public HttpClient Client { get; private set; } = new();

    /// <summary>The address that clients use.</summary>
    public IPEndPoint Address { get; } = Free();

    public async Task InitializeAsync()
    {
        var backend = Free();
        _backend = StartBackend(backend);
        await _backend.StartAsync();

        var second = TimeSpan.FromSeconds(1);
        Route[] routes =
        [
            new(PathMatch.Prefix, "/v1/cards", "svc-echo:8080", null, null),
            new(PathMatch.Prefix, "/v1/cards/special", "svc-special:8080", null, null),
            new(PathMatch.Exact, "/v1/exact", "svc-echo:8080", null, null),
            new(PathMatch.Prefix, "/v1/slow", "svc-silent:8080", second, second),
            new(PathMatch.Prefix, "/v1/away", "svc-away:8080", null, null),
        ];
        var addresses = new Dictionary<string, string>
        {
            ["svc-echo:8080"] = $"{backend}",
            ["svc-special:8080"] = $"{backend}",
            ["svc-silent:8080"] = $"{backend}",
            ["svc-away:8080"] = $"{Free()}",
        };
        await File.WriteAllTextAsync(
            Path.Combine(_folder, "nginx.conf"),
            NginxConfig.Write(routes, $"{Address}", addresses)
        );
        var program =
            Array.Find(Places, File.Exists)
            ?? throw new InvalidOperationException("nginx is not installed: ./localplus doctor --fix");
        _nginx = Process.Start(
            new ProcessStartInfo(program, ["-p", _folder, "-c", "nginx.conf", "-e", "stderr", "-g", "daemon off;"])
            {
                RedirectStandardOutput = true,
            }
        )!;
        Client = new HttpClient { BaseAddress = new Uri($"http://{Address}") };
        await ListeningAsync();
    }

    public async Task DisposeAsync()
    {
        Client.Dispose();
        await _silence.CancelAsync();
        if (_nginx is not null)
        {
            _nginx.Kill(entireProcessTree: true);
            await _nginx.WaitForExitAsync();
            _nginx.Dispose();
        }

        if (_backend is not null)
        {
            await _backend.DisposeAsync();
        }

        _silence.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    /// <summary>Answers with the request as it came: first line, then headers.</summary>
    private WebApplication StartBackend(IPEndPoint address)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls($"http://{address}");
        var app = builder.Build();
        app.Run(async http =>
        {
            if (http.Request.Path.StartsWithSegments("/v1/slow", StringComparison.Ordinal))
            {
                using var end = CancellationTokenSource.CreateLinkedTokenSource(_silence.Token, http.RequestAborted);
                await Task.WhenAny(new TaskCompletionSource().Task.WaitAsync(end.Token));
                return;
            }

            if (http.Request.Query.ContainsKey("fail"))
            {
                http.Response.StatusCode = StatusCodes.Status500InternalServerError;
                await http.Response.WriteAsync("the service's own words");
                return;
            }

            var target = http.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget;
            var headers = http.Request.Headers.Select(h => $"{h.Key.ToLowerInvariant()}: {h.Value}");
            await http.Response.WriteAsync(
                $"{http.Request.Method} {target} {http.Request.Protocol}\n{string.Join('\n', headers)}\n"
            );
        });
        return app;
    }

    private async Task ListeningAsync()
    {
        using var limit = new CancellationTokenSource(StartLimit);
        while (true)
        {
            try
            {
                using var client = new TcpClient();
                await client.ConnectAsync(Address, limit.Token);
                return;
            }
            catch (SocketException) when (_nginx is { HasExited: false })
            {
                await Task.Yield();
            }
        }
    }

    private static IPEndPoint Free() => new(IPAddress.Loopback, FreePort.Next());
}
