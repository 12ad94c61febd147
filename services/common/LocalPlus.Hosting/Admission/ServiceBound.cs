namespace LocalPlus.Hosting;

/// <summary>
/// How many requests may be under way, learned from how long they take (ADR 0020). While nine of ten are answered
/// within <see cref="AdmissionLimits.ServiceTime"/> the bound grows by its square root a window, and twofold below half
/// of where it last held; when they take longer, and half of the bound was in use, it falls in proportion. An answer
/// that failed because nothing behind this service said anything takes its place with it, at once. Whoever uses it
/// locks.
/// </summary>
internal sealed class ServiceBound(TimeProvider time)
{
    private readonly double[] seconds = new double[AdmissionLimits.Samples];
    private long windowAt = time.GetTimestamp();
    private TimeSpan window = AdmissionLimits.Window;
    private int answers;
    private int most;
    private bool wasFull;
    private bool isSilent;
    private double bound = AdmissionLimits.UnderWayMost;
    private double held = AdmissionLimits.UnderWayMost;

    public int Current => (int)bound;

    /// <summary>Answers per second of the last window in which more would have come; 0: not known.</summary>
    public double PerSecond { get; private set; }

    /// <summary>Somebody was not let in: more would have come.</summary>
    public void Full() => wasFull = true;

    /// <summary>A request was answered, by itself or with what it asked for. True: the bound was looked at.</summary>
    /// <param name="took">Until the first byte of the answer.</param>
    /// <param name="underWay">How many were, this one too.</param>
    public bool Answered(TimeSpan took, int underWay)
    {
        most = Math.Max(most, underWay);
        seconds[answers++ % seconds.Length] = took.TotalSeconds;
        isSilent = false;
        var elapsed = time.GetElapsedTime(windowAt);
        var enough = answers >= Math.Min(AdmissionLimits.LeastAnswers, bound);
        if (elapsed < window || (!enough && elapsed < AdmissionLimits.LongestWindow))
        {
            return false;
        }

        Look(elapsed);
        return true;
    }

    /// <summary>A request failed for what is behind this service.</summary>
    public void Unanswered()
    {
        if (!isSilent)
        {
            (isSilent, held) = (true, bound);
        }

        bound = Math.Max(1, bound - 1);
    }

    private void Look(TimeSpan elapsed)
    {
        var counted = seconds.AsSpan(0, Math.Min(answers, seconds.Length));
        counted.Sort();
        var slow = counted[(counted.Length * 9 / 10)];
        var wanted = AdmissionLimits.ServiceTime.TotalSeconds;
        // Few that take long say nothing of many.
        if (slow > wanted && most >= bound / 2)
        {
            var fallen = bound * Math.Max(AdmissionLimits.SteepestFall, wanted / slow);
            bound = Math.Max(Math.Min(bound, AdmissionLimits.UnderWayLeast), fallen);
            held = bound;
        }
        else if (slow <= wanted)
        {
            bound += bound < held / 2 ? bound : Math.Sqrt(bound);
            bound = Math.Min(bound, AdmissionLimits.UnderWayMost);
        }

        PerSecond = wasFull ? answers / elapsed.TotalSeconds : 0;
        window = TimeSpan.FromSeconds(
            Math.Clamp(slow, AdmissionLimits.Window.TotalSeconds, AdmissionLimits.LongestWindow.TotalSeconds)
        );
        (windowAt, answers, most, wasFull) = (time.GetTimestamp(), 0, 0, false);
    }
}
