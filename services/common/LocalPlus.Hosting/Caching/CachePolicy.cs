using System.Text.RegularExpressions;

namespace LocalPlus.Hosting;

/// <summary>What is kept of one kind of thing, and for how long. Declared once, beside what reads it.</summary>
/// <param name="Entity">The second part of the key, in snake_case, e.g. balance.</param>
/// <param name="Life">How long a value is given without asking its source; a tenth more at random.</param>
public sealed partial record CachePolicy(string Entity, TimeSpan Life)
{
    /// <summary>Of the value's form: it goes up when a stored value can not be read as before.</summary>
    public int Version { get; init; } = 1;

    /// <summary>
    /// How long after its life a value still stands in for a source that fails or is slow. What an invalidation named
    /// never does. Zero: not at all.
    /// </summary>
    public TimeSpan Spare { get; init; } = TimeSpan.Zero;

    /// <summary>How long it is remembered that there is no such thing.</summary>
    public TimeSpan Absent { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>False: kept in the process alone, such as what says how to reach people.</summary>
    public bool Shared { get; init; } = true;

    /// <summary>
    /// What is so stays so: the shared cache keeps it as long as it may stand in, for replicas that start meanwhile.
    /// </summary>
    public bool IsForGood { get; init; }

    /// <summary>
    /// {service}:{entity}:{id}:v{n}. Throws <see cref="ArgumentException"/> for parts of another form: nobody's id
    /// reaches into another key.
    /// </summary>
    public string Key(ServiceIdentity service, string id)
    {
        if (!Name().IsMatch(Entity) || !Id().IsMatch(id))
        {
            throw new ArgumentException($"{Entity} and {id} make no key of a cache.", nameof(id));
        }

        return $"{service.Name}:{Entity}:{id}:v{Version}";
    }

    [GeneratedRegex("^[a-z][a-z_]{0,39}$")]
    private static partial Regex Name();

    [GeneratedRegex(@"^[A-Za-z0-9_.\-]{1,120}$")]
    private static partial Regex Id();
}

/// <summary>A value with the version of what it was made from.</summary>
/// <param name="Version">Counts up with each change; 0 for what never changes.</param>
public sealed record Cached<T>(T Value, long Version);
