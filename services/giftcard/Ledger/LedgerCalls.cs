using System.Threading.Channels;
using LocalPlus.Contracts.Ledger.V1;
using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Giftcard.Ledger;

/// <summary>
/// Operations that share calls to the ledger. Whatever waits when a call is free goes with it, so a lonely operation
/// goes at once, alone, and the busier the service is the fewer calls each costs. Every operation has its own outcome;
/// a call that fails leaves all of its own unknown, and no others.
/// </summary>
/// <param name="send">Makes a call; throws what each of its operations is to be told.</param>
internal sealed class LedgerCalls(Func<ExecuteBatchRequest, CancellationToken, Task<ExecuteBatchResponse>> send)
{
    /// <summary>Operations in one call; the ledger takes 128.</summary>
    public const int OperationsPerCall = 64;

    /// <summary>Calls under way at once: one travels while another is decided.</summary>
    public const int CallsAtOnce = 4;

    /// <summary>Operations that may wait; more are refused with busy.</summary>
    public const int WaitingMax = 4096;

    private readonly Channel<Waiting> waiting = Channel.CreateBounded<Waiting>(WaitingMax);
    private int calls;

    /// <summary>
    /// What the ledger said. Giving up waiting takes an operation back that was not sent; one that was is known by its
    /// key.
    /// </summary>
    public async Task<Outcome> ExecuteAsync(Operation operation, CancellationToken cancel)
    {
        var one = new Waiting(operation, cancel);
        if (!waiting.Writer.TryWrite(one))
        {
            throw new FaultException(CommonFaults.Busy, "More waits for the ledger than there is room for.");
        }

        if (TryBegin())
        {
            _ = Task.Run(CallWhileSomeWaitAsync, CancellationToken.None);
        }

        return await one.Done.Task.WaitAsync(cancel);
    }

    private bool TryBegin()
    {
        if (Interlocked.Increment(ref calls) <= CallsAtOnce)
        {
            return true;
        }

        Interlocked.Decrement(ref calls);
        return false;
    }

    private async Task CallWhileSomeWaitAsync()
    {
        RequestDeadline.Forget();
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
        while (batch.Count < OperationsPerCall && waiting.Reader.TryRead(out var next))
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
            var request = new ExecuteBatchRequest();
            request.Operations.AddRange(batch.Select(one => one.Operation));
            // Nobody's patience but the call's own: the others of the batch still wait when one has gone.
            var response = await send(request, CancellationToken.None);
            if (response.Outcomes.Count != batch.Count)
            {
                throw new InvalidOperationException(
                    $"The ledger answered {response.Outcomes.Count} of {batch.Count} operations."
                );
            }

            foreach (var (one, outcome) in batch.Zip(response.Outcomes))
            {
                one.Done.TrySetResult(outcome);
            }
        }
        catch (Exception exception)
        {
            batch.ForEach(one => one.Done.TrySetException(exception));
        }
    }

    private sealed record Waiting(Operation Operation, CancellationToken GivenUp)
    {
        public TaskCompletionSource<Outcome> Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
