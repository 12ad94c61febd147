namespace LocalPlus.Cli;

/// <summary>Runs a scheduled job once, as the CronJob in the chart would: the owning service's executable with `job NAME`.</summary>
internal static class Job
{
    public static readonly Verb Verb = new("job", "job run NAME | job list", "run a scheduled job now", RunAsync);

    /// <summary>Which service owns which job.</summary>
    private static readonly Dictionary<string, string> Owners = new()
    {
        ["ledger-reconciliation"] = "ledger",
        ["balance-reconciliation"] = "wallet",
        ["expired-giftcards"] = "giftcard",
        ["giftcard-cleanup"] = "giftcard",
        ["analytics-rollup"] = "analytics",
    };

    private static async Task<int> RunAsync(Invocation call)
    {
        var (checkout, arguments, cancel) = call;
        if (arguments.Positions is ["list"])
        {
            Terminal.Table([["JOB", "SERVICE"], .. Owners.Select(o => new[] { o.Key, o.Value })]);
            return ExitCodes.Ok;
        }

        if (arguments.Positions is not ["run", var name])
        {
            throw CliFailure.Usage("say which job", "job");
        }

        if (!Owners.TryGetValue(name, out var app))
        {
            throw new CliFailure(ExitCodes.NotFound, $"there is no job '{name}'", "./localplus job list");
        }

        var state = StackState.RunningOrFail(checkout);
        var service = new LocalStack(checkout, state.Ports, state.Options).All.FirstOrDefault(s => s.Name == app)
            ?? throw new CliFailure(ExitCodes.Unavailable, $"{app} is not run by this checkout's supervisor", "./localplus up");
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
