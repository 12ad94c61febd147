using System.Diagnostics;
using System.Text.Json;
using LocalPlus.Kernel;

namespace LocalPlus.Hosting;

/// <summary>
/// What travels in a CloudEvent's data, the same for every topic. Consumers order by sequence within a key.
/// </summary>
/// <param name="Id">Also the CloudEvent's id; what an inbox remembers.</param>
/// <param name="Key">The aggregate's id.</param>
/// <param name="Sequence">The aggregate's version after the change.</param>
public sealed record EventEnvelope<T>(
    EventId Id,
    string Type,
    string Key,
    long Sequence,
    MerchantId? MerchantId,
    DateTimeOffset OccurredAt,
    T Data
);

/// <summary>
/// An event on its way into the outbox, for writers of many; as
/// <see cref="DbSession.PublishAsync(string, string, string, long, MerchantId?, object)"/> takes it.
/// </summary>
/// <param name="Traceparent">The trace of its cause.</param>
public sealed record OutboxEvent(
    string Type,
    string Key,
    long Sequence,
    MerchantId? MerchantId,
    object Data,
    string? Traceparent
);

/// <summary>The outbox's statements, for <see cref="DbSession"/> and for writers of many rows at once.</summary>
public static class Outbox
{
    internal static object Row(
        string topic,
        string type,
        string key,
        long sequence,
        MerchantId? merchantId,
        object data,
        TimeProvider time
    )
    {
        var now = time.GetUtcNow();
        return new
        {
            EventId = Guid.CreateVersion7(now),
            topic,
            type,
            key,
            sequence,
            MerchantId = merchantId?.Value,
            Data = JsonSerializer.Serialize(data, StrictJson.Options),
            Traceparent = Activity.Current?.Id,
            OccurredAt = now,
        };
    }

    internal static object Rows(string topic, IReadOnlyList<OutboxEvent> events, DateTimeOffset occurredAt) =>
        new
        {
            topic,
            OccurredAt = occurredAt,
            EventIds = events.Select(_ => Guid.CreateVersion7(occurredAt)).ToArray(),
            Types = events.Select(e => e.Type).ToArray(),
            Keys = events.Select(e => e.Key).ToArray(),
            Sequences = events.Select(e => e.Sequence).ToArray(),
            MerchantIds = events.Select(e => e.MerchantId?.Value).ToArray(),
            Data = events.Select(e => JsonSerializer.Serialize(e.Data, StrictJson.Options)).ToArray(),
            Traceparents = events.Select(e => e.Traceparent).ToArray(),
        };

    internal static class Sql
    {
        public const string AddMany = """
            INSERT INTO outbox_events (event_id, type, key, sequence, merchant_id, data, traceparent, topic,
                   occurred_at)
            SELECT *, @Topic, @OccurredAt
              FROM unnest(@EventIds, @Types, @Keys, @Sequences, @MerchantIds, @Data::jsonb[], @Traceparents)
            """;

        public const string Add = """
            INSERT INTO outbox_events (event_id, topic, type, key, sequence, merchant_id, data, traceparent,
                   occurred_at)
            VALUES (@EventId, @Topic, @Type, @Key, @Sequence, @MerchantId, @Data::jsonb, @Traceparent, @OccurredAt)
            """;

        public const string Next = """
            SELECT id, event_id, topic, type, key, sequence, merchant_id, data::text AS data, traceparent, occurred_at
              FROM outbox_events
             WHERE topic <> ALL(@PassedOver)
             ORDER BY id
             LIMIT @Limit
            """;

        public const string Delete = "DELETE FROM outbox_events WHERE id = ANY(@Ids)";
    }
}

/// <summary>
/// Wakes the relay after a commit. A doorbell only: a ring that is lost costs the relay's
/// <see cref="OutboxRelay.IdlePoll"/>.
/// </summary>
public sealed class OutboxSignal : IDisposable
{
    private readonly SemaphoreSlim bell = new(0, 1);

    /// <summary>There are events; any number of rings before the relay looks count as one.</summary>
    public void Ring()
    {
        try
        {
            bell.Release();
        }
        catch (SemaphoreFullException)
        {
            // It rings already.
        }
    }

    public void Dispose() => bell.Dispose();

    internal Task<bool> WaitAsync(TimeSpan timeout, CancellationToken cancel) => bell.WaitAsync(timeout, cancel);
}
