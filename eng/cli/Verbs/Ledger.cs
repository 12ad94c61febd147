using System.CommandLine;

namespace LocalPlus.Cli;

/// <summary>
/// The books against themselves, straight from their database: no service and no sidecar need run. The ledger's
/// executable does the work, as an operator would call it in its container.
/// </summary>
internal static class Ledger
{
    private static readonly Option<string> Key = Verbs.Text(
        "--key",
        "the log's public key, this checkout's when nothing is said",
        "PEM"
    );
    private static readonly Option<string> Checkpoints = Verbs.Text(
        "--checkpoints",
        "the log's checkpoints outside the database",
        "FILE"
    );
    private static readonly Option<string> Until = Verbs.Text("--until", "as the books were then", "TIME");

    public static readonly Verb Verb = Verbs.Group(
        "ledger",
        "check the books: verify them against the signed log, rebuild balances from entries",
        Verbs.Define("verify", "the signed log and the books, row by row", VerifyAsync, Key, Checkpoints),
        Verbs.Define("rebuild", "fold the entries again and compare with the balances", RebuildAsync, Until)
    );

    /// <summary>As long as it takes: a check of everything reads everything.</summary>
    private static readonly TimeSpan Limit = TimeSpan.FromDays(1);

    private static Task<int> VerifyAsync(Invocation call) =>
        RunAsync(
            call,
            [
                "verify",
                "--key",
                Path.GetFullPath(call.Words.GetValue(Key) ?? call.Checkout.LogKey),
                "--checkpoints",
                Path.GetFullPath(call.Words.GetValue(Checkpoints) ?? call.Checkout.Checkpoints),
            ]
        );

    private static Task<int> RebuildAsync(Invocation call) =>
        RunAsync(call, call.Words.GetValue(Until) is { } until ? ["rebuild", "--until", until] : ["rebuild"]);

    private static async Task<int> RunAsync(Invocation call, string[] words)
    {
        var (checkout, _, cancel) = call;
        var state = StackState.RunningOrFail(checkout);
        var service = new LocalStack(checkout, state.Ports, state.Options).Service("ledger");
        var run = new Command(service.File, [.. service.Arguments, .. words])
        {
            WorkingDirectory = service.WorkingDirectory,
            Environment = new(service.Environment)
            {
                ["Secrets__database"] = new Secrets(checkout).Database("ledger", "ledger", state.Ports),
            },
            OnLine = Terminal.Say,
            Limit = Limit,
        };
        var result = await run.RunAsync(cancel);
        return result.ExitCode switch
        {
            ExitCodes.Ok => ExitCodes.Ok,
            ExitCodes.Failed => throw new CliFailure(
                ExitCodes.Failed,
                "the books do not agree with themselves; see above",
                "services/ledger/README.md, Proof; change nothing before it is understood"
            ),
            _ => throw new CliFailure(
                result.ExitCode,
                $"ledger {words[0]} ended with {result.ExitCode}",
                "./localplus status"
            ),
        };
    }
}
