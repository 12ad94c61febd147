namespace LocalPlus.Cli;

/// <summary>Rewrites the golden files from what the code says now; the diff is the review.</summary>
internal static class Golden
{
    public static readonly Verb Verb = new("golden", "golden [SUITE]", "rewrite golden files; review the diff", RunAsync);

    private static async Task<int> RunAsync(Invocation call)
    {
        // The tests that compare golden files write them instead when this is set.
        Environment.SetEnvironmentVariable("LP_GOLDEN", "write");
        var suites = call.Arguments.Positions.Count > 0 ? call.Arguments.Positions : ["unit", "tidy", "contract", "platform"];
        await Builder.BuildAsync(call.Checkout, "Debug", call.Cancel);
        await Suites.RunAsync(call.Checkout, suites, filter: null, call.Cancel);
        var changed = await new Command("git", "status", "--short") { WorkingDirectory = call.Checkout.Root }.RunAsync(call.Cancel);
        Terminal.Say(changed.Lines.Count == 0 ? "no golden file changed" : changed.Output);
        return ExitCodes.Ok;
    }
}
