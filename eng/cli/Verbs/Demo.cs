using System.CommandLine;
using System.Diagnostics;

namespace LocalPlus.Cli;

/// <summary>Tells and runs the story of a gift card over REST through the gateway; every step is checked.</summary>
internal static class Demo
{
    private static readonly Option<string> Break = Verbs.Text(
        "--break",
        $"who is killed; {DefaultVictim} when nothing is said",
        "VICTIM",
        Interruption.Victims
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
        var state = StackState.RunningOrFail(checkout);
        await Services.RunOrFailAsync(state, "giftcard", cancel);
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
