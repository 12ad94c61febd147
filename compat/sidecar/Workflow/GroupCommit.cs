using System.Threading.Channels;
using LocalPlus.Sidecar.Workflow.Store;

namespace LocalPlus.Sidecar.Workflow;

/// <summary>
/// Stores units of work of many runs in shared transactions: one writer drains what has gathered while the last
/// transaction was under way. What follows from a unit is done after it is durable, in the order of the units.
/// </summary>
internal sealed class GroupCommit(IRunLease lease, Action<Exception> onLost)
{
    private readonly record struct Entry(CommitUnit Unit, Action<Exception?> Done);

    // Unbounded on purpose: every entry belongs to a turn or a call, and those are bounded where they begin.
    private readonly Channel<Entry> _entries = Channel.CreateUnbounded<Entry>(new() { SingleReader = true });

    /// <summary><paramref name="done"/> gets null once the unit is durable, else why it is not.</summary>
    public void Add(CommitUnit unit, Action<Exception?> done)
    {
        if (!_entries.Writer.TryWrite(new Entry(unit, done)))
        {
            done(new SessionLostException(null));
        }
    }

    public void Complete() => _entries.Writer.TryComplete();

    public async Task RunAsync(CancellationToken cancel)
    {
        var following = Task.CompletedTask;
        var group = new List<Entry>();
        try
        {
            while (await _entries.Reader.WaitToReadAsync(cancel))
            {
                Gather(group);
                var failures = await CommitAsync(group, cancel);
                await following;
                var done = group.ToArray();
                following = Task.Run(() => Finish(done, failures), CancellationToken.None);
                group.Clear();
            }
        }
        catch (Exception error)
        {
            onLost(error);
            await following;
            _entries.Writer.TryComplete();
            Refuse(group, error);
            while (_entries.Reader.TryRead(out var entry))
            {
                entry.Done(new SessionLostException(error));
            }

            return;
        }

        await following;
    }

    private void Gather(List<Entry> group)
    {
        long bytes = 0;
        while (
            group.Count < WorkflowLimits.UnitsPerCommit
            && bytes < WorkflowLimits.BytesPerCommit
            && _entries.Reader.TryRead(out var entry)
        )
        {
            group.Add(entry);
            bytes += entry.Unit.Bytes;
        }
    }

    // A refusal that is not the connection's belongs to one unit: its neighbours are stored without it.
    private async Task<Dictionary<int, Exception>?> CommitAsync(List<Entry> group, CancellationToken cancel)
    {
        try
        {
            await lease.CommitAsync([.. group.Select(entry => entry.Unit)], cancel);
            return null;
        }
        catch (Exception) when (!lease.Lost.IsCancellationRequested && !cancel.IsCancellationRequested)
        {
            var failures = new Dictionary<int, Exception>();
            for (var index = 0; index < group.Count; index++)
            {
                try
                {
                    await lease.CommitAsync([group[index].Unit], cancel);
                }
                catch (Exception alone) when (!lease.Lost.IsCancellationRequested && !cancel.IsCancellationRequested)
                {
                    failures[index] = alone;
                }
            }

            return failures;
        }
    }

    private static void Finish(Entry[] group, Dictionary<int, Exception>? failures)
    {
        for (var index = 0; index < group.Length; index++)
        {
            group[index].Done(failures?.GetValueOrDefault(index));
        }
    }

    private static void Refuse(List<Entry> group, Exception error)
    {
        foreach (var entry in group)
        {
            entry.Done(new SessionLostException(error));
        }
    }
}
