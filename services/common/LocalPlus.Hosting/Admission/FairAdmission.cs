using LocalPlus.Kernel;

namespace LocalPlus.Hosting;

/// <summary>What became of a request at the door.</summary>
internal enum Entry
{
    Admitted,

    /// <summary>Its merchant has more than its share, and others want theirs.</summary>
    OverShare,

    /// <summary>There is too much to do for everybody.</summary>
    Full,
}

/// <summary>
/// Lets as many requests in as <see cref="ServiceBound"/> says, the next of each merchant in turn: a merchant that
/// sends without end waits for itself, and another's single request for none. Who can not be let in within
/// <see cref="AdmissionLimits.Patience"/> is refused when it comes, or at the latest then. Keys that nobody knows are
/// one merchant.
/// </summary>
internal sealed class FairAdmission : IDisposable
{
    private readonly Lock gate = new();
    private readonly Dictionary<MerchantId, Share> shares = [];
    private readonly Queue<Share> turns = new();
    private readonly ServiceBound bound;
    private readonly TimeProvider time;
    private readonly ITimer timer;
    private int underWay;
    private int waiting;
    private bool isTimed;

    public FairAdmission(TimeProvider time)
    {
        this.time = time;
        bound = new(time);
        timer = time.CreateTimer(_ => RefuseLate(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    public (int Bound, int UnderWay, int Waiting) Now
    {
        get
        {
            lock (gate)
            {
                return (bound.Current, underWay, waiting);
            }
        }
    }

    /// <summary>
    /// Ends when the request is let in or refused. Who is let in says <see cref="Leave"/> in the end.
    /// </summary>
    public ValueTask<Entry> EnterAsync(MerchantId merchant, CancellationToken gone)
    {
        lock (gate)
        {
            if (!shares.TryGetValue(merchant, out var share))
            {
                shares.Add(merchant, share = new Share(merchant));
            }

            if (share.Waiting.Count == 0 && HasRoom(share))
            {
                Admit(share);
                return new(Entry.Admitted);
            }

            bound.Full();
            if (waiting >= AdmissionLimits.Waiting || WaitOf(share) > AdmissionLimits.Patience.TotalSeconds)
            {
                var refused = Refusal(share);
                Forget(share);
                return new(refused);
            }

            var one = new Waiting(time.GetTimestamp(), gone);
            if (share.Waiting.Count == 0)
            {
                turns.Enqueue(share);
            }

            share.Waiting.Enqueue(one);
            waiting++;
            Time();
            return new(one.Done.Task);
        }
    }

    /// <summary>A request that was let in has its answer.</summary>
    /// <param name="merchant">Whose.</param>
    /// <param name="took">How long it was under way, without the wait at the door.</param>
    /// <param name="isUnanswered">It failed for what is behind this service.</param>
    public void Leave(MerchantId merchant, TimeSpan took, bool isUnanswered)
    {
        lock (gate)
        {
            var share = shares[merchant];
            var all = underWay--;
            share.UnderWay--;
            Forget(share);
            if (isUnanswered)
            {
                bound.Unanswered();
            }
            else if (bound.Answered(took, all))
            {
                AdmissionMetrics.Looked(bound.Current, underWay, waiting);
            }

            AdmitNext();
        }
    }

    public void Dispose() => timer.Dispose();

    /// <summary>
    /// Who has less than its share, which is never less than one, may take one of a few places beside the bound. What
    /// the merchant holds that has the most does not count there: it may have come in while the bound was wide.
    /// </summary>
    private bool HasRoom(Share share)
    {
        if (underWay < bound.Current && waiting == 0)
        {
            return true;
        }

        var isBelowShare = share.UnderWay < Math.Max(1, bound.Current / shares.Count);
        return isBelowShare
            && (
                underWay < bound.Current + (bound.Current / AdmissionLimits.BoundToSharePlaces)
                || underWay - shares.Values.Max(one => one.UnderWay) < AdmissionLimits.PlacesBesideAFlood
            );
    }

    private void Admit(Share share)
    {
        share.UnderWay++;
        underWay++;
    }

    private void AdmitNext()
    {
        while (underWay < bound.Current && turns.TryDequeue(out var share))
        {
            // One whose caller has gone gives its turn to the next of its merchant.
            while (Take(share) is { } next)
            {
                if (!next.Gone.IsCancellationRequested)
                {
                    Admit(share);
                    next.Done.SetResult(Entry.Admitted);
                    break;
                }

                next.Done.SetResult(Entry.Full);
            }

            if (share.Waiting.Count > 0)
            {
                turns.Enqueue(share);
            }

            Forget(share);
        }
    }

    private Waiting? Take(Share share)
    {
        if (!share.Waiting.TryDequeue(out var next))
        {
            return null;
        }

        waiting--;
        return next;
    }

    /// <summary>Seconds until one more of this merchant would have its turn, at the rate of the last window.</summary>
    private double WaitOf(Share share)
    {
        if (bound.PerSecond == 0)
        {
            return 0;
        }

        var before = 0;
        foreach (var other in turns)
        {
            before += Math.Min(other.Waiting.Count, share.Waiting.Count + 1);
        }

        return (before + 1) / bound.PerSecond;
    }

    private Entry Refusal(Share share) =>
        shares.Count > 1 && share.UnderWay + share.Waiting.Count > bound.Current / shares.Count
            ? Entry.OverShare
            : Entry.Full;

    private void Forget(Share share)
    {
        if (share is { UnderWay: 0, Waiting.Count: 0 })
        {
            shares.Remove(share.Merchant);
        }
    }

    private void Time()
    {
        if (!isTimed)
        {
            isTimed = true;
            timer.Change(AdmissionLimits.Patience, Timeout.InfiniteTimeSpan);
        }
    }

    private void RefuseLate()
    {
        lock (gate)
        {
            isTimed = false;
            for (var left = turns.Count; left > 0; left--)
            {
                var share = turns.Dequeue();
                while (
                    share.Waiting.TryPeek(out var first) && time.GetElapsedTime(first.Since) >= AdmissionLimits.Patience
                )
                {
                    first.Done.SetResult(Refusal(share));
                    Take(share);
                }

                if (share.Waiting.Count > 0)
                {
                    turns.Enqueue(share);
                }

                Forget(share);
            }

            if (waiting > 0)
            {
                Time();
            }
        }
    }

    /// <summary>What a merchant has under way and waiting.</summary>
    private sealed class Share(MerchantId merchant)
    {
        public MerchantId Merchant { get; } = merchant;

        public Queue<Waiting> Waiting { get; } = new();

        public int UnderWay { get; set; }
    }

    private sealed record Waiting(long Since, CancellationToken Gone)
    {
        public TaskCompletionSource<Entry> Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
