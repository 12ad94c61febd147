namespace LocalPlus.Cli;

/// <summary>
/// Ends what runs, with or without its supervisor. Processes are known by pid and start time from state.json;
/// nothing else is ever signalled.
/// </summary>
internal static class Leftovers
{
    private static readonly TimeSpan SupervisorLimit = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan ProcessLimit = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(100);

    /// <summary>True when there was something to stop.</summary>
    public static async Task<bool> StopAsync(Checkout checkout, CancellationToken cancel)
    {
        if (StackState.Last(checkout) is not { } state)
        {
            return false;
        }

        var supervised = state.SupervisorIdentity.Alive;
        if (supervised)
        {
            await EndAsync(state.SupervisorIdentity, ProcessIdentity.SigTerm, SupervisorLimit, cancel);
            state = StackState.Last(checkout) ?? state;
        }

        // PostgreSQL knows SIGINT as the quick way out; all others take SIGTERM.
        var left = state.Processes.Where(p => p.Pid > 0).ToList();
        await Task.WhenAll(
            left.Where(p => p.Name != "postgres").Select(p => StopOneAsync(p, ProcessIdentity.SigTerm, cancel))
        );
        await Task.WhenAll(
            left.Where(p => p.Name == "postgres").Select(p => StopOneAsync(p, ProcessIdentity.SigInt, cancel))
        );
        File.Delete(Path.Combine(checkout.State, StackState.File));
        return supervised || left.Count > 0;
    }

    private static async Task StopOneAsync(ProcessState process, int signal, CancellationToken cancel)
    {
        await EndAsync(process.Identity, signal, ProcessLimit, cancel);
        process.Identity.KillGroup();
    }

    private static async Task EndAsync(ProcessIdentity process, int signal, TimeSpan limit, CancellationToken cancel)
    {
        process.Signal(signal);
        var deadline = DateTimeOffset.UtcNow + limit;
        while (process.Alive && DateTimeOffset.UtcNow < deadline)
        {
            await Task.Delay(Poll, cancel);
        }

        process.Signal(ProcessIdentity.SigKill);
    }
}
