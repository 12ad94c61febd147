using System.Text.Json.Nodes;

namespace LocalPlus.Cli;

/// <summary>Large work and scheduled work that does not get through.</summary>
internal static class WorkDrills
{
    private const int Cards = 5;
    private const string Job = "balance-reconciliation";
    private const string Table = "reconciliation_runs";

    public static readonly IReadOnlyList<FaultDrill> All =
    [
        new(
            "task-fails",
            "a batch of cards is not made, as giftcard's table does not take them",
            "Tasks: which kind of work, whose, how often it was tried, what refused it, when it is tried "
                + "next. What is sold one "
                + "by one is not concerned.",
            "Mend the table; the task goes on by itself where it was, and makes each card once.",
            TaskAsync
        ),
        new(
            "job-fails",
            "the nightly comparison of shown balances with the books ends with an error",
            "Jobs: when it failed, the table that is not there, and when it last ended well.",
            "Mend what the error names, then run it again (`job run`); it may be run at any time.",
            JobAsync
        ),
    ];

    private static async Task TaskAsync(FaultScene scene)
    {
        const string constraint = "drill_no_batch";
        await scene.BreakAsync(
            "giftcard's table takes no card of a batch",
            () =>
                scene.SqlAsync(
                    "giftcard",
                    $"ALTER TABLE gift_cards ADD CONSTRAINT {constraint} CHECK (batch_id IS NULL) NOT VALID"
                ),
            () => scene.SqlAsync("giftcard", $"ALTER TABLE gift_cards DROP CONSTRAINT IF EXISTS {constraint}")
        );
        var batch = await scene.AskAsync(
            "/v1/gift_cards/bulk",
            new JsonObject { ["program_id"] = scene.Merchant.ProgramId, ["quantity"] = Cards }
        );
        scene.Narrator.Check(batch.Status == 202, $"{Cards} cards are ordered for a printer", batch);
        await scene.ReadsAsync(
            "/console/tasks?state=waiting",
            "gift_card_batch",
            scene.Merchant.MerchantId,
            constraint
        );
        await scene.SellAsync(1000);
        await scene.MendAsync();
        await scene.UntilAsync(
            $"the task goes on by itself, and {Cards} cards are made",
            () => scene.ReadAsync($"/v1/gift_cards/bulk/{batch.Text("id")}"),
            answer => answer.Text("state") == "ready" && answer.Number("made") == Cards
        );
        var cards = await scene.ReadAsync($"/v1/gift_cards?batch_id={batch.Text("id")}");
        scene.Narrator.Check(cards.At("data")!.AsArray().Count == Cards, "each once", cards);
        await scene.BalancedAsync();
    }

    private static async Task JobAsync(FaultScene scene)
    {
        await scene.BreakAsync(
            $"the table {Table} has another name",
            () => scene.SqlAsync("wallet", $"ALTER TABLE {Table} RENAME TO {Table}_away"),
            () => scene.SqlAsync("wallet", $"ALTER TABLE IF EXISTS {Table}_away RENAME TO {Table}")
        );
        await scene.PrintsAsync(
            ["job", "run", Job],
            "it failed",
            text => text.Contains("ended with", StringComparison.Ordinal)
        );
        await scene.ReadsAsync(
            $"/console/jobs?service=wallet&name={Job}",
            "failed",
            $"relation \"{Table}\" does not exist",
            "A job may be run again at any time."
        );
        await scene.MendAsync();
        await scene.VerbAsync("job", "run", Job);
        await scene.UntilAsync(
            "its last run ended well",
            () => scene.Operator.GetAsync($"/ops/v1/wallet/jobs?name={Job}&limit=1", scene.Cancel),
            runs => runs.Text("data.0.outcome") == "done"
        );
        await scene.BalancedAsync();
    }
}
