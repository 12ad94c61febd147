using System.Diagnostics;

namespace LocalPlus.Cli;

/// <summary>What a drill measured; written as evidence.</summary>
/// <param name="Drill">Which.</param>
/// <param name="Sales">How many sales were answered.</param>
/// <param name="SalesLost">Of those, how many are not there any more: RPO in sales.</param>
/// <param name="TillsRtoSeconds">The longest that a till waited for an answer.</param>
/// <param name="EventsRtoSeconds">Until what followed by events was caught up with; null where it never was.</param>
/// <param name="EventsLost">Sales whose event a report never heard of.</param>
/// <param name="Repaired">What was run afterwards.</param>
/// <param name="ErasuresReapplied">People who were forgotten after the backup, forgotten again.</param>
/// <param name="Books">null: `ledger verify` holds; else what it says.</param>
internal sealed record DrillResult(
    string Drill,
    int Sales,
    int SalesLost,
    double TillsRtoSeconds,
    double? EventsRtoSeconds,
    long EventsLost,
    string[] Repaired,
    int ErasuresReapplied,
    string? Books
)
{
    private const double RtoGoalSeconds = 120;

    public bool GoalsMet => SalesLost == 0 && TillsRtoSeconds <= RtoGoalSeconds && Books is null;
}

/// <summary>
/// Rehearses the loss of Valkey, of the broker's data and of the whole place, on a stack of its own while a till sells;
/// counts what was lost, proves the books and says how long it took.
/// </summary>
internal static class StackDrills
{
    private const int SalesBefore = 20;
    private const int SalesAfter = 20;
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(250);

    public static async Task<DrillResult> RunAsync(Checkout here, string kind, CancellationToken cancel)
    {
        var stack = await DrillStack.StartAsync(here, null, cancel);
        try
        {
            return kind == "region"
                ? await RegionDrill.RunAsync(here, stack, cancel)
                : await BrokerAsync(stack, kind, cancel);
        }
        finally
        {
            await stack.DisposeAsync();
        }
    }

    /// <summary>
    /// Valkey dies. As the cache and broker that it is it comes back with what it had written; in the drill of the
    /// broker its data is gone too, with events that a frozen service had not taken yet.
    /// </summary>
    private static async Task<DrillResult> BrokerAsync(DrillStack stack, string kind, CancellationToken cancel)
    {
        using var shop = await stack.ShopAsync(null, cancel);
        var (_, code) = await DrillTill.PrepareAsync(shop);
        var till = new DrillTill(shop, code, cancel);
        await till.SellAsync(() => till.Answered.Count >= SalesBefore);
        await FigureAsync(shop, till.Answered.Count, cancel);

        var loses = kind == "broker";
        if (loses)
        {
            stack.Signal("analytics", ProcessIdentity.SigStop);
            await till.SellAsync(() => till.Answered.Count >= SalesBefore + SalesAfter);
        }

        var died = DateTimeOffset.UtcNow;
        var clock = Stopwatch.StartNew();
        await stack.KillAsync("valkey", cancel);
        if (loses)
        {
            // Whatever the next one had begun to read goes with it.
            Forget(stack);
            await stack.KillAsync("valkey", cancel);
            stack.Signal("analytics", ProcessIdentity.SigContinue);
        }

        var target = till.Answered.Count + SalesAfter;
        await till.SellAsync(() => till.Answered.Count >= target);
        var heard = await FigureAsync(shop, till.Answered.Count, cancel);
        var caughtUp = clock.Elapsed;

        string[] repaired = ["job run balance-reconciliation"];
        var reconciled = await stack.VerbAsync(["job", "run", "balance-reconciliation"], cancel);
        return new DrillResult(
            kind,
            till.Answered.Count,
            await LostAsync(shop, till),
            Seconds(till.LongestSilence(died)),
            heard == till.Answered.Count ? Seconds(caughtUp) : null,
            till.Answered.Count - heard,
            repaired,
            0,
            reconciled ?? await stack.VerbAsync(["ledger", "verify"], cancel)
        );
    }

    private static void Forget(DrillStack stack)
    {
        foreach (var folder in Directory.GetDirectories(Path.Combine(stack.Checkout.State, "valkey")))
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>How many redemptions the reports know of: all that are expected, or what they stay at.</summary>
    private static async Task<long> FigureAsync(Shop shop, long expected, CancellationToken cancel)
    {
        var clock = Stopwatch.StartNew();
        var (last, changed) = (-1L, TimeSpan.Zero);
        while (clock.Elapsed < Patience)
        {
            var figures = await shop.FiguresAsync();
            var count = Shop.Sum(figures, "redeemed.count");
            if (count >= expected)
            {
                return count;
            }

            (last, changed) = count == last ? (last, changed) : (count, clock.Elapsed);
            if (clock.Elapsed - changed > TimeSpan.FromSeconds(45))
            {
                break;
            }

            await Task.Delay(Poll, cancel);
        }

        return last;
    }

    /// <summary>Of what was answered, how much is not there.</summary>
    internal static async Task<int> LostAsync(Shop shop, DrillTill till)
    {
        var lost = 0;
        foreach (var (redemption, _) in till.Answered)
        {
            var answer = await shop.RedemptionAsync(redemption);
            lost += answer.Text("state") == "completed" ? 0 : 1;
        }

        return lost;
    }

    internal static double Seconds(TimeSpan time) => Math.Round(time.TotalSeconds, 1);
}
