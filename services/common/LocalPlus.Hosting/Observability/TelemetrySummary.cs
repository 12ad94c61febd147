using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace LocalPlus.Hosting;

/// <summary>
/// Once a minute, one log line per route: requests, failures, mean and maximum. For machines without a collector.
/// </summary>
internal sealed class TelemetrySummary(ILogger<TelemetrySummary> log, TimeProvider time) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromMinutes(1);
    private ConcurrentDictionary<string, Totals> routes = new();

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, self) =>
            {
                if (instrument is { Meter.Name: "Microsoft.AspNetCore.Hosting", Name: "http.server.request.duration" })
                {
                    self.EnableMeasurementEvents(instrument);
                }
            },
        };
        listener.SetMeasurementEventCallback<double>((_, seconds, tags, _) => Add(seconds, tags));
        listener.Start();
        using var timer = new PeriodicTimer(Interval, time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            foreach (
                var (route, totals) in Interlocked
                    .Exchange(ref routes, new())
                    .OrderBy(r => r.Key, StringComparer.Ordinal)
            )
            {
                log.Requests(
                    route,
                    totals.Count,
                    totals.Failures,
                    totals.Seconds * 1000 / totals.Count,
                    totals.Max * 1000
                );
            }
        }
    }

    private void Add(double seconds, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        string method = "?",
            route = "(none)";
        var failed = false;
        foreach (var (name, value) in tags)
        {
            switch (name)
            {
                case "http.request.method":
                    method = (string)value!;
                    break;
                case "http.route":
                    route = (string)value!;
                    break;
                case "http.response.status_code":
                    failed = value is >= 500;
                    break;
                default:
                    break;
            }
        }

        if (!route.EndsWith('z'))
        {
            routes.GetOrAdd($"{method} {route}", _ => new Totals()).Add(seconds, failed);
        }
    }

    private sealed class Totals
    {
        private readonly Lock gate = new();

        public long Count { get; private set; }

        public long Failures { get; private set; }

        public double Seconds { get; private set; }

        public double Max { get; private set; }

        public void Add(double seconds, bool failed)
        {
            lock (gate)
            {
                Count++;
                Failures += failed ? 1 : 0;
                Seconds += seconds;
                Max = Math.Max(Max, seconds);
            }
        }
    }
}
