using System.Diagnostics;

namespace LocalPlus.Cli;

/// <summary>Tells and runs the story of a gift card over REST through the gateway; every step is checked.</summary>
internal static class Demo
{
    public static readonly Verb Verb = new(
        "demo", $"demo [--break {string.Join('|', Interruption.Victims)}]", "the story of a gift card, told and checked", RunAsync)
    {
        Options = ["--break"],
    };

    private const string DefaultVictim = "ledger";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private static async Task<int> RunAsync(Invocation call)
    {
        var (checkout, arguments, cancel) = call;
        var victim = arguments.Option("--break") ?? DefaultVictim;
        if (!Interruption.Victims.Contains(victim))
        {
            throw CliFailure.Usage($"'{victim}' cannot be broken; there are {string.Join(", ", Interruption.Victims)}", "demo");
        }

        var state = StackState.RunningOrFail(checkout);
        var clock = Stopwatch.StartNew();
        var narrator = new Narrator();
        Narrator.Chapter("A merchant is onboarded");
        var merchant = await Developer.OnboardAsync(checkout, state.Ports, "Corner Shop", "shop@example.com", cancel);
        narrator.Check(
            merchant.ApiKey.StartsWith("lp_test_", StringComparison.Ordinal), $"{merchant.MerchantId} has the key {merchant.ApiKey[..12]}…");

        using var shop = new Shop(checkout, state.Ports, merchant, Patience, cancel);
        var story = new Story(checkout, shop, narrator, cancel);
        var card = await story.TellAsync();
        await new Interruption(checkout, shop, story, narrator, cancel).TellAsync(card, victim);
        await new Rescue(shop, narrator, cancel).TellAsync(card);

        Terminal.Say("");
        Terminal.Good($"{narrator.Checks} checks hold, in {Terminal.Seconds(clock.Elapsed)}");
        Terminal.Say($"Next:  ./localplus status   ./localplus demo --break giftcard   curl {state.Ports.GatewayUrl}/v1/gift_cards");
        return ExitCodes.Ok;
    }
}
