using System.Collections.Concurrent;

namespace LocalPlus.Hosting;

/// <summary>
/// What merchant said of keys, bounded. Good keys and refused ones are kept apart, so that strangers with any number of
/// keys
/// of their own making push out nobody but each other.
/// </summary>
internal sealed class KnownKeys(TimeProvider time)
{
    public const int MaxKeys = 10_000;
    private readonly ConcurrentDictionary<string, Known> good = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, Known> refused = new(StringComparer.Ordinal);

    /// <summary>What merchant said last, however long ago.</summary>
    public Known? Find(string key) => good.GetValueOrDefault(key) ?? refused.GetValueOrDefault(key);

    public TimeSpan Age(Known known) => time.GetElapsedTime(known.At);

    /// <param name="askedAt">When merchant was asked, some time ago if another replica did.</param>
    public Known Add(string key, KeyVerdict? verdict, DateTimeOffset askedAt)
    {
        var identity = verdict?.ToIdentity();
        var ago = time.GetUtcNow() - askedAt;
        var known = new Known(
            identity,
            time.GetTimestamp() - (long)(ago.TotalSeconds * time.TimestampFrequency),
            askedAt
        )
        {
            WrittenAt = good.GetValueOrDefault(key)?.WrittenAt,
        };
        var (to, from) = identity is null ? (refused, good) : (good, refused);
        from.TryRemove(key, out _);
        if (to.Count >= MaxKeys && !to.ContainsKey(key))
        {
            MakeRoom(to);
        }

        return to[key] = known;
    }

    /// <summary>
    /// The older half goes: of good keys those that no till has used lately, as each use renews its key.
    /// </summary>
    private static void MakeRoom(ConcurrentDictionary<string, Known> keys)
    {
        foreach (var (key, _) in keys.OrderBy(entry => entry.Value.At).Take(MaxKeys / 2))
        {
            keys.TryRemove(key, out _);
        }
    }

    /// <param name="Identity">Null: the key is refused.</param>
    /// <param name="At">When merchant was asked, as <see cref="TimeProvider.GetTimestamp"/> tells it.</param>
    /// <param name="AskedAt">The same by the clock.</param>
    internal sealed record Known(MerchantIdentity? Identity, long At, DateTimeOffset AskedAt)
    {
        /// <summary>When this replica last wrote it down for the others.</summary>
        public DateTimeOffset? WrittenAt { get; set; }
    }
}
