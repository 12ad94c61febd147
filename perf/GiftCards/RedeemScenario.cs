using LocalPlus.Perf.Transfer;

namespace LocalPlus.Perf.GiftCards;

/// <summary>
/// Immediate redemptions of 0.01 EUR through the gateway: spread over the cards of many merchants, then over as many
/// cards of one. The ledger's own rate comes first, in the same run. Afterwards every card must have lost exactly what
/// its accepted redemptions took, every redemption must be a run that finished, and every event must have arrived.
/// </summary>
internal static class RedeemScenario
{
    private const double HotTarget = 0.7;
    private const int MaxWarmUps = 8;

    public static async Task<BenchResult> RunAsync(BenchOptions options, CancellationToken cancel)
    {
        if (options.History > 0)
        {
            return await GrowthScenario.RunAsync(options, cancel);
        }

        var result = new BenchResult.Builder("redeem");
        var ledger = await LedgerRate.MeasureAsync(options.Briefly().Closed(), cancel);
        using var spread = await BenchCards.SellSpreadAsync(cancel);
        using var ofOne = await BenchCards.SellByOneAsync(cancel);
        var runs = new RedemptionRuns([.. spread.Merchants, .. ofOne.Merchants]);
        var load = new RedeemLoad();
        await WarmUpAsync(load, options.ToWarmUp(), spread, cancel);
        await runs.DrainAsync(cancel);
        await PendingEvents.DrainAsync(cancel);

        // A redemption costs what its run and its events cost, too: all is read when those are over.
        var (before, atRest) = await WorkCounts.WatchAsync(cancel);
        var costs = ProcessCosts.Start();
        var uniform = await load.SendAsync(options, spread, cancel);
        var drained = await runs.DrainAsync(cancel);
        var arrived = await PendingEvents.DrainAsync(cancel);
        var spent = costs.Per(uniform.Succeeded).ToArray();
        var after = await WorkCounts.ReadAsync(cancel);
        var written = await WalByDatabase.ReadAsync(before.WalAt, after.WalAt, cancel);
        var hot = await load.SendAsync(options.Briefly(), ofOne, cancel);
        await runs.DrainAsync(cancel);
        await PendingEvents.DrainAsync(cancel);

        result.Load("ledger", ledger);
        result.Load("redeem", uniform);
        result.Load("hot_merchant", hot);
        result.Costs(spent);
        Counts(result, uniform.Succeeded, after.Per(uniform.Succeeded, before, atRest).ToArray());
        Wal(result, uniform.Succeeded, after.WalAt - before.WalAt, written);
        result.Figure("runs_drained_s", drained.TotalSeconds);
        result.Figure("events_drained_s", arrived.TotalSeconds);
        result.Ratio("redeem_to_ledger", uniform.PerSecond, ledger.PerSecond);
        result.Ratio("hot_merchant_to_uniform", hot.PerSecond, uniform.PerSecond);
        result.Note(
            "redeem",
            $"{BenchCards.Count} cards of {BenchCards.SpreadOver} merchants, then as many of one: "
                + $"at least {HotTarget:0.0} of the rate wanted"
        );
        result.Note(
            "yardstick",
            "transfers over REST into a ledger of the bench's own, by as many clients; its relay still"
        );
        result.Note(
            "conditions",
            $"generator, stack and PostgreSQL share {Environment.ProcessorCount} processors; "
                + $"{options.Clients} clients; {options.For.TotalSeconds:0} s, "
                + $"{options.Briefly().For.TotalSeconds:0} s for the hot merchant and the ledger"
        );
        await ConcludeRunsAsync(result, runs, load, cancel);
        var wrong = await spread.CountWrongAsync(cancel) + await ofOne.CountWrongAsync(cancel);
        result.Require(wrong <= load.Unknown);
        result.Note(
            "books",
            wrong == 0
                ? $"{2 * BenchCards.Count} cards lost exactly what was taken"
                : $"{wrong} cards differ, {load.Unknown} outcomes unknown"
        );
        return result.Build();
    }

    /// <summary>
    /// A stack that has just begun refuses what it is too slow for yet, so it is asked until it does not.
    /// </summary>
    private static async Task WarmUpAsync(
        RedeemLoad load,
        BenchOptions options,
        BenchCards cards,
        CancellationToken cancel
    )
    {
        for (var round = 0; round < MaxWarmUps; round++)
        {
            if ((await load.SendAsync(options, cards, cancel)).Errors.Count == 0)
            {
                return;
            }
        }
    }

    /// <summary>Per redemption: commits and inserted rows, in all and by database, and the sidecars' work.</summary>
    private static void Counts(BenchResult.Builder result, long redemptions, (string Name, double Value)[] counts)
    {
        foreach (var (name, value) in counts)
        {
            result.Figure($"each_{name}", value);
        }

        result.Figure(
            "each_rows",
            counts.Where(c => c.Name.StartsWith("rows_", StringComparison.Ordinal)).Sum(c => c.Value)
        );
        result.Note("each", $"what one of {redemptions} redemptions costs; what goes on at rest is taken off");
    }

    private static void Wal(
        BenchResult.Builder result,
        long redemptions,
        long all,
        IReadOnlyDictionary<string, long> byDatabase
    )
    {
        const double Kilo = 1000;
        result.Figure("each_wal_kb", all / Kilo / redemptions);
        foreach (var (database, bytes) in byDatabase.OrderByDescending(d => d.Value))
        {
            result.Figure($"each_wal_kb_{database}", bytes / Kilo / redemptions);
        }
    }

    private static async Task ConcludeRunsAsync(
        BenchResult.Builder result,
        RedemptionRuns runs,
        RedeemLoad load,
        CancellationToken cancel
    )
    {
        var (inEngine, inline, notFinished) = await runs.TallyAsync(cancel);
        result.Figure("runs_in_engine", inEngine);
        result.Figure("runs_inline", inline);
        result.Figure("runs_not_finished", notFinished);
        var waiting = await PendingEvents.CountAsync(cancel);
        result.Figure("events_waiting", waiting);
        result.Require(waiting == 0 && notFinished == 0 && inEngine + inline >= load.Accepted);
        result.Note(
            "runs",
            $"{load.Accepted} redemptions accepted, {inEngine + inline} runs finished, warm-up included"
        );
    }
}
