using System.Diagnostics;
using System.Text.Json;
using System.Text.Unicode;

namespace LocalPlus.Hosting;

/// <summary>
/// Reads a message as an event and checks its envelope before anybody else looks at it: whatever a handler gets has an
/// id, a
/// type, a key, a sequence, a merchant, an instant and all that its data declares, and no text that PostgreSQL can not
/// hold.
/// </summary>
internal static class EventReader
{
    private const int MaxNameLength = 200;
    private static readonly JsonDocumentOptions Document = new() { AllowDuplicateProperties = false };

    /// <summary>As stored documents are read, but what the data declares without a default has to be there.</summary>
    private static readonly JsonSerializerOptions Data = new(StrictJson.Lenient)
    {
        RespectRequiredConstructorParameters = true,
    };

    public static Reading<T> Read<T>(byte[] message)
    {
        if (!Utf8.IsValid(message))
        {
            return Reading<T>.Refused("not UTF-8");
        }

        try
        {
            using var json = JsonDocument.Parse(message, Document);
            if (
                json.RootElement.ValueKind != JsonValueKind.Object
                || !json.RootElement.TryGetProperty("data", out var data)
            )
            {
                return Reading<T>.Refused("no CloudEvent with data");
            }

            if (HasNul(json.RootElement))
            {
                return Reading<T>.Refused("NUL in a text");
            }

            return Read<T>(data) with
            {
                Trace = Trace(json.RootElement),
            };
        }
        catch (JsonException exception)
        {
            return Reading<T>.Refused(exception.Path is { Length: > 0 } path ? $"no event at {path}" : "not JSON");
        }
        catch (InvalidOperationException)
        {
            // A lone surrogate.
            return Reading<T>.Refused("no Unicode text");
        }
    }

    private static Reading<T> Read<T>(JsonElement data)
    {
        if (
            data.ValueKind != JsonValueKind.Object
            || data.Deserialize<EventEnvelope<JsonElement>>(StrictJson.Lenient) is not { } envelope
        )
        {
            return Reading<T>.Refused("no envelope");
        }

        var problem = envelope switch
        {
            { Id.Value: var id } when id == Guid.Empty => "id",
            { Type: not { Length: > 0 and <= MaxNameLength } } => "type",
            { Key: not { Length: > 0 and <= MaxNameLength } } => "key",
            { Sequence: < 1 } => "sequence",
            { MerchantId: not { } } => "merchant_id",
            { OccurredAt: var at } when at == default => "occurred_at",
            { Data.ValueKind: not JsonValueKind.Object } => "data",
            _ => null,
        };
        return problem is null
            ? new Reading<T>(
                new EventEnvelope<T>(
                    envelope.Id,
                    envelope.Type,
                    envelope.Key,
                    envelope.Sequence,
                    envelope.MerchantId,
                    envelope.OccurredAt,
                    envelope.Data.Deserialize<T>(Data)!
                ),
                "",
                default
            )
            : Reading<T>.Refused($"an envelope without {problem}");
    }

    private static ActivityContext Trace(JsonElement cloudEvent) =>
        cloudEvent.TryGetProperty("traceparent", out var trace)
        && trace.ValueKind == JsonValueKind.String
        && ActivityContext.TryParse(trace.GetString(), null, out var context)
            ? context
            : default;

    private static bool HasNul(JsonElement element) =>
        element.ValueKind switch
        {
            JsonValueKind.Object => element
                .EnumerateObject()
                .Any(member => member.Name.Contains('\0', StringComparison.Ordinal) || HasNul(member.Value)),
            JsonValueKind.Array => element.EnumerateArray().Any(HasNul),
            JsonValueKind.String => element.GetString()!.Contains('\0', StringComparison.Ordinal),
            _ => false,
        };
}

/// <param name="Envelope">Null: it is no event, for the reason given.</param>
/// <param name="Problem">Why the envelope is null; says nothing of what the message holds.</param>
/// <param name="Trace">Its publisher's.</param>
internal sealed record Reading<T>(EventEnvelope<T>? Envelope, string Problem, ActivityContext Trace)
{
    public static Reading<T> Refused(string problem) => new(null, problem, default);
}
