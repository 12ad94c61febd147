namespace LocalPlus.Client.Verbs;

/// <summary>Looks again and again until Ctrl-C, which is no failure.</summary>
internal static class Watching
{
    private const string Home = "\e[H\e[2J\e[3J";

    /// <summary>
    /// An answer that is missing is said and the next look may have it; what is refused ends the watch.
    /// </summary>
    public static async Task<int> RunAsync(
        Func<CancellationToken, Task<int>> look,
        int seconds,
        CancellationToken cancel
    )
    {
        using var ticks = new PeriodicTimer(TimeSpan.FromSeconds(seconds));
        try
        {
            do
            {
                if (!Console.IsOutputRedirected)
                {
                    Console.Write(Home);
                }

                try
                {
                    await look(cancel);
                }
                catch (CliFailure away) when (away.ExitCode == ExitCodes.Unavailable)
                {
                    Terminal.Failure(away);
                }
            } while (await ticks.WaitForNextTickAsync(cancel));
        }
        catch (OperationCanceledException) when (cancel.IsCancellationRequested)
        {
            return ExitCodes.Ok;
        }

        return ExitCodes.Ok;
    }
}
