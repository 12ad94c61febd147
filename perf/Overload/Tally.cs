namespace LocalPlus.Perf.Overload;

/// <summary>
/// What became of requests that were due at their times. Only answered ones that came within <see cref="InTime"/> are
/// goodput; a refusal is an answer that says that nothing was done.
/// </summary>
internal sealed class Tally
{
    public static readonly TimeSpan InTime = TimeSpan.FromSeconds(1);
    private static readonly string[] Refusals = ["overloaded", "quota_exceeded"];
    private readonly SortedDictionary<string, long> _others = new(StringComparer.Ordinal);

    public Histogram Answered { get; } = new();

    public Histogram Refused { get; } = new();

    public IReadOnlyDictionary<string, long> Others => _others;

    public long Good { get; private set; }

    public long Offered => Answered.Count + Refused.Count + _others.Values.Sum();

    /// <param name="answer">What came back.</param>
    /// <param name="took">From when the request was due.</param>
    /// <param name="waited">From when it was sent: the generator's own lateness is no one's refusal.</param>
    public void Add(WireAnswer answer, TimeSpan took, TimeSpan waited)
    {
        if (answer.Status == 201)
        {
            Answered.Add(took);
            Good += took <= InTime ? 1 : 0;
        }
        else if (Refusals.Contains(answer.Failure))
        {
            Refused.Add(waited);
        }
        else
        {
            _others[answer.Failure] = _others.GetValueOrDefault(answer.Failure) + 1;
        }
    }

    public void Add(Tally other)
    {
        Answered.Add(other.Answered);
        Refused.Add(other.Refused);
        Good += other.Good;
        foreach (var (failure, count) in other._others)
        {
            _others[failure] = _others.GetValueOrDefault(failure) + count;
        }
    }
}
