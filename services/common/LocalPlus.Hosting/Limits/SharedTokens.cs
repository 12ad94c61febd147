using System.Text.Json;
using Dapr;
using Grpc.Core;
using Microsoft.Extensions.Logging;

namespace LocalPlus.Hosting;

/// <summary>
/// Leases for the budgets of one replica, by comparing and setting. While the store is silent nobody waits for it but
/// one in <see cref="Pause"/>.
/// </summary>
internal sealed class SharedTokens(ITokenStore store, TimeProvider time, ILogger<SharedTokens> log)
{
    /// <summary>Adds a lease to what was taken so far; false: there is nothing to write.</summary>
    internal delegate bool Leasing(TakenTokens taken);

    /// <summary>So often others may have been quicker until the store counts as silent.</summary>
    private const int Tries = 8;

    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);
    private long silentAt = long.MinValue;

    public bool IsSilent =>
        Interlocked.Read(ref silentAt) is var at && at != long.MinValue && time.GetElapsedTime(at) < Pause;

    /// <summary>
    /// Has what was taken looked at and changed. Null: the store was silent, and whether the change is written nobody
    /// knows. False: it is not.
    /// </summary>
    public async Task<bool?> LeaseAsync(string budget, TimeSpan life, Leasing lease)
    {
        // Whoever waits has a time of its own; the lease is for all of them.
        RequestDeadline.Forget();
        using var late = new CancellationTokenSource(Patience, time);
        try
        {
            for (var attempt = 0; attempt < Tries; attempt++)
            {
                var (taken, version) = await store.ReadAsync(budget, late.Token);
                if (!lease(taken))
                {
                    return false;
                }

                if (await store.TryWriteAsync(budget, taken, version, life, late.Token))
                {
                    RateLimitMetrics.Leased("leased");
                    return true;
                }
            }

            RateLimitMetrics.Leased("contended");
        }
        catch (Exception failure)
            when (failure is DaprException or RpcException or OperationCanceledException or JsonException)
        {
            RateLimitMetrics.Leased("silent");
            log.LimitsAreLocal(failure);
        }

        Interlocked.Exchange(ref silentAt, time.GetTimestamp());
        return null;
    }
}
