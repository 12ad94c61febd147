using LocalPlus.Perf.GiftCards;

namespace LocalPlus.Perf.Loyalty;

/// <summary>
/// Purchases of members through the gateway, each judged by 20 rules, beside the load of the bench redeem in the same
/// run: both for as long, one after the other. Afterwards every member must have exactly
/// what its accepted purchases were quoted, and every movement must be booked.
/// </summary>
internal static class EarnScenario
{
    private const double Wanted = 0.8;

    private static readonly TimeSpan BookedLimit = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(250);

    public static async Task<BenchResult> RunAsync(BenchOptions options, CancellationToken cancel)
    {
        var result = new BenchResult.Builder("earn");
        using var members = await BenchMembers.EnrolAsync(cancel);
        using var cards = await BenchCards.SellSpreadAsync(cancel);
        var runs = new RedemptionRuns(cards.Merchants);
        var (earnings, redemptions) = (new EarnLoad(), new RedeemLoad());
        await redemptions.SendAsync(options.ToWarmUp(), cards, cancel);
        await earnings.SendAsync(options.ToWarmUp(), members, cancel);
        await StillAsync();

        var costs = ProcessCosts.Start();
        var earned = await earnings.SendAsync(options, members, cancel);
        var booked = await StillAsync();
        var spent = costs.Per(earned.Succeeded).ToArray();
        var redeemed = await redemptions.SendAsync(options, cards, cancel);
        await StillAsync();

        result.Load("earn", earned);
        result.Load("redeem", redeemed);
        result.Costs(spent);
        result.Figure("booked_s", booked.TotalSeconds);
        result.Ratio("earn_to_redeem", earned.PerSecond, redeemed.PerSecond);
        result.Note(
            "target",
            $"{Wanted:0.0} of the rate of redemptions: "
                + (earned.PerSecond >= Wanted * redeemed.PerSecond ? "met" : "missed")
        );
        result.Note(
            "earn",
            $"{BenchMembers.Count} members of {BenchMembers.SpreadOver} merchants; "
                + $"{BenchMembers.RulesPerProgram} rules a programme, two of which give something; a basket of two "
                + $"lines, {members.PointsOfEach} points"
        );
        result.Note(
            "yardstick",
            $"immediate redemptions of 0.01 EUR over {BenchCards.Count} cards, as in bench redeem"
        );
        result.Note(
            "conditions",
            $"generator, stack and PostgreSQL share {Environment.ProcessorCount} processors; "
                + $"{options.Clients} clients; {options.For.TotalSeconds:0} s each"
        );
        var (wrong, unbooked) = (await members.CountWrongAsync(cancel), await UnbookedAsync(cancel));
        result.Require(wrong <= earnings.Unknown && unbooked == 0);
        result.Require(await cards.CountWrongAsync(cancel) <= redemptions.Unknown);
        result.Note(
            "books",
            wrong == 0 && unbooked == 0
                ? $"{BenchMembers.Count} members have what {earnings.Accepted} purchases earned, all of it booked"
                : $"{wrong} members differ, {earnings.Unknown} outcomes unknown, {unbooked} movements not booked"
        );
        return result.Build();

        async Task<TimeSpan> StillAsync()
        {
            await runs.DrainAsync(cancel);
            await PendingEvents.DrainAsync(cancel);
            return await BookedAsync(cancel);
        }
    }

    /// <summary>Waits until the ledger has all that was decided, or for the limit; how long that took.</summary>
    private static async Task<TimeSpan> BookedAsync(CancellationToken cancel)
    {
        var clock = System.Diagnostics.Stopwatch.StartNew();
        while (await UnbookedAsync(cancel) > 0 && clock.Elapsed < BookedLimit)
        {
            await Task.Delay(Poll, cancel);
        }

        return clock.Elapsed;
    }

    private static async Task<long> UnbookedAsync(CancellationToken cancel) =>
        long.Parse(
            (
                await Psql.RunAsync(
                    "wallet",
                    "SELECT count(*) FROM ledger_commands WHERE drive_after IS NOT NULL;",
                    cancel
                )
            ).Trim(),
            System.Globalization.CultureInfo.InvariantCulture
        );
}
