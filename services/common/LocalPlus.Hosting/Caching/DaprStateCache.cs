using System.Globalization;
using Dapr.Client;
using Microsoft.Extensions.Caching.Distributed;

namespace LocalPlus.Hosting;

/// <summary>
/// The Dapr state component <c>cachestore</c> as the shared cache. Whoever asks waits <see cref="Patience"/> at the
/// most; what fails is an exception, after which nobody is sent here for a while (<see cref="Caches"/>).
/// </summary>
internal sealed class DaprStateCache(DaprClient dapr, TimeProvider time) : IDistributedCache
{
    public static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(250);
    private const string Store = "cachestore";

    public Task<byte[]?> GetAsync(string key, CancellationToken token = default) =>
        CallAsync(
            "get",
            async cancel =>
                await dapr.GetByteStateAsync(Store, key, cancellationToken: cancel) is { Length: > 0 } found
                    ? found.ToArray()
                    : null,
            token
        );

    public Task SetAsync(
        string key,
        byte[] value,
        DistributedCacheEntryOptions options,
        CancellationToken token = default
    ) =>
        CallAsync(
            "set",
            async cancel =>
            {
                await dapr.SaveByteStateAsync(Store, key, value, metadata: Ttl(options), cancellationToken: cancel);
                return true;
            },
            token
        );

    public Task RemoveAsync(string key, CancellationToken token = default) =>
        CallAsync(
            "remove",
            async cancel =>
            {
                await dapr.DeleteStateAsync(Store, key, cancellationToken: cancel);
                return true;
            },
            token
        );

    /// <summary>Entries have no sliding life.</summary>
    public Task RefreshAsync(string key, CancellationToken token = default) => Task.CompletedTask;

    public byte[]? Get(string key) => throw Blocking();

    public void Set(string key, byte[] value, DistributedCacheEntryOptions options) => throw Blocking();

    public void Remove(string key) => throw Blocking();

    public void Refresh(string key) => throw Blocking();

    private static NotSupportedException Blocking() => new("Nothing here waits on a thread.");

    private Dictionary<string, string> Ttl(DistributedCacheEntryOptions options)
    {
        var left =
            options.AbsoluteExpirationRelativeToNow
            ?? options.AbsoluteExpiration - time.GetUtcNow()
            ?? throw new ArgumentException("What is kept has an end.", nameof(options));
        var seconds = Math.Max(1, (long)Math.Ceiling(left.TotalSeconds));
        return new() { ["ttlInSeconds"] = seconds.ToString(CultureInfo.InvariantCulture) };
    }

    private async Task<T> CallAsync<T>(
        string operation,
        Func<CancellationToken, Task<T>> call,
        CancellationToken cancel
    )
    {
        using var late = new CancellationTokenSource(Patience, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancel, late.Token);
        var began = time.GetTimestamp();
        try
        {
            return await call(either.Token).WaitAsync(either.Token);
        }
        catch (Exception) when (!cancel.IsCancellationRequested)
        {
            CacheMetrics.Failed("store");
            // Not a cancellation: that would be taken for the caller's.
            if (late.IsCancellationRequested)
            {
                throw new TimeoutException($"{Store} did not answer within {Patience.TotalMilliseconds:0} ms.");
            }

            throw;
        }
        finally
        {
            CacheMetrics.Took(operation, time.GetElapsedTime(began));
        }
    }
}
