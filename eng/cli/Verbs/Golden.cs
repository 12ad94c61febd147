using System.CommandLine;

namespace LocalPlus.Cli;

/// <summary>Rewrites the golden files from what the code says now; the diff is the review.</summary>
internal static class Golden
{
    /// <summary>No suite, but the tests of the integration suite that ask each service to describe itself.</summary>
    private const string Descriptions = "openapi";

    private static readonly string[] Written = ["unit", "tidy", "contract", Descriptions, "platform"];

    private static readonly Argument<string[]> Named = new("suite")
    {
        Description = $"{string.Join(", ", Written)} when nothing is said",
        Arity = ArgumentArity.ZeroOrMore,
    };

    public static readonly Verb Verb = Verbs.Define("golden", "rewrite golden files; review the diff", RunAsync, Named);

    private static async Task<int> RunAsync(Invocation call)
    {
        // The tests that compare golden files write them instead when this is set.
        Environment.SetEnvironmentVariable("LP_GOLDEN", "write");
        var suites = call.Words.GetValue(Named) is { Length: > 0 } named ? named : Written;
        await Builder.BuildAsync(call.Checkout, "Debug", call.Cancel);
        foreach (var suite in suites)
        {
            await (
                suite == Descriptions
                    ? Suites.RunAsync(call.Checkout, ["integration"], "FullyQualifiedName~OpenApiTests", call.Cancel)
                    : Suites.RunAsync(call.Checkout, [suite], filter: null, call.Cancel)
            );
        }

        var changed = await new Command("git", "status", "--short") { WorkingDirectory = call.Checkout.Root }.RunAsync(
            call.Cancel
        );
        Terminal.Say(changed.Lines.Count == 0 ? "no golden file changed" : changed.Output);
        return ExitCodes.Ok;
    }
}
