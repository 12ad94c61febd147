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

    /// <summary>
    /// What is kept is what lets an event in once: what is kept already gets no further, and a topic of many events
    /// needs no row of the inbox beside it.
    /// </summary>
    public void MapEvents<T>(
        string topic,
        Func<IReadOnlyList<EventEnvelope<T>>, DbSession, IServiceProvider, Task> handler,
        Repeats repeats = Repeats.AreHarmless
    ) =>
        events.MapEvents<JsonElement>(
            topic,
            async (batch, db, services) =>
            {
                var kept = (await KeptEvents.KeepAsync(db, topic, batch)).ToHashSet();
                if (kept.Count > 0)
                {
                    await handler([.. batch.Where(e => kept.Remove(e.Id.Value)).Select(Typed<T>)], db, services);
                }
            },
            repeats
        );

    /// <summary>Of a topic of few events, whose inbox also says when each was taken.</summary>
    public void MapEvent<T>(string topic, Func<EventEnvelope<T>, DbSession, IServiceProvider, Task> handler) =>
        MapEvents<T>(
            topic,
            async (batch, db, services) =>
            {
                foreach (var envelope in batch)
                {
                    await handler(envelope, db, services);
                }
            },
            Repeats.StopAtInbox
        );

    private static EventEnvelope<T> Typed<T>(EventEnvelope<JsonElement> e) =>
        new(e.Id, e.Type, e.Key, e.Sequence, e.MerchantId, e.OccurredAt, e.Data.Deserialize<T>(Complete)!);
}
