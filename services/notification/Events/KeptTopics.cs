using System.Text.Json;
using LocalPlus.Hosting;

namespace LocalPlus.Notification.Events;

/// <summary>
/// The topics of which merchants are told: what one brings is kept for the merchants whose it is, in the transaction of
/// its delivery and before anything else is made of it.
/// </summary>
internal sealed class KeptTopics(IEndpointRouteBuilder events)
{
    /// <summary>What a handler's data declares without a default has to be there.</summary>
    private static readonly JsonSerializerOptions Complete = new(StrictJson.Lenient)
    {
        RespectRequiredConstructorParameters = true,
    };

    /// <summary>A topic that nothing else is made of. An event that comes again is there already.</summary>
    public void MapEvents(string topic) =>
        events.MapEvents<JsonElement>(
            topic,
            (batch, db, _) => KeptEvents.KeepAsync(db, topic, batch),
            Repeats.AreHarmless
        );

    public void MapEvents<T>(
        string topic,
        Func<IReadOnlyList<EventEnvelope<T>>, DbSession, IServiceProvider, Task> handler
    ) =>
        events.MapEvents<JsonElement>(
            topic,
            async (batch, db, services) =>
            {
                await KeptEvents.KeepAsync(db, topic, batch);
                await handler([.. batch.Select(Typed<T>)], db, services);
            }
        );

    public void MapEvent<T>(string topic, Func<EventEnvelope<T>, DbSession, IServiceProvider, Task> handler) =>
        MapEvents<T>(
            topic,
            async (batch, db, services) =>
            {
                foreach (var envelope in batch)
                {
                    await handler(envelope, db, services);
                }
            }
        );

    private static EventEnvelope<T> Typed<T>(EventEnvelope<JsonElement> e) =>
        new(e.Id, e.Type, e.Key, e.Sequence, e.MerchantId, e.OccurredAt, e.Data.Deserialize<T>(Complete)!);
}
