namespace LocalPlus.Hosting;

/// <summary>What became of a request for a token.</summary>
/// <param name="IsTaken">False: there is none left.</param>
/// <param name="Left">What is left as far as is known here.</param>
/// <param name="Wait">Until when that holds: there is another one then, or the window is over.</param>
internal readonly record struct Taking(bool IsTaken, long Left, TimeSpan Wait);

/// <summary>
/// One limit of one subject in one replica. A small part of the quota (<see cref="FreePart"/>) is each replica's own,
/// so most subjects never cost a look at the store; the rest is taken in slices for about as long as a segment lasts,
/// the next one before the last is used up. What is left of a slice is given back. While the store is silent there is
/// <see cref="SilentPart"/> of the quota, less what was used already; so it is never open.
/// </summary>
internal sealed class Budget(RateLimit limit, string name, SharedTokens shared, TimeProvider time)
{
    /// <summary>So much of the quota, 0.75 %, is a replica's own in each window as the clock has them.</summary>
    private const int FreePart = 133;

    /// <summary>So many replicas that know nothing of each other use no more than the quota.</summary>
    private const int SilentPart = 4;

    /// <summary>Nobody takes more at once than this part of what is left: others want theirs.</summary>
    private const int SlicesOfRest = 8;

    /// <summary>Nor less than this part of the quota: a slice is to last.</summary>
    private const int SlicesOfQuota = 1000;

    /// <summary>The next slice is taken when so much of one is left.</summary>
    private const int RenewedBelow = 4;

    /// <summary>Leases that a request waits for until it counts as refused.</summary>
    private const int Waits = 16;

    private readonly Lock gate = new();
    private readonly long segmentTicks = limit.Window.Ticks / TakenTokens.PerWindow;
    private readonly long freeQuota = limit.Quota / FreePart;

    /// <summary>What this replica used or may use, but for what is its own.</summary>
    private readonly TakenTokens own = new();

    /// <summary>What the store is told with the next lease: taken while it was silent, and left of slices.</summary>
    private TakenTokens debts = new();
    private TakenTokens rests = new();

    private long freeWindow;
    private long freeUsed;
    private long sliceSegment;
    private long sliceSize;
    private long sliceLeft;
    private long waiting;
    private long usedSegment;
    private long used;
    private long usedBefore;
    private long emptyUntil;
    private long firstFreed;
    private long knownLeft = limit.Quota;
    private Task? renewal;

    /// <summary>When a token was asked for last, as <see cref="TimeProvider.GetUtcNow"/> has it.</summary>
    public long LastAskedAt { get; private set; }

    /// <summary>Takes one, at once but where a slice has to be waited for.</summary>
    public ValueTask<Taking> TakeAsync(CancellationToken cancel)
    {
        lock (gate)
        {
            return TryTake() is { } taking ? new(taking) : new(WaitAsync(cancel));
        }
    }

    /// <summary>Whether there is none left, as far as that is known here without asking.</summary>
    public Taking Look()
    {
        lock (gate)
        {
            var now = Now();
            var isEmpty = sliceLeft == 0 && knownLeft == 0 && now < firstFreed * segmentTicks;
            return isEmpty && IsFreeUsed(now) ? Empty(now) : Answer(now);
        }
    }

    private async Task<Taking> WaitAsync(CancellationToken cancel)
    {
        for (var waits = 0; waits < Waits; waits++)
        {
            Task lease;
            lock (gate)
            {
                if (TryTake() is { } taking)
                {
                    return taking;
                }

                waiting++;
                lease = renewal ??= RenewAsync();
            }

            try
            {
                await lease.WaitAsync(cancel);
            }
            finally
            {
                lock (gate)
                {
                    waiting--;
                }
            }
        }

        lock (gate)
        {
            return Empty(Now());
        }
    }

    /// <summary>Null: only a lease can tell.</summary>
    private Taking? TryTake()
    {
        var now = Now();
        LastAskedAt = now;
        var segment = now / segmentTicks;
        if (!IsFreeUsed(now))
        {
            freeUsed++;
            return Answer(now);
        }

        Turn(segment);
        if (sliceSegment < segment - 1)
        {
            // A slice is good until the end of the segment after its own.
            GiveBack();
        }

        if (sliceLeft > 0)
        {
            sliceLeft--;
            used++;
            if ((sliceSegment < segment || sliceLeft < sliceSize / RenewedBelow) && emptyUntil <= now)
            {
                RenewByTheWay();
            }

            return Answer(now);
        }

        return emptyUntil > now ? Empty(now)
            : shared.IsSilent ? TakeAlone(segment, now)
            : null;
    }

    private bool IsFreeUsed(long now)
    {
        var window = now / limit.Window.Ticks;
        if (window != freeWindow)
        {
            (freeWindow, freeUsed) = (window, 0);
        }

        return freeUsed >= freeQuota;
    }

    private Taking TakeAlone(long segment, long now)
    {
        own.Forget(segment);
        if (own.Sum >= Math.Max(1, limit.Quota / SilentPart))
        {
            (knownLeft, firstFreed) = (0, own.FirstFreed ?? segment + 1);
            return Empty(now);
        }

        own.Add(segment, 1);
        debts.Add(segment, 1);
        used++;
        return Answer(now);
    }

    private void RenewByTheWay()
    {
        if (renewal is null && !shared.IsSilent)
        {
            renewal = RenewAsync();
        }
    }

    /// <summary>Never fails: who waits for it looks what there is.</summary>
    private async Task RenewAsync()
    {
        // Not on the stack of whoever holds the gate.
        await Task.Yield();
        TakenTokens told;
        TakenTokens given;
        lock (gate)
        {
            (told, debts) = (debts, new TakenTokens());
            (given, rests) = (rests, new TakenTokens());
        }

        long segment = 0;
        long granted = 0;
        long left = 0;
        long freed = 0;
        var isWritten = await shared.LeaseAsync(
            name,
            limit.Window * 2,
            taken =>
            {
                segment = Now() / segmentTicks;
                taken.Add(told);
                taken.GiveBack(given);
                taken.Forget(segment);
                left = limit.Quota - taken.Sum;
                granted = Grant(left);
                taken.Add(segment, granted);
                freed = taken.FirstFreed ?? segment + 1;
                return granted > 0;
            }
        );
        lock (gate)
        {
            renewal = null;
            if (isWritten is null)
            {
                // Told once more rather than never; what was to be given back is lost.
                debts.Add(told);
                return;
            }

            (knownLeft, firstFreed) = (Math.Max(0, left - granted), freed);
            if (isWritten is false)
            {
                debts.Add(told);
                rests.Add(given);
                // What others give back by then is found; a flood asks once in a segment.
                emptyUntil = (segment + 1) * segmentTicks;
                return;
            }

            GiveBack();
            (sliceSegment, sliceSize, sliceLeft) = (segment, granted, granted);
            own.Forget(segment);
            own.Add(segment, granted);
        }
    }

    private long Grant(long left)
    {
        if (left <= 0)
        {
            return 0;
        }

        long wanted;
        lock (gate)
        {
            wanted = Math.Max(waiting, 2 * Math.Max(used, usedBefore));
        }

        var least = Math.Max(1, limit.Quota / SlicesOfQuota);
        return Math.Min(left, Math.Clamp(wanted, least, Math.Max(left / SlicesOfRest, least)));
    }

    private void GiveBack()
    {
        if (sliceLeft > 0)
        {
            own.Add(sliceSegment, -sliceLeft);
            rests.Add(sliceSegment, sliceLeft);
            sliceLeft = 0;
        }
    }

    /// <summary>What was used lately says how much will be wanted.</summary>
    private void Turn(long segment)
    {
        if (segment != usedSegment)
        {
            (usedBefore, used) = (segment == usedSegment + 1 ? used : 0, 0);
            usedSegment = segment;
        }
    }

    private Taking Answer(long now) =>
        new(
            IsTaken: true,
            knownLeft + sliceLeft + (freeQuota - freeUsed),
            TimeSpan.FromTicks(limit.Window.Ticks - (now % limit.Window.Ticks))
        );

    private Taking Empty(long now) =>
        new(IsTaken: false, Left: 0, TimeSpan.FromTicks(Math.Max((firstFreed * segmentTicks) - now, segmentTicks)));

    private long Now() => time.GetUtcNow().Ticks;
}
