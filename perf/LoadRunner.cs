using System.Collections.Concurrent;
using System.Diagnostics;

namespace LocalPlus.Perf;

/// <summary>What one request came to: null for success, else a short name of the failure.</summary>
internal delegate Task<string?> Request(int client, long number, CancellationToken cancel);

/// <summary>The outcome of a load: how many, how long they took, and what failed.</summary>
internal sealed record Load(Histogram Latency, TimeSpan Took, IReadOnlyDictionary<string, long> Errors)
{
    public long Succeeded => Latency.Count;

    public double PerSecond => Succeeded / Took.TotalSeconds;
}

/// <summary>Sends requests from a fixed number of clients, closed or open loop.</summary>
internal static class LoadRunner
{
    public static async Task<Load> SendAsync(BenchOptions options, Request request, CancellationToken cancel)
    {
        var errors = new ConcurrentDictionary<string, long>(StringComparer.Ordinal);
        var latencies = Enumerable.Range(0, options.Clients).Select(_ => new Histogram()).ToArray();
        var next = -1L;
        var clock = Stopwatch.StartNew();

        async Task ClientAsync(int client)
        {
            while (clock.Elapsed < options.For)
            {
                var number = Interlocked.Increment(ref next);
                var due = clock.Elapsed;
                if (options.Rate is { } rate)
                {
                    due = TimeSpan.FromSeconds(number / rate);
                    if (due > options.For)
                    {
                        return;
                    }

                    if (due > clock.Elapsed)
                    {
                        await Task.Delay(due - clock.Elapsed, cancel);
                    }

                    // A timer may be early by its resolution; that is no time the request saved.
                    due = due < clock.Elapsed ? due : clock.Elapsed;
                }

                if (await request(client, number, cancel) is { } error)
                {
                    errors.AddOrUpdate(error, 1, (_, n) => n + 1);
                }
                else
                {
                    latencies[client].Add(clock.Elapsed - due);
                }
            }
        }

        await Task.WhenAll(Enumerable.Range(0, options.Clients).Select(c => Task.Run(() => ClientAsync(c), cancel)));
        var took = clock.Elapsed;
        var all = new Histogram();
        Array.ForEach(latencies, all.Add);
        return new Load(all, took, errors);
    }
}
