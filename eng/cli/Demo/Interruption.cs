using System.Diagnostics;

namespace LocalPlus.Cli;

/// <summary>The second half: between hold and confirm a process is killed, and the story still ends right.</summary>
internal sealed class Interruption(
    Checkout checkout,
    Shop shop,
    Story story,
    Narrator narrator,
    CancellationToken cancel
)
{
    public static readonly string[] Victims = ["ledger", "giftcard", "sidecar", "valkey", "postgres"];

    private const long Price = 1200;
    private static readonly TimeSpan HealthyAgain = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(90);

    public async Task TellAsync(SoldCard card, string victim)
    {
        var victims = StackState.RunningOrFail(checkout).Named(victim);
        Narrator.Chapter(
            victims.Count > 0
                ? $"The same again, and {victim} is killed between hold and confirm"
                : "The same again, without a kill"
        );
        var before = await shop.CardAsync(card.Id);
        var balance = before.Number("balance.amount") ?? 0;
        var held = await shop.HoldAsync(card.Code, Price, $"till-1-{Shop.NewKey()[..8]}", Shop.NewKey());
        narrator.Check(held is { Status: 201 } && held.Text("state") == "held", "12.00 EUR are held", held);
        var id = held.Text("id")!;

        Kill(victim, victims);
        var clock = Stopwatch.StartNew();
        var repeatsBefore = shop.Repeats;
        var confirmed = await shop.ConfirmAsync(id);
        narrator.Check(
            confirmed.Status == 200 && confirmed.Text("state") == "completed",
            $"the till confirms, {Terminal.Seconds(clock.Elapsed)} and {shop.Repeats - repeatsBefore} repeats "
                + "later: completed",
            confirmed
        );

        var again = await shop.ConfirmAsync(id);
        narrator.Check(
            again.Status == 200 && again.Text("transaction_id") == confirmed.Text("transaction_id"),
            "a confirm that is sent once more gets the same transaction",
            again
        );
        if (victims.Count > 0)
        {
            await HealthyAsync(victim);
        }

        var run = await narrator.EventuallyAsync(
            () => shop.RunAsync(id),
            r => r.Text("run.run_state") == "finished",
            "the run has completed all the same",
            Soon,
            cancel
        );
        Story.ShowSteps(run);
        var after = await narrator.EventuallyAsync(
            () => shop.CardAsync(card.Id),
            r => r.Number("balance.amount") == balance - Price && r.Number("held.amount") == 0,
            "nothing lost, nothing doubled: the card is exactly 12.00 EUR lighter and nothing is held",
            Soon,
            cancel
        );
        Narrator.Show($"GET /v1/gift_cards/{card.Id}", after, "balance", "held");
        var activities = await shop.ActivitiesAsync(card.Id);
        narrator.Check(
            activities.At("data")!.AsArray().Count(a => (string?)a!["redemption_id"] == id) == 1,
            "the card's activities name this redemption once",
            activities
        );
        await story.ProveAsync();

        Narrator.Chapter("What followed by itself, all the same");
        await story.MailAsync(card, "receipt", id);
        await narrator.EventuallyAsync(
            shop.FiguresAsync,
            r => Shop.Sum(r, "redeemed.count") == 2 && Shop.Sum(r, "redeemed.amount.amount") == Story.Price + Price,
            "analytics counts this redemption once",
            Soon,
            cancel
        );
    }

    /// <summary>What `dapr run` has started nobody starts again, so it is left alive.</summary>
    private static void Kill(string victim, IReadOnlyList<ProcessState> victims)
    {
        foreach (var process in victims)
        {
            process.Identity.Signal(ProcessIdentity.SigKill);
            Narrator.Tell($"kill -9 {process.Pid} ({process.Name})");
        }

        if (victims.Count == 0)
        {
            Narrator.Tell(
                $"{victim} is not supervised here, `dapr run` has it and would not start it again: it is not killed"
            );
        }
    }

    private async Task HealthyAsync(string victim)
    {
        var clock = Stopwatch.StartNew();
        var state = StackState.RunningOrFail(checkout);
        IReadOnlyDictionary<string, string> troubles;
        do
        {
            await Task.Delay(TimeSpan.FromMilliseconds(250), cancel);
            troubles = await new LocalStack(checkout, state.Ports, state.Options).TroublesAsync(cancel);
        } while (troubles.Count > 0 && clock.Elapsed < HealthyAgain);

        narrator.Check(troubles.Count == 0, $"{victim} was started again and all is healthy");
    }
}
