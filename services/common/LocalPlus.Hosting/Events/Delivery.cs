using System.Diagnostics;
using System.Text.Json;
using LocalPlus.Kernel;

namespace LocalPlus.Hosting;

/// <summary>
/// What the sidecar posts to a topic's endpoint: the data of one CloudEvent, or the bulk message with its entries, each a
/// whole CloudEvent that is answered for by its entry id.
/// </summary>
internal sealed class Delivery<T>
{
    private Delivery(bool isBulk, IReadOnlyList<Entry> entries) => (IsBulk, Entries) = (isBulk, entries);

    public bool IsBulk { get; }

    public IReadOnlyList<Entry> Entries { get; }

    /// <summary>A lonely event goes on with its publisher's trace; of many each is only linked to.</summary>
    public ActivityContext Parent => IsBulk && Entries.Count == 1 ? Entries[0].Trace : default;

    public IEnumerable<ActivityLink> Links => IsBulk && Entries.Count > 1 ? Entries.Select(entry => new ActivityLink(entry.Trace)) : [];

    /// <summary>Null for a body that is no JSON.</summary>
    public static async Task<Delivery<T>?> ReadAsync(Stream body, CancellationToken cancel)
    {
        try
        {
            using var json = await JsonDocument.ParseAsync(body, cancellationToken: cancel);
            var root = json.RootElement;
            return root.ValueKind == JsonValueKind.Object && root.TryGetProperty("entries", out var entries) && entries.ValueKind == JsonValueKind.Array
                ? new Delivery<T>(true, [.. entries.EnumerateArray().Select(BulkEntry)])
                : new Delivery<T>(false, [Read("", root, default)]);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>A status for every entry: what could not be read is dropped, what failed is asked for again.</summary>
    public object Answer(IReadOnlySet<EventId> failed) => new
    {
        statuses = Entries.Select(entry => new
        {
            entryId = entry.EntryId,
            status = entry.Envelope is null ? "DROP" : failed.Contains(entry.Envelope.Id) ? "RETRY" : "SUCCESS",
        }),
    };

    private static Entry BulkEntry(JsonElement entry)
    {
        var id = entry.GetProperty("entryId").GetString() ?? "";
        if (entry.TryGetProperty("event", out var cloudEvent) && cloudEvent.ValueKind == JsonValueKind.Object
            && cloudEvent.TryGetProperty("data", out var data))
        {
            ActivityContext.TryParse(cloudEvent.TryGetProperty("traceparent", out var trace) ? trace.GetString() : null, null, out var context);
            return Read(id, data, context);
        }

        return new Entry(id, null, "no CloudEvent with data", default);
    }

    private static Entry Read(string entryId, JsonElement data, ActivityContext trace)
    {
        try
        {
            return new Entry(entryId, data.Deserialize<EventEnvelope<T>>(StrictJson.Lenient), "no data", trace);
        }
        catch (JsonException exception)
        {
            return new Entry(entryId, null, exception.Message, trace);
        }
    }

    /// <param name="EntryId">Of a bulk message; else empty.</param>
    /// <param name="Envelope">Null: it could not be read, for the reason given.</param>
    /// <param name="Problem">Why the envelope is null.</param>
    /// <param name="Trace">Its publisher's.</param>
    internal sealed record Entry(string EntryId, EventEnvelope<T>? Envelope, string Problem, ActivityContext Trace);
}
