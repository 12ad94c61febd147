using System.Threading.Channels;
using LocalPlus.Giftcard.Redemptions;

namespace LocalPlus.Giftcard.Runs;

/// <summary>
/// Runs on their way from the commit that began them to the engine, in memory. It takes none while the engine refuses
/// them or too many wait: then they stay in SQL, where there is room.
/// </summary>
internal sealed class RunQueue
{
    /// <summary>Runs that may wait in memory.</summary>
    public const int WaitingMax = 256;

    /// <summary>
    /// Longer than a start takes, so that two starters do not start the same run; after it a run that was not started
    /// is anybody's.
    /// </summary>
    public static readonly TimeSpan Lease = TimeSpan.FromSeconds(8);

    private readonly Channel<BegunRun> waiting = Channel.CreateBounded<BegunRun>(WaitingMax);
    private volatile bool engineTakes = true;

    public bool TakesRuns => engineTakes && waiting.Reader.Count < WaitingMax / 2;

    /// <summary>What the engine did with the last run that it was given.</summary>
    public void Heard(bool taken) => engineTakes = taken;

    public bool TryAdd(BegunRun run) => waiting.Writer.TryWrite(run);

    public IAsyncEnumerable<BegunRun> ReadAllAsync(CancellationToken cancel) => waiting.Reader.ReadAllAsync(cancel);
}
