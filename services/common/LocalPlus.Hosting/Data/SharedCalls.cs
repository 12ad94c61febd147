using System.Threading.Channels;
using LocalPlus.Kernel;
using Npgsql;

namespace LocalPlus.Hosting;

/// <summary>
/// Questions of one kind that share calls. Whatever waits when a call is free goes with it, so a lonely question goes
/// at once, alone, and the busier the service is the fewer calls each costs. Every question has its own answer.
/// </summary>
/// <param name="perCall">Questions in one call.</param>
/// <param name="callsAtOnce">Calls under way at once: one travels while another is answered.</param>
/// <param name="whenOneFails">What a call that fails does to its questions.</param>
/// <param name="send">Makes a call: an answer to each question, in their order; throws what each is to be told.</param>
public sealed class SharedCalls<TAsk, TAnswer>(
    int perCall,
    int callsAtOnce,
    WhenOneFails whenOneFails,
    Func<IReadOnlyList<TAsk>, Task<IReadOnlyList<TAnswer>>> send
)
{
    /// <summary>Questions that may wait; more are refused with busy.</summary>
    public const int WaitingMax = 4096;

    private readonly Channel<Waiting> waiting = Channel.CreateBounded<Waiting>(WaitingMax);
    private int calls;

    /// <summary>The answer. Giving up waiting takes a question back that was not sent.</summary>
    public async Task<TAnswer> AskAsync(TAsk ask, CancellationToken cancel)
    {
        var one = new Waiting(ask, cancel);
        if (!waiting.Writer.TryWrite(one))
        {
            throw new FaultException(CommonFaults.Busy, "More waits to be asked than there is room for.");
        }

        if (TryBegin())
        {
            _ = Task.Run(CallWhileSomeWaitAsync, CancellationToken.None);
        }

        return await one.Done.Task.WaitAsync(cancel);
    }

    private bool TryBegin()
    {
        if (Interlocked.Increment(ref calls) <= callsAtOnce)
        {
            return true;
        }

        Interlocked.Decrement(ref calls);
        return false;
    }

    private async Task CallWhileSomeWaitAsync()
    {
        // What is shared keeps nobody's time but its own, and is no one merchant's.
        RequestDeadline.Forget();
        using var shared = RowSecurity.ForAll();
        do
        {
            while (Next() is { Count: > 0 } batch)
            {
                await CallAsync(batch);
            }

            Interlocked.Decrement(ref calls);

            // Whoever came after the last look and found no free call is not left waiting.
        } while (waiting.Reader.Count > 0 && TryBegin());
    }

    private List<Waiting> Next()
    {
        var batch = new List<Waiting>();
        while (batch.Count < perCall && waiting.Reader.TryRead(out var next))
        {
            if (!next.GivenUp.IsCancellationRequested)
            {
                batch.Add(next);
            }
        }

        return batch;
    }

    private async Task CallAsync(List<Waiting> batch)
    {
        try
        {
            // Nobody's patience but the call's own: the others still wait when one has gone.
            var answers = await send([.. batch.Select(one => one.Ask)]);
            if (answers.Count != batch.Count)
            {
                throw new InvalidOperationException($"{answers.Count} of {batch.Count} questions were answered.");
            }

            foreach (var (one, answer) in batch.Zip(answers))
            {
                one.Done.TrySetResult(answer);
            }
        }
        catch (Exception exception)
            when (batch.Count == 1
                || whenOneFails == WhenOneFails.AllAreTold
                || exception is NpgsqlException and not PostgresException
            )
        {
            batch.ForEach(one => one.Done.TrySetException(exception));
        }
        catch (Exception)
        {
            foreach (var one in batch)
            {
                await CallAsync([one]);
            }
        }
    }

    private sealed record Waiting(TAsk Ask, CancellationToken GivenUp)
    {
        public TaskCompletionSource<TAnswer> Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}

/// <summary>What a call that fails does to the questions that share it.</summary>
public enum WhenOneFails
{
    /// <summary>All of its questions fail, and no others: what a second call would do is not known.</summary>
    AllAreTold,

    /// <summary>Each is asked alone, and hears of its own failure only; all hear of a database that is away.</summary>
    EachGoesAlone,
}
