namespace LocalPlus.Hosting;

/// <summary>How often a task that fails is tried again, and how long it rests before. Pure.</summary>
/// <param name="Tries">In all, the first one included; then it is a dead letter.</param>
public sealed record TaskRetry(int Tries, TimeSpan First, int Factor, TimeSpan Longest)
{
    /// <summary>For what leans on others: 1 s, doubled up to an hour, 20 tries in some ten hours.</summary>
    public static readonly TaskRetry Exponential = new(20, TimeSpan.FromSeconds(1), 2, TimeSpan.FromHours(1));

    /// <summary>For what leans on the database alone: each 30 s, five times more.</summary>
    public static readonly TaskRetry Fixed = new(6, TimeSpan.FromSeconds(30), 1, TimeSpan.FromSeconds(30));

    /// <summary>For what must not happen twice of itself.</summary>
    public static readonly TaskRetry None = new(1, TimeSpan.Zero, 1, TimeSpan.Zero);

    /// <summary>The rest after a try that failed; null when it was the last one.</summary>
    /// <param name="attempt">1 for the first try.</param>
    public TimeSpan? After(int attempt)
    {
        if (attempt >= Tries)
        {
            return null;
        }

        var rest = First;
        for (var i = 1; i < attempt && rest < Longest; i++)
        {
            rest *= Factor;
        }

        return rest < Longest ? rest : Longest;
    }
}
