using System.Collections.Concurrent;
using System.Diagnostics;
using LocalPlus.Perf.GiftCards;

namespace LocalPlus.Perf.Overload;

/// <summary>One stream of redemptions at a rate of its own: who is asked, how often, and when it begins.</summary>
internal sealed record Stream(BenchCards Cards, double PerSecond, TimeSpan From, TimeSpan For)
{
    public TimeSpan Until => From + For;
}

/// <summary>
/// Redemptions of 0.01 EUR in an open loop: each is due at its time whatever became of those before, and counts from
/// then. Connections are opened as they are needed, up to <see cref="Connections"/>; what is due when all are taken
/// waits, and that counts too.
/// </summary>
internal sealed class Flood(string[] addresses)
{
    /// <summary>Of each stream.</summary>
    private const int Connections = 1024;

    /// <summary>For each stream what became of its requests, by the second in which they were due.</summary>
    public async Task<Tally[][]> SendAsync(Stream[] streams, CancellationToken cancel)
    {
        var clock = Stopwatch.StartNew();
        return await Task.WhenAll(streams.Select(stream => Task.Run(() => SendAsync(stream, clock, cancel), cancel)));
    }

    private async Task<Tally[]> SendAsync(Stream stream, Stopwatch clock, CancellationToken cancel)
    {
        var seconds = Enumerable
            .Range(0, (int)Math.Ceiling(stream.For.TotalSeconds))
            .Select(_ => new Tally())
            .ToArray();
        using var places = new SemaphoreSlim(Connections);
        var free = new ConcurrentStack<HttpWire>();
        var all = new ConcurrentBag<HttpWire>();
        var opened = 0;
        var underWay = 0;
        var total = (long)(stream.For.TotalSeconds * stream.PerSecond);
        for (var number = 0L; number < total; number++)
        {
            var due = stream.From + TimeSpan.FromSeconds(number / stream.PerSecond);
            if (due - clock.Elapsed is { Ticks: > 0 } early)
            {
                await Task.Delay(early, cancel);
            }

            await places.WaitAsync(cancel);
            Interlocked.Increment(ref underWay);
            _ = OneAsync(number, due);
        }

        while (Volatile.Read(ref underWay) > 0)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(10), cancel);
        }

        foreach (var wire in all)
        {
            wire.Dispose();
        }

        return seconds;

        async Task OneAsync(long number, TimeSpan due)
        {
            if (!free.TryPop(out var wire))
            {
                wire = new HttpWire(addresses[Interlocked.Increment(ref opened) % addresses.Length]);
                all.Add(wire);
            }

            try
            {
                var sent = clock.Elapsed;
                var answer = await AskAsync(wire, stream.Cards.For(number), cancel);
                var now = clock.Elapsed;
                var second = seconds[Math.Min((int)(due - stream.From).TotalSeconds, seconds.Length - 1)];
                lock (second)
                {
                    second.Add(answer, now - due, now - sent);
                }
            }
            finally
            {
                free.Push(wire);
                places.Release();
                Interlocked.Decrement(ref underWay);
            }
        }
    }

    private static async Task<WireAnswer> AskAsync(HttpWire wire, BenchCard card, CancellationToken cancel)
    {
        var key = Guid.NewGuid().ToString("N");
        var body =
            $$$"""{"reference":"bench-{{{key}}}","mode":"immediate","amount":{"amount":1,"currency":"EUR"}"""
            + $$$""","sources":[{"gift_card":{"code":"{{{card.Code}}}"}}]}""";
        var answer = await wire.SendAsync(new("POST", "/v1/redemptions", card.Merchant.ApiKey, body, key), cancel);
        if (answer.Status == 201)
        {
            card.Take();
        }

        return answer;
    }
}
