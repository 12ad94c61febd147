using LocalPlus.Kernel;

namespace LocalPlus.Ledger.Commit;

/// <summary>What became of a command that wanted to wait.</summary>
internal enum Admission
{
    Admitted,

    /// <summary>Its merchant has as much waiting as one may.</summary>
    MerchantFull,

    /// <summary>All merchants together have; or the service is being stopped.</summary>
    Full,
}

/// <summary>
/// Commands that wait for a writer: in order of arrival within a merchant, in turn between merchants, so that a
/// merchant with a thousand waiting delays another's single one by one command and not by a thousand. Each merchant has
/// a bound of its own, and a few places that the others can not take.
/// </summary>
/// <param name="perMerchant">What one merchant may have waiting.</param>
/// <param name="total">What all may have together, beside each one's few.</param>
internal sealed class FairQueue(int perMerchant, int total) : IDisposable
{
    private readonly Lock gate = new();
    private readonly Dictionary<MerchantId, Queue<Command>> waiting = [];
    private readonly Queue<MerchantId> turns = new();
    private readonly SemaphoreSlim permits = new(0);
    private int count;
    private bool isClosed;

    public int Count
    {
        get
        {
            lock (gate)
            {
                return count;
            }
        }
    }

    public Admission TryAdd(Command command)
    {
        var merchant = command.Operation.MerchantId;
        lock (gate)
        {
            var has = waiting.TryGetValue(merchant, out var own) ? own.Count : 0;
            if (has >= perMerchant)
            {
                return Admission.MerchantFull;
            }

            if (isClosed || (count >= total && has >= LedgerLimits.PlacesOfEachMerchant))
            {
                return Admission.Full;
            }

            if (own is null)
            {
                waiting.Add(merchant, own = new Queue<Command>());
                turns.Enqueue(merchant);
            }

            own.Enqueue(command);
            count++;
        }

        permits.Release();
        return Admission.Admitted;
    }

    /// <summary>
    /// Waits for a command and adds it, and what else waits, to the batch, until their weight is reached. False: there
    /// will be none any more.
    /// </summary>
    public bool Take(List<Command> batch, int weight)
    {
        permits.Wait();
        lock (gate)
        {
            if (count == 0)
            {
                // Only the end gives a permit without a command; it is everybody's.
                permits.Release();
                return false;
            }

            var taken = 0;
            do
            {
                var next = Next();
                batch.Add(next);
                taken += next.Operation.Weight;
            } while (taken < weight && count > 0 && permits.Wait(0));
        }

        return true;
    }

    /// <summary>Takes nothing more; what waits is still given out.</summary>
    public void Close()
    {
        lock (gate)
        {
            isClosed = true;
        }

        permits.Release();
    }

    public void Dispose() => permits.Dispose();

    private Command Next()
    {
        var merchant = turns.Dequeue();
        var own = waiting[merchant];
        var next = own.Dequeue();
        count--;
        if (own.Count > 0)
        {
            turns.Enqueue(merchant);
        }
        else
        {
            waiting.Remove(merchant);
        }

        return next;
    }
}
