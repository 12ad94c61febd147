using System.Collections.Concurrent;
using Dapr.Client;
using Microsoft.Extensions.Caching.Memory;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;
using ZiggyCreatures.Caching.Fusion;
using ZiggyCreatures.Caching.Fusion.Backplane;
using ZiggyCreatures.Caching.Fusion.Serialization.SystemTextJson;

namespace LocalPlus.Hosting;

/// <summary>
/// What this service remembers of things that are slow to read: in process, then in a cache that its replicas share,
/// then at the source, which is asked by one caller at a time. An invalidation names the least version that is still
/// good, so a reader that began before it brings nothing old back. No cache decides about money, and none is needed:
/// while the shared one is silent the source is asked (ADR 0050).
/// </summary>
public sealed class Caches : IDisposable
{
    /// <summary>Of all values in process, in bytes.</summary>
    public const long MaxBytes = 100 * 1024 * 1024;

    /// <summary>"off" asks the source each time, for whoever wants to know what caches are worth.</summary>
    public const string Switch = "LP_CACHES";

    /// <summary>No policy keeps anything for longer.</summary>
    public static readonly TimeSpan LongestLife = TimeSpan.FromHours(24);

    /// <summary>So long nobody is sent to a shared cache that has failed.</summary>
    internal static readonly TimeSpan StorePause = TimeSpan.FromSeconds(2);

    /// <summary>An old value that stands in is given when the source has taken that long.</summary>
    internal static readonly TimeSpan SourcePatience = TimeSpan.FromMilliseconds(500);

    private const int JitterShare = 10;

    /// <summary>So often a caller joins others that ask the source, before it asks alone.</summary>
    private const int SharedTries = 3;

    private static readonly TimeSpan Throttle = TimeSpan.FromSeconds(5);

    /// <summary>In the process alone.</summary>
    private static readonly FusionCacheEntryOptions Here = new()
    {
        SkipDistributedCacheRead = true,
        SkipDistributedCacheWrite = true,
        SkipBackplaneNotifications = true,
    };

    /// <summary>In the shared cache alone, and nobody waits for it.</summary>
    private static readonly FusionCacheEntryOptions There = new()
    {
        SkipMemoryCacheRead = true,
        SkipMemoryCacheWrite = true,
        SkipBackplaneNotifications = true,
        AllowBackgroundDistributedCacheOperations = true,
        ReThrowDistributedCacheExceptions = false,
    };

    private readonly ServiceIdentity service;
    private readonly MemoryCache memory;
    private readonly DaprBackplane backplane;
    private readonly FusionCache fusion;
    private readonly CacheFloors floors;
    private readonly ConcurrentDictionary<string, Lazy<Task<CacheEntry>>> refreshing = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<CachePolicy, FusionCacheEntryOptions> options = new();
    private readonly bool isOff;

    internal Caches(
        DaprClient dapr,
        ServiceIdentity service,
        IConfiguration configuration,
        TimeProvider time,
        ILogger log,
        long maxBytes = MaxBytes
    )
    {
        this.service = service;
        isOff = string.Equals(configuration[Switch], "off", StringComparison.Ordinal);
        floors = new(time);
        memory = new MemoryCache(new MemoryCacheOptions { SizeLimit = maxBytes, TrackStatistics = true });
        backplane = new DaprBackplane(dapr, CacheDoor.TopicOf(service), floors);
        fusion = new FusionCache(Settings(service), memory);
        fusion.SetupDistributedCache(
            new DaprStateCache(dapr, time),
            new FusionCacheSystemTextJsonSerializer(StrictJson.Lenient)
        );
        fusion.SetupBackplane(backplane);
        fusion.Events.Memory.Eviction += (_, gone) =>
        {
            if (gone.Reason == EvictionReason.Capacity)
            {
                CacheMetrics.Evicted();
            }
        };
        fusion.Events.FailSafeActivate += (_, old) => CacheMetrics.StoodIn(old.Key.Split(':')[1]);
        fusion.Events.Distributed.CircuitBreakerChange += (_, state) =>
        {
            if (state.IsClosed)
            {
                log.CachesAreShared();
            }
            else
            {
                log.CachesAreLocal();
            }
        };
        CacheMetrics.Watch(this);
    }

    /// <summary>What the values in process come to.</summary>
    public long Bytes => memory.GetCurrentStatistics()?.CurrentEstimatedSize ?? 0;

    /// <summary>
    /// The thing with that id, or null where there is none. Throws what <paramref name="read"/> throws when there is no
    /// value that may stand in.
    /// </summary>
    /// <param name="read">
    /// Asks the source, on behalf of all who wait for it: it may not depend on who asks beyond the id.
    /// </param>
    public async Task<Cached<T>?> GetAsync<T>(
        CachePolicy policy,
        string id,
        Func<CancellationToken, Task<Cached<T>?>> read,
        CancellationToken cancel
    )
    {
        // What is read is for whoever asks next too.
        using var shared = RowSecurity.ForAll();
        if (isOff)
        {
            return await read(cancel);
        }

        var key = policy.Key(service, id);
        var outcome = CacheMetrics.Hit;
        var entry = await fusion.GetOrSetAsync<CacheEntry>(
            key,
            async (context, token) =>
            {
                outcome = CacheMetrics.Miss;
                var fresh = await AskAsync(read, token);
                Adapt(context, policy, fresh, isOld: fresh.Version < floors.Of(key).Version);
                return fresh;
            },
            options: OptionsOf(policy),
            token: cancel
        );
        if (IsGood(key, entry, out Cached<T>? value))
        {
            CacheMetrics.Answered(policy.Entity, outcome);
            return value;
        }

        CacheMetrics.Answered(policy.Entity, CacheMetrics.Miss);
        for (var attempt = 0; attempt < SharedTries; attempt++)
        {
            // One that somebody began before the last change may come back with what was before it.
            if (IsGood(key, await RefreshAsync(key, policy, read).WaitAsync(cancel), out value))
            {
                return value;
            }
        }

        return await read(cancel);
    }

    /// <summary>
    /// From now on no value older than that version is given: here at once, elsewhere as soon as the news is there.
    /// Never fails: what can not be told ends with its life.
    /// </summary>
    public async Task InvalidateAsync(CachePolicy policy, string id, long version)
    {
        if (isOff)
        {
            return;
        }

        var key = policy.Key(service, id);
        if (floors.Of(key).Version >= version)
        {
            // Told before, and the cache repeats by itself what it could not do then.
            return;
        }

        floors.Raise(key, version, policy.Life + policy.Life / JitterShare);
        CacheMetrics.Invalidated(policy.Entity);
        // Side by side: neighbours are told even while the shared cache does not answer.
        await Task.WhenAll(
            fusion.RemoveAsync(key, DropHere(policy)).AsTask(),
            policy.Shared ? fusion.RemoveAsync(key, DropShared(policy)).AsTask() : Task.CompletedTask
        );
    }

    /// <summary>As the other, once the transaction is committed and never without; nobody waits for it.</summary>
    public void InvalidateWith(DbSession db, CachePolicy policy, string id, long version) =>
        db.OnCommit(() => _ = InvalidateAsync(policy, id, version));

    public void Dispose()
    {
        fusion.Dispose();
        memory.Dispose();
    }

    /// <summary>A neighbour has dropped something.</summary>
    internal async Task HearAsync(BackplaneMessage message, long version, TimeSpan life)
    {
        if (message.CacheKey is not { } key || version <= 0)
        {
            await backplane.TakeAsync(message);
            return;
        }

        floors.Raise(key, version, life);
        var known = await fusion.TryGetAsync<CacheEntry>(key, Here);
        await backplane.TakeAsync(message);
        if (known.HasValue && known.Value.Version < version)
        {
            // It was perhaps this replica that wrote it, and after the neighbour had dropped it.
            await fusion.RemoveAsync(key, There);
        }
    }

    private bool IsGood<T>(string key, CacheEntry entry, out Cached<T>? value)
    {
        value = null;
        // That there is none has no version: it is remembered for moments only.
        return (entry.Json is null || entry.Version >= floors.Of(key).Version) && entry.TryRead(out value);
    }

    private static async Task<CacheEntry> AskAsync<T>(
        Func<CancellationToken, Task<Cached<T>?>> read,
        CancellationToken cancel
    )
    {
        // Whoever waits has a time of its own; the answer is for all of them.
        RequestDeadline.Forget();
        return CacheEntry.Of(await read(cancel));
    }

    /// <summary>What turned up is older than it may be, or can not be read: one asks the source for all.</summary>
    private Task<CacheEntry> RefreshAsync<T>(
        string key,
        CachePolicy policy,
        Func<CancellationToken, Task<Cached<T>?>> read
    ) =>
        refreshing
            .GetOrAdd(
                key,
                k => new Lazy<Task<CacheEntry>>(async () =>
                {
                    try
                    {
                        var fresh = await AskAsync(read, CancellationToken.None);
                        if (fresh.Json is null || fresh.Version >= floors.Of(k).Version)
                        {
                            var kept = OptionsOf(policy).Duplicate(fresh.Json is null ? policy.Absent : policy.Life);
                            await fusion.SetAsync(k, fresh, kept.SetSize(fresh.Size));
                        }

                        return fresh;
                    }
                    finally
                    {
                        refreshing.TryRemove(k, out _);
                    }
                })
            )
            .Value;

    private static void Adapt(
        FusionCacheFactoryExecutionContext<CacheEntry> context,
        CachePolicy policy,
        CacheEntry fresh,
        bool isOld
    )
    {
        context.Options.Size = fresh.Size;
        if (fresh.Json is null)
        {
            context.Options.Duration = policy.Absent;
            context.Options.IsFailSafeEnabled = false;
        }
        else if (isOld)
        {
            // Read before a change that has been told meanwhile: nobody is to find it.
            context.Options.SkipMemoryCacheWrite = true;
            context.Options.SkipDistributedCacheWrite = true;
        }
    }

    private FusionCacheEntryOptions OptionsOf(CachePolicy policy) =>
        options.GetOrAdd(
            policy,
            p => new FusionCacheEntryOptions(p.Life)
            {
                JitterMaxDuration = p.Life / JitterShare,
                IsFailSafeEnabled = p.Spare > TimeSpan.Zero,
                FailSafeMaxDuration = p.Life + p.Spare,
                FailSafeThrottleDuration = Throttle,
                // The shared cache has nothing that is over, if it can change.
                DistributedCacheFailSafeMaxDuration = p.IsForGood ? p.Life + p.Spare : p.Life,
                FactorySoftTimeout = p.Spare > TimeSpan.Zero ? SourcePatience : Timeout.InfiniteTimeSpan,
                SkipDistributedCacheRead = !p.Shared,
                SkipDistributedCacheWrite = !p.Shared,
                AllowBackgroundDistributedCacheOperations = true,
                AllowBackgroundBackplaneOperations = true,
                // What is read is the source's: nobody has to hear of it.
                SkipBackplaneNotifications = true,
                ReThrowSerializationExceptions = false,
                ReThrowDistributedCacheExceptions = false,
                ReThrowBackplaneExceptions = false,
                Size = 1,
            }
        );

    private FusionCacheEntryOptions DropHere(CachePolicy policy)
    {
        var drop = OptionsOf(policy).Duplicate();
        drop.SkipDistributedCacheRead = true;
        drop.SkipDistributedCacheWrite = true;
        drop.SkipBackplaneNotifications = false;
        drop.AllowBackgroundBackplaneOperations = false;
        return drop;
    }

    private FusionCacheEntryOptions DropShared(CachePolicy policy)
    {
        var drop = OptionsOf(policy).Duplicate();
        drop.SkipMemoryCacheWrite = true;
        drop.AllowBackgroundDistributedCacheOperations = false;
        return drop;
    }

    private static FusionCacheOptions Settings(ServiceIdentity service) =>
        new()
        {
            CacheName = service.Name,
            DisableTagging = true,
            DistributedCacheKeyModifierMode = CacheKeyModifierMode.None,
            DistributedCacheCircuitBreakerDuration = StorePause,
            BackplaneCircuitBreakerDuration = StorePause,
            EnableAutoRecovery = true,
            AutoRecoveryDelay = StorePause,
            AutoRecoveryMaxItems = 10_000,
            WaitForInitialBackplaneSubscribe = true,
        };
}
