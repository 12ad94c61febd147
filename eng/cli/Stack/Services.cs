namespace LocalPlus.Cli;

/// <summary>Whether the services answer, whoever started them: this checkout's supervisor or `dapr run`.</summary>
internal static class Services
{
    public static async Task RunOrFailAsync(StackState state, string app, CancellationToken cancel)
    {
        if (await Probes.HttpAsync(state.Ports.Public(app), "/readyz", null, cancel) is { } trouble)
        {
            throw new CliFailure(
                ExitCodes.Unavailable,
                $"{app}: {trouble}",
                state.Options.BackingOnly ? "dapr run -f ., then the same again" : "./localplus status"
            );
        }
    }
}
