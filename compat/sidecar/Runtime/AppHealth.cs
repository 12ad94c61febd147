using System.Net;

namespace LocalPlus.Sidecar.Runtime;

/// <summary>
/// Probes the application. It starts unhealthy, one good probe makes it healthy, and so many failures in a row as the
/// threshold says make it unhealthy again.
/// </summary>
internal sealed class AppHealth(HostedApp app, AppChannel channel, Func<bool, Task> changed)
{
    private readonly ILogger log = app.Logs.CreateLogger("dapr.apphealth");
    private int failures;

    /// <summary>One probe; the first decides whether the application counts as up.</summary>
    public async Task ProbeOnceAsync(CancellationToken cancel)
    {
        var good = await ProbeAsync(cancel);
        failures = good ? 0 : failures + 1;
        if (good && !channel.Healthy)
        {
            channel.Healthy = true;
            log.AppHealthChanged("succeeding: the application is healthy");
            await changed(true);
        }
        else if (channel.Healthy && failures >= app.Options.AppHealthThreshold)
        {
            channel.Healthy = false;
            log.AppHealthChanged("failing: the application is unhealthy");
            await changed(false);
        }
    }

    public async Task RunAsync(CancellationToken cancel)
    {
        using var timer = new PeriodicTimer(app.Options.AppHealthInterval);
        while (await timer.WaitForNextTickAsync(cancel))
        {
            await ProbeOnceAsync(cancel);
        }
    }

    private async Task<bool> ProbeAsync(CancellationToken cancel)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        limit.CancelAfter(app.Options.AppHealthTimeout);
        try
        {
            if (app.Options.AppProtocol is "grpc" or "grpcs")
            {
                return await ProbeGrpcAsync(limit.Token);
            }
            var path = app.Options.AppHealthPath;
            using var request = channel.Request(HttpMethod.Get, path.StartsWith('/') ? path : "/" + path);
            using var response = await channel.SendAsync(request, limit.Token);
            return (int)response.StatusCode is >= 200 and < 300;
        }
        catch (HttpRequestException)
        {
            return false;
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            return false;
        }
    }

    private async Task<bool> ProbeGrpcAsync(CancellationToken cancel)
    {
        using var request = channel.Request(
            HttpMethod.Post,
            "/dapr.proto.runtime.v1.AppCallbackHealthCheck/HealthCheck"
        );
        request.Content = new ByteArrayContent(new byte[5]);
        request.Content.Headers.TryAddWithoutValidation("Content-Type", "application/grpc");
        request.Headers.TryAddWithoutValidation("TE", "trailers");
        using var response = await channel.SendGrpcAsync(request, cancel);
        await response.Content.CopyToAsync(Stream.Null, cancel);
        // An application without that service is up all the same.
        var status =
            response.Headers.TryGetValues("grpc-status", out var early) ? early.First()
            : response.TrailingHeaders.TryGetValues("grpc-status", out var late) ? late.First()
            : "";
        return response.StatusCode == HttpStatusCode.OK && status is "0" or "12";
    }
}
