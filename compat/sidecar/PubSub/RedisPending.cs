using LocalPlus.Sidecar.Runtime;
using LocalPlus.Sidecar.Valkey;

namespace LocalPlus.Sidecar.PubSub;

/// <summary>
/// Looks after pending entries: those of a consumer that died are claimed once they have been idle for
/// processingTimeout, those that this sidecar still works on are kept fresh so that no other sidecar of the application
/// claims them.
/// </summary>
internal sealed class RedisPending(RedisPubSub owner, ValkeyClient client, ILogger log) : IDisposable
{
    private static readonly TimeSpan ShortestTick = TimeSpan.FromMilliseconds(100);
    private readonly SemaphoreSlim wake = new(0);

    /// <summary>Looks at once: a subscription has just begun.</summary>
    public void Wake() => wake.Release();

    public void Dispose() => wake.Dispose();

    public async Task RunAsync(CancellationToken cancel)
    {
        if (owner.ProcessingTimeout <= TimeSpan.Zero || owner.RedeliverInterval <= TimeSpan.Zero)
        {
            return;
        }
        var tick = TimeSpan.FromTicks(
            Math.Max(ShortestTick.Ticks, Math.Min(owner.RedeliverInterval.Ticks, owner.ProcessingTimeout.Ticks / 3))
        );
        var nextClaim = Environment.TickCount64;
        try
        {
            while (true)
            {
                if (await wake.WaitAsync(tick, cancel))
                {
                    nextClaim = Environment.TickCount64;
                }
                var claims = Environment.TickCount64 >= nextClaim;
                if (claims)
                {
                    nextClaim = Environment.TickCount64 + (long)owner.RedeliverInterval.TotalMilliseconds;
                }
                foreach (var topic in owner.Topics)
                {
                    await LookAfterAsync(topic, claims && topic.Current is not null, cancel);
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The component is closing.
        }
    }

    private async Task LookAfterAsync(RedisTopic topic, bool claims, CancellationToken cancel)
    {
        try
        {
            var held = topic.HeldFor(owner.ProcessingTimeout / 3);
            if (held.Count > 0)
            {
                await client.ExecuteAsync([
                    "XCLAIM",
                    topic.Name,
                    owner.Group,
                    owner.Group,
                    0,
                    .. held.Select(id => (RespArg)id),
                    "JUSTID",
                ]);
            }
            if (claims)
            {
                await ClaimAsync(topic, cancel);
            }
        }
        catch (ValkeyException problem)
        {
            log.ClaimFailed(topic.Name, problem.Message);
        }
    }

    private async Task ClaimAsync(RedisTopic topic, CancellationToken cancel)
    {
        var idle = (long)owner.ProcessingTimeout.TotalMilliseconds;
        for (var from = "-"; ; )
        {
            var page = (
                await client.ExecuteAsync(
                    "XPENDING",
                    topic.Name,
                    owner.Group,
                    "IDLE",
                    idle,
                    from,
                    "+",
                    owner.QueueDepth
                )
            ).Items;
            var ids = page.Select(e => e.Items[0].Text).Where(id => !topic.Holds(id)).ToList();
            if (ids.Count > 0)
            {
                var claimed = (
                    await client.ExecuteAsync([
                        "XCLAIM",
                        topic.Name,
                        owner.Group,
                        owner.Group,
                        idle,
                        .. ids.Select(id => (RespArg)id),
                    ])
                ).Items;
                await owner.EnqueueAsync(topic, claimed, cancel);
                await ForgetTrimmedAsync(topic, ids, claimed);
            }
            if (page.Length < owner.QueueDepth)
            {
                return;
            }
            from = "(" + page[^1].Items[0].Text;
        }
    }

    /// <summary>Entries that the stream no longer has are only taken off the pending list.</summary>
    private async Task ForgetTrimmedAsync(RedisTopic topic, List<string> wanted, RespValue[] claimed)
    {
        var there = claimed
            .Where(m => m.Items.Length == 2)
            .Select(m => m.Items[0].Text)
            .ToHashSet(StringComparer.Ordinal);
        var missing = wanted.Where(id => !there.Contains(id)).ToList();
        foreach (var id in missing)
        {
            // Another sidecar may have claimed it a moment ago; then it exists and is left alone.
            var entry = await client.ExecuteAsync("XRANGE", topic.Name, id, id);
            if (entry.Items.Length == 0)
            {
                await client.ExecuteAsync("XACK", topic.Name, owner.Group, id);
            }
        }
    }
}
