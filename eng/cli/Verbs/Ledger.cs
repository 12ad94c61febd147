namespace LocalPlus.Cli;

/// <summary>
/// The books against themselves, straight from their database: no service and no sidecar need run. The ledger's executable
/// does the work, as an operator would call it in its container.
/// </summary>
internal static class Ledger
{
    public static readonly Verb Verb = new(
        "ledger", "ledger verify [--key PEM] [--checkpoints FILE] | rebuild [--until TIME]",
        "check the books: verify them against the signed log, rebuild balances from entries", RunAsync)
    {
        Options = ["--key", "--checkpoints", "--until"],
    };

    /// <summary>As long as it takes: a check of everything reads everything.</summary>
    private static readonly TimeSpan Limit = TimeSpan.FromDays(1);

    private static async Task<int> RunAsync(Invocation call)
    {
        var (checkout, arguments, cancel) = call;
        string[] words = arguments.Positions switch
        {
            ["verify"] =>
            [
                "verify", "--key", Path.GetFullPath(arguments.Option("--key") ?? checkout.LogKey),
                "--checkpoints", Path.GetFullPath(arguments.Option("--checkpoints") ?? checkout.Checkpoints),
            ],
            ["rebuild"] => arguments.Option("--until") is { } until ? ["rebuild", "--until", until] : ["rebuild"],
            _ => throw CliFailure.Usage("say verify or rebuild", "ledger"),
        };
        var state = StackState.RunningOrFail(checkout);
        var service = new LocalStack(checkout, state.Ports, state.Options).All.First(s => s.Name == "ledger");
        var run = new Command(service.File, [.. service.Arguments, .. words])
        {
            WorkingDirectory = service.WorkingDirectory,
            Environment = new(service.Environment) { ["Secrets__database"] = new Secrets(checkout).Database("ledger", "ledger", state.Ports) },
            OnLine = Terminal.Say,
            Limit = Limit,
        };
        var result = await run.RunAsync(cancel);
        return result.ExitCode switch
        {
            ExitCodes.Ok => ExitCodes.Ok,
            ExitCodes.Failed => throw new CliFailure(ExitCodes.Failed, "the books do not agree with themselves; see above", "services/ledger/README.md, Proof; change nothing before it is understood"),
            _ => throw new CliFailure(result.ExitCode, $"ledger {words[0]} ended with {result.ExitCode}", "./localplus status"),
        };
    }
}
