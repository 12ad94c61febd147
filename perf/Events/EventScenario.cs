using LocalPlus.Perf.GiftCards;
using LocalPlus.Perf.Transfer;

namespace LocalPlus.Perf.Events;

/// <summary>
/// How fast events get from an outbox to the last of their consumers: transfers fill the outbox of a ledger of the
/// bench's own while its relay is kept still; from when it is let go until no subscriber of the stack has one left to
/// take counts. Then transfers at a steady rate, and how long an event is on its way: those on the way, looked at again
/// and again, to the rate at which they come (Little's law).
/// </summary>
internal static class EventScenario
{
    private const int Accounts = 1000;
    private const int EventsOfTransfer = 2;
    private const double DefaultRate = 100;
    private const double WantedPerSecond = 2000;
    private static readonly TimeSpan WantedLag = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(100);

    public static async Task<BenchResult> RunAsync(BenchOptions options, CancellationToken cancel)
    {
        var result = new BenchResult.Builder("events");
        await using var ledger = await LedgerUnderTest.StartAsync(cancel);
        var transfers = new TransferLoad(ledger, await BenchAccounts.OpenAsync(ledger.Address, Accounts, cancel));
        var picker = AccountPickers.Uniform(Accounts);
        await transfers.SendAsync(options.Closed().ToWarmUp(), picker, cancel);
        await ledger.ReleaseRelayAsync();
        await PendingEvents.DrainAsync(LedgerUnderTest.Database, cancel);

        await ledger.HoldRelayAsync(cancel);
        var written = await transfers.SendAsync(options.Closed(), picker, cancel);
        var events = await PendingEvents.CountAsync(LedgerUnderTest.Database, cancel);
        var costs = ProcessCosts.Start();
        await ledger.ReleaseRelayAsync();
        var arrived = await PendingEvents.DrainAsync(LedgerUnderTest.Database, cancel);
        var spent = costs.Per(events).ToArray();
        var rate = events / arrived.TotalSeconds;
        result.Load("transfers", written);
        result.Figure("events", events);
        result.Figure("events_per_second", rate);
        result.Ratio("arrived_to_written", rate, events / written.Took.TotalSeconds);
        foreach (var (process, milliseconds) in spent)
        {
            result.Figure($"cpu_us_{process}", milliseconds * 1000);
        }

        var steady = options with { Rate = options.Rate ?? DefaultRate };
        using var end = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        var watching = WatchAsync(end.Token);
        var load = await transfers.SendAsync(steady, picker, cancel);
        await end.CancelAsync();
        var waiting = await watching;
        result.Load("steady_transfers", load);
        var lag = new Histogram();
        waiting.ForEach(count => lag.Add(TimeSpan.FromSeconds(count / (load.PerSecond * EventsOfTransfer))));
        result.Figure("steady_lag_p50_ms", lag.Percentile(0.5).TotalMilliseconds);
        result.Figure("steady_lag_p99_ms", lag.Percentile(0.99).TotalMilliseconds);
        result.Note("yardstick", "events written a second by as many clients while the relay was still");
        result.Note(
            "wanted",
            $"{WantedPerSecond:0} a second to the last consumer; "
                + $"p99 under {WantedLag.TotalSeconds:0} s at a steady rate"
        );
        result.Note("lag", "events that some subscriber has not taken yet, by the rate at which they come");
        return result.Build();
    }

    private static async Task<List<long>> WatchAsync(CancellationToken end)
    {
        var counts = new List<long>();
        while (!end.IsCancellationRequested)
        {
            counts.Add(await PendingEvents.CountAsync(LedgerUnderTest.Database, CancellationToken.None));
            await Task.Delay(Poll, end).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        return counts;
    }
}
