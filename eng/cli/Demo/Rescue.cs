namespace LocalPlus.Cli;

/// <summary>
/// The last part: a till breaks for good between hold and confirm, and an operator finishes in its place.
/// </summary>
internal sealed class Rescue(Shop shop, Narrator narrator, CancellationToken cancel)
{
    private const long Price = 500;
    private const string Reason = "the till broke, the customer has left with the goods";
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(60);

    public async Task TellAsync(SoldCard card)
    {
        Narrator.Chapter("A till breaks for good, and an operator finishes in its place");
        var before = (await shop.CardAsync(card.Id)).Number("balance.amount") ?? 0;
        var reference = $"till-9-{Shop.NewKey()[..8]}";
        var held = await shop.HoldAsync(card.Code, Price, reference, Shop.NewKey());
        narrator.Check(
            held is { Status: 201 } && held.Text("state") == "held",
            "5.00 EUR are held, and the till is never heard of again",
            held
        );
        var id = held.Text("id")!;

        var found = await narrator.EventuallyAsync(
            () => shop.RunsAsync("state=held"),
            r => Listed(r, id),
            "the operator finds its run among those that wait for a till",
            Soon,
            cancel
        );
        Narrator.Show(
            "GET /ops/v1/runs?state=held",
            found,
            "data.0.reference",
            "data.0.health",
            "data.0.step",
            "data.0.approved"
        );

        var rescued = await shop.OperateAsync(id, "confirm", Reason);
        Narrator.Show($"POST /ops/v1/runs/{id}/confirm", rescued, "redemption_state", "captured", "health");
        narrator.Check(
            rescued is { Status: 200 } && rescued.Text("redemption_state") == "completed",
            "the operator confirms, with a reason",
            rescued
        );

        var run = await narrator.EventuallyAsync(
            () => shop.RunAsync(id),
            r => r.Text("run.run_state") == "finished",
            "its run has completed",
            Soon,
            cancel
        );
        narrator.Check(
            run.Text("actions.0.verb") == "confirm" && run.Text("actions.0.reason") == Reason,
            $"the audit trail says who and why: {run.Text("actions.0.subject")}, \"{run.Text("actions.0.reason")}\"",
            run
        );
        var late = await shop.ConfirmAsync(id);
        narrator.Check(
            late.Status == 200 && late.Text("state") == "completed",
            "the till's own confirm, should it ever come, changes nothing",
            late
        );
        var after = await shop.CardAsync(card.Id);
        narrator.Check(after.Number("balance.amount") == before - Price, "the card is 5.00 EUR lighter, once", after);
    }

    private static bool Listed(RestAnswer runs, string id) =>
        runs.At("data")?.AsArray().Any(r => (string?)r?["redemption_id"] == id) == true;
}
