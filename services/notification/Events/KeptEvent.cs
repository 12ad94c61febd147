using System.Text.Json;
using EventId = LocalPlus.Kernel.EventId;

namespace LocalPlus.Notification.Events;

/// <summary>
/// An event as merchants get it, from GET /v1/events and from webhooks alike: a CloudEvent 1.0 in JSON.
/// </summary>
/// <param name="Source">The service that tells it.</param>
/// <param name="Subject">The object that it happened to.</param>
/// <param name="Dataschema">Where the form of data is written down.</param>
/// <param name="Sequence">Counts up with each change of the object; what comes late is told by it.</param>
internal sealed record MerchantEvent(
    string Specversion,
    EventId Id,
    string Source,
    string Type,
    string Subject,
    DateTimeOffset Time,
    string Datacontenttype,
    string Dataschema,
    long Sequence,
    JsonElement Data
);

/// <summary>A row of merchant_events.</summary>
internal sealed record KeptEventRow(
    EventId EventId,
    long Position,
    string Topic,
    string Type,
    string Key,
    long Sequence,
    DateTimeOffset OccurredAt,
    string Data
)
{
    private const string Schemas = "https://docs.localplus.io/events/";

    public MerchantEvent ToView() =>
        new(
            "1.0",
            EventId,
            Topic[..Topic.IndexOf('.', StringComparison.Ordinal)],
            Type,
            Key,
            OccurredAt,
            "application/json",
            $"{Schemas}{Topic}.json#/properties/data",
            Sequence,
            JsonSerializer.Deserialize<JsonElement>(Data)
        );
}
