using System.Diagnostics.Metrics;
using System.Text.Json;
using System.Threading.Channels;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace LocalPlus.Hosting;

/// <summary>
/// Tells merchant of the requests that were answered, many at once and by the way (ADR 0059). No request waits for it
/// or fails by it, and no row is written for it here: what waits is in memory, so a process that is killed takes it
/// along, and what comes while <see cref="MaxWaiting"/> wait is counted and dropped.
/// </summary>
internal sealed class RequestLog(string topic, EventPublisher events, TimeProvider time, ILogger<RequestLog> log)
    : BackgroundService
{
    public const int MaxWaiting = 10_000;

    /// <summary>Of one message: some 100 KB.</summary>
    public const int MaxBatch = 250;

    public static readonly TimeSpan Interval = TimeSpan.FromSeconds(2);

    private readonly Channel<LoggedRequest> waiting = Channel.CreateBounded<LoggedRequest>(
        new BoundedChannelOptions(MaxWaiting) { FullMode = BoundedChannelFullMode.DropWrite, SingleReader = true },
        _ => RequestLogMetrics.Dropped()
    );

    /// <summary>What was taken and not told yet.</summary>
    private List<LoggedRequest> batch = [];

    public void Add(LoggedRequest request) => waiting.Writer.TryWrite(request);

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        // Once: the process does not wait for a broker that is away.
        await FlushAsync(cancellationToken);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (await waiting.Reader.WaitToReadAsync(stoppingToken))
        {
            do
            {
                await Task.Delay(Interval, time, stoppingToken);
            } while (!await FlushAsync(stoppingToken));
        }
    }

    /// <summary>False: the broker took not all that waits.</summary>
    internal async Task<bool> FlushAsync(CancellationToken cancel)
    {
        while (batch.Count > 0 || waiting.Reader.TryPeek(out _))
        {
            while (batch.Count < MaxBatch && waiting.Reader.TryRead(out var request))
            {
                batch.Add(request);
            }

            try
            {
                if (await events.PublishAsync([Event()], cancel) is [])
                {
                    return false;
                }
            }
            catch (Exception exception)
                when (exception is HttpRequestException or OperationCanceledException or JsonException)
            {
                log.RequestLogWaits(batch.Count, Interval.TotalMilliseconds, exception);
                return false;
            }

            batch = [];
        }

        return true;
    }

    private OutboxRow Event() =>
        new(
            0,
            batch[0].Id,
            topic,
            RequestBatch.EventType,
            batch[0].RequestId,
            1,
            AuditEntry.Nobody,
            JsonSerializer.Serialize(new RequestBatch(batch), StrictJson.Options),
            null,
            batch[0].OccurredAt
        );
}

/// <summary>Notes each request once it is answered, with the answer that it got, whoever gave it.</summary>
internal sealed class RequestLogGate(RequestDelegate next, RequestLog log, TimeProvider time)
{
    public async Task InvokeAsync(HttpContext http)
    {
        var (began, since) = (time.GetUtcNow(), time.GetTimestamp());
        try
        {
            await next(http);
        }
        finally
        {
            if (LoggedRequest.Of(http, began, time.GetElapsedTime(since)) is { } request)
            {
                log.Add(request);
            }
        }
    }
}

/// <summary>What a service says to have its requests logged.</summary>
public static class RequestLogRegistration
{
    /// <summary>Requests of merchants are told to merchant, which keeps them.</summary>
    /// <param name="topic">The service's own.</param>
    public static void AddRequestLog(this IServiceCollection services, string topic)
    {
        services.AddSingleton(all => new RequestLog(
            topic,
            all.GetRequiredService<EventPublisher>(),
            all.GetRequiredService<TimeProvider>(),
            all.GetRequiredService<ILogger<RequestLog>>()
        ));
        services.AddHostedService(all => all.GetRequiredService<RequestLog>());
    }
}

/// <summary>Figures of the request log.</summary>
internal static class RequestLogMetrics
{
    private static readonly Meter Meter = new("LocalPlus.Requests");
    private static readonly Counter<long> Lost = Meter.CreateCounter<long>(
        "localplus.request_log.dropped",
        "{request}",
        "Requests that are in no merchant's log, as too many waited for the broker"
    );

    public static void Dropped() => Lost.Add(1);
}
