using System.Text.Json;
using LocalPlus.Kernel;

namespace LocalPlus.Tests.Integration.Support;

/// <summary>
/// An event as another service would publish it. The same instance delivered twice is the same event twice.
/// </summary>
public sealed record TestEvent(string Type, string Key, long Sequence, MerchantId Merchant, object Data)
{
    public EventId Id { get; } = EventId.New(TimeProvider.System);

    public DateTimeOffset OccurredAt { get; init; } = TimeProvider.System.GetUtcNow();

    public object Envelope() =>
        new
        {
            id = Id.ToString(),
            type = Type,
            key = Key,
            sequence = Sequence,
            merchant_id = Merchant.ToString(),
            occurred_at = OccurredAt,
            data = Data,
        };

    public object CloudEvent() =>
        new
        {
            specversion = "1.0",
            id = Id.ToString(),
            type = Type,
            source = "test",
            data = Envelope(),
        };

    /// <summary>As the broker holds it.</summary>
    public byte[] OnTheWire() => JsonSerializer.SerializeToUtf8Bytes(CloudEvent());
}
