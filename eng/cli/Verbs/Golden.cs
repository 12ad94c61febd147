using System.CommandLine;

namespace LocalPlus.Cli;

/// <summary>Rewrites the golden files from what the code says now; the diff is the review.</summary>
internal static class Golden
{
    private static readonly string[] Written = ["unit", "tidy", "contract", "platform"];

    private static readonly Argument<string[]> Named = new("suite") { Description = $"{string.Join(", ", Written)} when nothing is said", Arity = ArgumentArity.ZeroOrMore };

    public static readonly Verb Verb = Verbs.Define("golden", "rewrite golden files; review the diff", RunAsync, Named);

    private static async Task<int> RunAsync(Invocation call)
    {
        // The tests that compare golden files write them instead when this is set.
        Environment.SetEnvironmentVariable("LP_GOLDEN", "write");
        var suites = call.Words.GetValue(Named) is { Length: > 0 } named ? named : Written;
        await Builder.BuildAsync(call.Checkout, "Debug", call.Cancel);
        await Suites.RunAsync(call.Checkout, suites, filter: null, call.Cancel);
        var changed = await new Command("git", "status", "--short") { WorkingDirectory = call.Checkout.Root }.RunAsync(call.Cancel);
        Terminal.Say(changed.Lines.Count == 0 ? "no golden file changed" : changed.Output);
        return ExitCodes.Ok;
    }
}
