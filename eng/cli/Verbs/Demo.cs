using System.CommandLine;
using System.Diagnostics;

namespace LocalPlus.Cli;

/// <summary>Tells and runs the story of a gift card over REST through the gateway; every step is checked.</summary>
internal static class Demo
{
    private const string Listed = "list";
    private const string Everything = "all";

    private static readonly Option<string> Break = Verbs.Text(
        "--break",
        $"who is killed in the story: {string.Join(", ", Interruption.Victims)}; {DefaultVictim} when nothing is said; "
            + $"or a fault drill in its place: {Listed} says which there are, {Everything} runs them all",
        "STEP",
        [.. Interruption.Victims, .. FaultDrills.Names.Except(Interruption.Victims), Listed, Everything]
    );

    public static readonly Verb Verb = Verbs.Define(
        "demo",
        "the story of a gift card, told and checked",
        RunAsync,
        Break
    );

    private const string DefaultVictim = "ledger";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private static async Task<int> RunAsync(Invocation call)
    {
        var (checkout, words, cancel) = call;
        var victim = words.GetValue(Break) ?? DefaultVictim;
        if (victim == Listed)
        {
            return List();
        }

        var state = StackState.RunningOrFail(checkout);
        await Services.RunOrFailAsync(state, "giftcard", cancel);
        return Interruption.Victims.Contains(victim)
            ? await TellAsync(checkout, state, victim, cancel)
            : await BreakAsync(checkout, victim, cancel);
    }

    private static int List()
    {
        Terminal.Table([
            ["STEP", "WHAT BREAKS", "WHAT ENDS IT"],
            .. FaultDrills.All.Select(drill => new[] { drill.Name, drill.Breaks, drill.Cure }),
        ]);
        return ExitCodes.Ok;
    }

    /// <summary>One drill by its name, or all of them; the last line is "N passed, N failed".</summary>
    private static async Task<int> BreakAsync(Checkout checkout, string step, CancellationToken cancel)
    {
        var drills = FaultDrills.Find(step) is { } drill ? [drill] : FaultDrills.All;
        var score = await FaultRuns.RunAsync(checkout, drills, cancel);
        Terminal.Say("");
        foreach (var failure in score.Failures)
        {
            Terminal.Failure($"{failure.Name}: {failure.Message}", failure.Next);
        }

        Terminal.Say($"{score.Passed} passed, {score.Failed} failed");
        return score.Failed == 0 ? ExitCodes.Ok : ExitCodes.Failed;
    }

    private static async Task<int> TellAsync(
        Checkout checkout,
        StackState state,
        string victim,
        CancellationToken cancel
    )
    {
        var clock = Stopwatch.StartNew();
        var narrator = new Narrator();
        Narrator.Chapter("A merchant is onboarded");
        var merchant = await Developer.OnboardAsync(checkout, state.Ports, "Corner Shop", "shop@example.com", cancel);
        narrator.Check(
            merchant.ApiKey.StartsWith("lp_test_", StringComparison.Ordinal),
            $"{merchant.MerchantId} has the key {merchant.ApiKey[..12]}…"
        );

        await new Newcomer(checkout, state.Ports, narrator, Patience, cancel).TellAsync();
        await new Guard(checkout, state.Ports, narrator, Patience, cancel).TellAsync();
        using var shop = new Shop(checkout, state.Ports, merchant, Patience, cancel);
        using var receiver = Receiver.Start();
        var story = new Story(checkout, shop, receiver, narrator, cancel);
        var card = await story.TellAsync();
        await new Interruption(checkout, shop, story, narrator, cancel).TellAsync(card, victim);
        await new Rescue(shop, narrator, cancel).TellAsync(card);
        await new Membership(shop, narrator).TellAsync();
        await new Takeover(shop, narrator, cancel).TellAsync();
        await new Farewell(shop, story, narrator, cancel).TellAsync(card);

        Terminal.Say("");
        Terminal.Good($"{narrator.Checks} checks hold, in {Terminal.Seconds(clock.Elapsed)}");
        Terminal.Say(
            "Next:  ./localplus status   ./localplus demo --break giftcard   "
                + $"curl {state.Ports.GatewayUrl}/v1/gift_cards"
        );
        return ExitCodes.Ok;
    }
}
