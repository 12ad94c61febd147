using System.CommandLine;

namespace LocalPlus.Cli;

/// <summary>
/// Runs a scheduled job once, as the CronJob in the chart would: the owning service's executable with `job NAME`.
/// </summary>
internal static class Job
{
    /// <summary>Which service owns which job.</summary>
    private static readonly Dictionary<string, string> Owners = new()
    {
        ["ledger-reconciliation"] = "ledger",
        ["balance-reconciliation"] = "wallet",
        ["loyalty-expiry"] = "wallet",
        ["loyalty-tiers"] = "wallet",
        ["expired-giftcards"] = "giftcard",
        ["expiring-giftcards"] = "giftcard",
        ["giftcard-cleanup"] = "giftcard",
        ["settlement-months"] = "giftcard",
        ["bounce-mailbox"] = "notification",
        ["analytics-rollup"] = "analytics",
    };

    private static readonly Argument<string> Name = new("name")
    {
        Description = string.Join(", ", Owners.Keys),
        CompletionSources = { Owners.Keys.ToArray() },
    };

    public static readonly Verb Verb = Verbs.Group(
        "job",
        "run a scheduled job now",
        Verbs.Define("run", "as its CronJob would", RunAsync, Name),
        Verbs.Define("list", "the jobs and whose they are", ListAsync)
    );

    private static Task<int> ListAsync(Invocation call)
    {
        Terminal.Table([
            ["JOB", "SERVICE"],
            .. Owners.Select(o => new[] { o.Key, o.Value }),
        ]);
        return Task.FromResult(ExitCodes.Ok);
    }

    private static async Task<int> RunAsync(Invocation call)
    {
        var (checkout, words, cancel) = call;
        var name = words.GetRequiredValue(Name);
        if (!Owners.TryGetValue(name, out var app))
        {
            throw new CliFailure(ExitCodes.NotFound, $"there is no job '{name}'", "./localplus job list");
        }

        var state = StackState.RunningOrFail(checkout);
        await Services.RunOrFailAsync(state, app, cancel);
        var service = new LocalStack(checkout, state.Ports, state.Options).Service(app);
        var job = new Command(service.File, [.. service.Arguments, "job", name])
        {
            WorkingDirectory = service.WorkingDirectory,
            Environment = service.Environment,
            OnLine = Terminal.Say,
        };
        var result = await job.RunAsync(cancel);
        if (result.ExitCode != 0)
        {
            throw new CliFailure(ExitCodes.Failed, $"{name} ended with {result.ExitCode}", $"./localplus logs {app}");
        }

        return ExitCodes.Ok;
    }
}
