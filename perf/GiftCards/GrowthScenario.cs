using System.Diagnostics;
using System.Globalization;
using LocalPlus.Perf.Transfer;

namespace LocalPlus.Perf.GiftCards;

/// <summary>
/// `redeem --history ROWS`: what a redemption leaves in the databases, and whether it costs the same in full ones.
/// First as in `redeem`, then with a past of so many rows, then with days that are dropped every second meanwhile. The
/// ledger's rate, into books of its own, is taken beside each: the machine may have changed, too.
/// </summary>
internal static class GrowthScenario
{
    private const double Target = 0.85;
    private static readonly string[] Databases = ["giftcard", "ledger", "analytics", "wallet", "notification"];

    public static async Task<BenchResult> RunAsync(BenchOptions options, CancellationToken cancel)
    {
        var result = new BenchResult.Builder("redeem");
        using var cards = await BenchCards.SellSpreadAsync(cancel);
        var runs = new RedemptionRuns(cards.Merchants);
        var load = new RedeemLoad();
        async Task<Load> SendAsync(BenchOptions as_)
        {
            var sent = await load.SendAsync(as_, cards, cancel);
            await runs.DrainAsync(cancel);
            await PendingEvents.DrainAsync(cancel);
            return sent;
        }

        var ledgerBefore = await LedgerRate.MeasureAsync(options.Briefly().Closed(), cancel);
        await SendAsync(options.ToWarmUp());
        var before = await SizesAsync(cancel);
        var empty = await SendAsync(options);
        TellSizes(result, before, await SizesAsync(cancel), empty.Succeeded);

        var clock = Stopwatch.StartNew();
        var rows = await RedeemHistory.WriteAsync(options.History, cancel);
        var wrote = clock.Elapsed;
        await SendAsync(options.ToWarmUp());
        var full = await SendAsync(options);
        var ledgerAfter = await LedgerRate.MeasureAsync(options.Briefly().Closed(), cancel);

        await OldDays.FillAsync(options.For, cancel);
        Task<int>? dropping = null;
        using (var end = CancellationTokenSource.CreateLinkedTokenSource(cancel))
        {
            dropping = OldDays.DropAsync(end.Token);
            var meanwhile = await load.SendAsync(options, cards, cancel);
            await end.CancelAsync();
            result.Load("while_days_are_dropped", meanwhile);
            result.Ratio(
                "p99_while_dropped_to_not",
                meanwhile.Latency.Percentile(0.99).TotalMilliseconds,
                full.Latency.Percentile(0.99).TotalMilliseconds
            );
            result.Figure("days_dropped", await dropping);
        }

        await runs.DrainAsync(cancel);
        await PendingEvents.DrainAsync(cancel);
        result.Load("empty", empty);
        result.Load("full", full);
        result.Load("ledger_before", ledgerBefore);
        result.Load("ledger_after", ledgerAfter);
        result.Figure("history_rows", rows);
        result.Figure("history_written_s", wrote.TotalSeconds);
        result.Ratio("full_to_empty", full.PerSecond, empty.PerSecond);
        result.Ratio(
            "full_to_empty_by_ledger",
            full.PerSecond / ledgerAfter.PerSecond,
            empty.PerSecond / ledgerBefore.PerSecond
        );
        result.Note("target", $"full to empty at least {Target:0.00}; sizes are of tables with their indexes");
        result.Note(
            "conditions",
            $"generator, stack and PostgreSQL share {Environment.ProcessorCount} processors; "
                + $"{options.Clients} clients; {options.For.TotalSeconds:0} s a phase"
        );
        var wrong = await cards.CountWrongAsync(cancel);
        result.Require(wrong <= load.Unknown);
        result.Note("books", $"{wrong} of {BenchCards.Count} cards differ, {load.Unknown} outcomes unknown");
        return result.Build();
    }

    private static void TellSizes(
        BenchResult.Builder result,
        IReadOnlyDictionary<string, long> before,
        IReadOnlyDictionary<string, long> after,
        long redemptions
    )
    {
        var grown = after.ToDictionary(
            size => size.Key,
            size => (double)(size.Value - before.GetValueOrDefault(size.Key)) / Math.Max(1, redemptions),
            StringComparer.Ordinal
        );
        foreach (var (table, bytes) in grown.Where(table => table.Value >= 1).OrderByDescending(table => table.Value))
        {
            result.Figure($"bytes_{table}", bytes);
        }

        result.Figure("bytes_per_redemption", grown.Values.Sum());
    }

    /// <summary>Of every table, its partitions together, with indexes; the queues apart.</summary>
    private static async Task<IReadOnlyDictionary<string, long>> SizesAsync(CancellationToken cancel)
    {
        var sizes = new Dictionary<string, long>(StringComparer.Ordinal);
        foreach (var database in Databases)
        {
            foreach (
                var line in (await Psql.RunAsync(database, Sizes, cancel)).Split(
                    '\n',
                    StringSplitOptions.RemoveEmptyEntries
                )
            )
            {
                var cells = line.Split('|');
                sizes[$"{database}_{cells[0]}"] = long.Parse(cells[1], CultureInfo.InvariantCulture);
            }
        }

        return sizes;
    }

    // The outbox empties itself; its size is that of the last rush.
    private const string Sizes = """
        SELECT regexp_replace(relname, '_(\d{8}|default|before)$', ''), sum(pg_total_relation_size(oid))
          FROM pg_class
         WHERE relkind = 'r'
           AND relnamespace = 'public'::regnamespace
           AND relname <> 'outbox_events'
         GROUP BY 1;
        """;
}
