using System.Text.Json;
using System.Text.Json.Serialization;

namespace LocalPlus.Hosting;

/// <summary>
/// What the sidecar posts to a topic's endpoint, taken apart but not read: one message, or the bulk message with its
/// entries, each answered for by its entry id. A subscription with rawPayload gets what was on the wire, so that what
/// is no
/// JSON comes too; whatever has not the form that daprd gives is taken as the message itself, and judged as one.
/// </summary>
internal sealed class Delivery
{
    private Delivery(bool isBulk, IReadOnlyList<Arrival> arrivals) => (IsBulk, Arrivals) = (isBulk, arrivals);

    public bool IsBulk { get; }

    public IReadOnlyList<Arrival> Arrivals { get; }

    public static async Task<Delivery> ReadAsync(Stream body, CancellationToken cancel)
    {
        using var buffer = new MemoryStream();
        await body.CopyToAsync(buffer, cancel);
        var bytes = buffer.ToArray();
        try
        {
            using var json = JsonDocument.Parse(bytes);
            var root = json.RootElement;
            return
                root.ValueKind == JsonValueKind.Object
                && root.TryGetProperty("entries", out var entries)
                && entries.ValueKind == JsonValueKind.Array
                ? new Delivery(true, [.. entries.EnumerateArray().Select(BulkEntry)])
                : new Delivery(false, [new Arrival("", Unwrapped(root) ?? bytes)]);
        }
        catch (JsonException)
        {
            return new Delivery(false, [new Arrival("", bytes)]);
        }
    }

    /// <summary>Success for all, or all of them again: one transaction decides for a delivery.</summary>
    public DeliveryAnswer Answer(bool again)
    {
        var status = again ? DeliveryStatus.Retry : DeliveryStatus.Success;
        return IsBulk
            ? new(Statuses: [.. Arrivals.Select(arrival => new EntryAnswer(arrival.EntryId, status))])
            : new(status);
    }

    private static Arrival BulkEntry(JsonElement entry)
    {
        if (entry.ValueKind != JsonValueKind.Object)
        {
            return new Arrival("", Raw(entry));
        }

        var id =
            entry.TryGetProperty("entryId", out var given) && given.ValueKind == JsonValueKind.String
                ? given.GetString()!
                : "";
        return entry.TryGetProperty("event", out var message)
            ? new Arrival(
                id,
                message.ValueKind == JsonValueKind.String && message.TryGetBytesFromBase64(out var wire)
                    ? wire
                    : Raw(message)
            )
            : new Arrival(id, Raw(entry));
    }

    /// <summary>
    /// The wire's bytes in the CloudEvent that a rawPayload subscription wraps around them; else null.
    /// </summary>
    private static byte[]? Unwrapped(JsonElement root) =>
        root.ValueKind == JsonValueKind.Object
        && !root.TryGetProperty("data", out _)
        && root.TryGetProperty("data_base64", out var data)
        && data.ValueKind == JsonValueKind.String
        && data.TryGetBytesFromBase64(out var wire)
            ? wire
            : null;

    private static byte[] Raw(JsonElement element) => System.Text.Encoding.UTF8.GetBytes(element.GetRawText());
}

/// <summary>What the sidecar is told: of the one message, or of each entry of a bulk message.</summary>
internal sealed record DeliveryAnswer(DeliveryStatus? Status = null, IReadOnlyList<EntryAnswer>? Statuses = null);

internal sealed record EntryAnswer([property: JsonPropertyName("entryId")] string EntryId, DeliveryStatus Status);

/// <summary>In Dapr's words.</summary>
internal enum DeliveryStatus
{
    [JsonStringEnumMemberName("SUCCESS")]
    Success,

    [JsonStringEnumMemberName("RETRY")]
    Retry,
}

/// <summary>A message as it was on the wire, meant to be a CloudEvent in JSON.</summary>
/// <param name="EntryId">Of a bulk message; else empty.</param>
internal sealed record Arrival(string EntryId, byte[] Body);
