namespace LocalPlus.Hosting;

/// <summary>
/// What was taken out of a budget, by the segment of time in which it was taken. A window is
/// <see cref="PerWindow"/> segments. What is taken in one may be used until the end of the next, and clocks of replicas
/// may be a segment apart; so the budget holds for <see cref="Covered"/> segments in a row, and with that for any
/// window.
/// </summary>
internal sealed class TakenTokens(IDictionary<long, long> bySegment)
{
    public const int PerWindow = 60;
    public const int Covered = PerWindow + 3;
    private readonly SortedDictionary<long, long> taken = new(bySegment);

    public TakenTokens()
        : this(new Dictionary<long, long>()) { }

    public IReadOnlyDictionary<long, long> BySegment => taken;

    /// <summary>All that counts; whoever's clock is ahead has taken too.</summary>
    public long Sum => taken.Values.Sum();

    /// <summary>When the oldest that counts does not count any more.</summary>
    public long? FirstFreed => taken.Count > 0 ? taken.First().Key + Covered : null;

    /// <summary>Adds to a segment, or with a negative number gives back; never below nothing.</summary>
    public void Add(long segment, long tokens)
    {
        var sum = taken.GetValueOrDefault(segment) + tokens;
        if (sum > 0)
        {
            taken[segment] = sum;
        }
        else
        {
            taken.Remove(segment);
        }
    }

    public void Add(TakenTokens other)
    {
        foreach (var (segment, tokens) in other.taken)
        {
            Add(segment, tokens);
        }
    }

    public void GiveBack(TakenTokens rests)
    {
        foreach (var (segment, tokens) in rests.taken)
        {
            Add(segment, -tokens);
        }
    }

    /// <summary>Leaves what counts for somebody who takes in this segment.</summary>
    public void Forget(long segment)
    {
        while (taken.Count > 0 && taken.First().Key <= segment - Covered)
        {
            taken.Remove(taken.First().Key);
        }
    }
}
