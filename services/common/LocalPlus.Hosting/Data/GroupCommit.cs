using System.Diagnostics;
using System.Threading.Channels;
using LocalPlus.Kernel;

namespace LocalPlus.Hosting;

/// <summary>
/// Many small writes of one kind in one transaction. Callers bring an item each; whatever waits when the transaction
/// before has ended goes into the next, so nobody waits for a batch to fill, and the busier the service is the more
/// share a flush. Should one item spoil a batch, they go alone, and each caller hears of its own failure only; should
/// the database be away or too slow, all hear of it at once.
/// </summary>
/// <param name="database">Where to.</param>
/// <param name="write">Writes the items and gives their results, in their order; statements for sets, not
/// loops.</param>
/// <param name="begins">
/// What is written is the beginning of something that another service has to finish: an item whose request has no time
/// left for that (<see cref="RequestDeadline.IsTooLateToBegin"/>) is not written.
/// </param>
/// <param name="deadline">In place of <see cref="Deadline"/>, where no request waits.</param>
public sealed class GroupCommit<TItem, TResult>(
    Database database,
    Func<DbSession, IReadOnlyList<TItem>, Task<IReadOnlyList<TResult>>> write,
    bool begins = false,
    TimeSpan? deadline = null
)
{
    /// <summary>Items in one transaction.</summary>
    public const int MaxItems = 128;

    /// <summary>Items that may wait; more are refused with busy.</summary>
    public const int MaxWaiting = 4096;

    /// <summary>
    /// Nobody waits longer; who gives up gets busy and learns by repeating whether it was written after all.
    /// </summary>
    public static readonly TimeSpan Deadline = TimeSpan.FromSeconds(4);

    private readonly Channel<Entry> waiting = Channel.CreateBounded<Entry>(MaxWaiting);
    private int writing;

    /// <summary>
    /// The item's result, once it is durable. Giving up takes an item back that is not being written yet; one that is
    /// is waited for. Fails with overloaded or busy when too much is waiting, with <see cref="TimeoutException"/> after
    /// the deadline, and with what the write threw.
    /// </summary>
    public async Task<TResult> WriteAsync(TItem item, CancellationToken cancel)
    {
        var entry = new Entry(item, begins ? RequestDeadline.Current : null);
        entry.RequireTime();
        if (!waiting.Writer.TryWrite(entry))
        {
            throw new FaultException(
                begins ? CommonFaults.Overloaded : CommonFaults.Busy,
                "More is waiting to be written than there is room for."
            );
        }

        if (Interlocked.Exchange(ref writing, 1) == 0)
        {
            _ = Task.Run(DrainAsync, CancellationToken.None);
        }

        await using var givingUp = cancel.UnsafeRegister(
            static (given, token) => ((Entry)given!).GiveUp(new OperationCanceledException(token)),
            entry
        );
        return await entry.Done.Task.WaitAsync(deadline ?? Deadline, CancellationToken.None);
    }

    private async Task DrainAsync()
    {
        RequestDeadline.Forget();
        using var shared = RowSecurity.ForAll();
        while (true)
        {
            var batch = new List<Entry>(MaxItems);
            while (batch.Count < MaxItems && waiting.Reader.TryRead(out var entry))
            {
                batch.Add(entry);
            }

            if (batch.Count > 0)
            {
                batch.RemoveAll(entry => !entry.TryTake());
                await WriteAsync(batch);
                continue;
            }

            // Whoever brings an item after the exchange finds no writer; one that was brought before is seen by the
            // count.
            Interlocked.Exchange(ref writing, 0);
            if (waiting.Reader.Count == 0 || Interlocked.Exchange(ref writing, 1) == 1)
            {
                return;
            }
        }
    }

    private async Task WriteAsync(List<Entry> batch)
    {
        if (batch.Count == 0)
        {
            return;
        }

        try
        {
            IReadOnlyList<TResult> results;
            await using (var db = await database.BeginAsync(CancellationToken.None))
            {
                results = await write(db, [.. batch.Select(entry => entry.Item)]);
                await db.CommitAsync();
            }

            foreach (var (entry, result) in batch.Zip(results))
            {
                entry.Done.SetResult(result);
            }
        }
        catch (Exception exception)
            when (batch.Count == 1 || DatabaseAway.IsToldBy(exception) || DatabaseAway.IsTooSlow(exception))
        {
            batch.ForEach(entry => entry.Done.SetException(exception));
        }
        catch (Exception)
        {
            foreach (var entry in batch)
            {
                await WriteAsync([entry]);
            }
        }
    }

    private sealed class Entry(TItem item, RequestDeadline? deadline)
    {
        private readonly long queuedAt = Stopwatch.GetTimestamp();
        private int isDecided;

        public TItem Item { get; } = item;

        public TaskCompletionSource<TResult> Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        /// <summary>From now on the item is written, whoever gives up; false when somebody has.</summary>
        public bool TryTake()
        {
            if (Stopwatch.GetElapsedTime(queuedAt) > Deadline || Interlocked.Exchange(ref isDecided, 1) != 0)
            {
                return false;
            }

            if (deadline is { IsTooLateToBegin: true })
            {
                Done.SetException(TooLate());
                return false;
            }

            return true;
        }

        public void RequireTime()
        {
            if (deadline is { IsTooLateToBegin: true })
            {
                throw TooLate();
            }
        }

        public void GiveUp(Exception why)
        {
            if (Interlocked.Exchange(ref isDecided, 1) == 0)
            {
                Done.SetException(why);
            }
        }

        private static FaultException TooLate() =>
            new(CommonFaults.Overloaded, "There was too little time left to begin; nothing was done.");
    }
}
