using System.Diagnostics;
using System.Globalization;

namespace LocalPlus.Perf.Transfer;

/// <summary>
/// How fast the outbox is published: transfers fill it while its relay is kept still, then the relay is let go and the
/// time until the outbox is empty counts. Through the running stack's sidecar and broker, its consumers beside; once
/// with the events of 1,000 accounts, once with half of them of one account, of which a request carries one.
/// </summary>
internal static class RelayScenario
{
    private const int Accounts = 1000;
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(10);

    public static async Task<BenchResult> RunAsync(BenchOptions options, CancellationToken cancel)
    {
        var result = new BenchResult.Builder("relay");
        await using var ledger = await LedgerUnderTest.StartAsync(cancel);
        var transfers = new TransferLoad(ledger, await BenchAccounts.OpenAsync(ledger.Address, Accounts, cancel));
        await transfers.SendAsync(options.ToWarmUp(), AccountPickers.Uniform(Accounts), cancel);
        await DrainAsync(ledger, cancel);
        await MeasureAsync("uniform", AccountPickers.Uniform(Accounts));
        await MeasureAsync("one_hot_account", AccountPickers.FromFew(1, Accounts));
        result.Note("yardstick", "events written a second by as many clients while the relay was still");
        result.Note("conditions", "ledger, sidecar, Valkey, PostgreSQL and the stack's consumers share the processors");
        return result.Build();

        async Task MeasureAsync(string name, AccountPicker picker)
        {
            await ledger.HoldRelayAsync(cancel);
            var load = await transfers.SendAsync(options, picker, cancel);
            var costs = ProcessCosts.Start();
            var (events, took) = await DrainAsync(ledger, cancel);
            var rate = events / took.TotalSeconds;
            result.Load($"{name}_transfers", load);
            result.Figure($"{name}_events", events);
            result.Figure($"{name}_events_per_second", rate);
            result.Ratio($"{name}_published_to_written", rate, events / load.Took.TotalSeconds);
            foreach (var (process, milliseconds) in costs.Per(events))
            {
                result.Figure($"{name}_cpu_us_{process}", milliseconds * 1000);
            }
        }
    }

    /// <summary>Lets the relay go; how many events there were, and how long until there was none.</summary>
    private static async Task<(long Events, TimeSpan Took)> DrainAsync(LedgerUnderTest ledger, CancellationToken cancel)
    {
        var events = await AskAsync("SELECT count(*) FROM outbox_events;", cancel);
        await ledger.ReleaseRelayAsync();
        var clock = Stopwatch.StartNew();
        while (await AskAsync("SELECT count(*) FROM (SELECT FROM outbox_events LIMIT 1) e;", cancel) > 0)
        {
            if (clock.Elapsed > Patience)
            {
                throw new BenchException($"the outbox was not empty within {Patience.TotalMinutes:0} min");
            }

            await Task.Delay(Poll, cancel);
        }

        return (events, clock.Elapsed);
    }

    private static async Task<long> AskAsync(string sql, CancellationToken cancel) =>
        long.Parse(await Psql.RunAsync(LedgerUnderTest.Database, sql, cancel), CultureInfo.InvariantCulture);
}
