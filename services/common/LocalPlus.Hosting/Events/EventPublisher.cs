using System.Net.Http.Headers;
using System.Text.Json;
using Microsoft.Extensions.Configuration;

namespace LocalPlus.Hosting;

/// <summary>
/// Publishes events in bulk through the sidecar's HTTP API: the .NET SDK's bulk call has no metadata per entry, and the
/// partition key is one. Events are CloudEvents made here, so that their id and type are ours.
/// </summary>
internal sealed class EventPublisher : IDisposable
{
    public const int MaxEntries = 100;
    public const string PubSub = "pubsub";
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(15);
    private readonly HttpClient sidecar;
    private readonly string source;

    public EventPublisher(IConfiguration configuration, ServiceIdentity service)
    {
        source = service.Name;
        sidecar = new HttpClient { BaseAddress = SidecarAddress.Of(configuration), Timeout = Timeout };
        if (configuration["DAPR_API_TOKEN"] is { Length: > 0 } token)
        {
            sidecar.DefaultRequestHeaders.Add("dapr-api-token", token);
        }
    }

    /// <summary>Publishes events of one topic, each of another key; returns the row ids that the broker took.</summary>
    public async Task<long[]> PublishAsync(IReadOnlyList<OutboxRow> events, CancellationToken cancel)
    {
        using var spans = EventSpans.Publish([.. events.Select(row => (row.Topic, EntryId(row), row.Traceparent))]);
        using var content = new ByteArrayContent(Serialize([.. events.Zip(spans.Traceparents)]));
        content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        using var response = await sidecar.PostAsync(
            new Uri($"/v1.0/publish/bulk/{PubSub}/{events[0].Topic}", UriKind.Relative),
            content,
            cancel
        );
        if (response.IsSuccessStatusCode)
        {
            return [.. events.Select(e => e.Id)];
        }

        var body = await response.Content.ReadAsByteArrayAsync(cancel);
        using var answer = JsonDocument.Parse(body.Length == 0 ? "{}"u8.ToArray() : body);
        if (!answer.RootElement.TryGetProperty("failedEntries", out var failed))
        {
            throw new HttpRequestException(
                $"publish to {events[0].Topic}: {(int)response.StatusCode} {answer.RootElement}",
                null,
                response.StatusCode
            );
        }

        var refused = failed
            .EnumerateArray()
            .Select(entry => entry.GetProperty("entryId").GetString())
            .ToHashSet(StringComparer.Ordinal);
        return [.. events.Where(e => !refused.Contains(EntryId(e))).Select(e => e.Id)];
    }

    public void Dispose() => sidecar.Dispose();

    private static string EntryId(OutboxRow row) => row.EventId.ToString();

    private byte[] Serialize(IReadOnlyList<(OutboxRow Row, string? Traceparent)> events)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartArray();
            foreach (var (row, traceparent) in events)
            {
                json.WriteStartObject();
                json.WriteString("entryId", EntryId(row));
                json.WriteString("contentType", "application/cloudevents+json");
                json.WritePropertyName("event");
                WriteCloudEvent(json, row, traceparent);
                json.WriteStartObject("metadata");
                json.WriteString("partitionKey", row.Key);
                json.WriteEndObject();
                json.WriteEndObject();
            }

            json.WriteEndArray();
        }

        return buffer.ToArray();
    }

    private void WriteCloudEvent(Utf8JsonWriter json, OutboxRow row, string? traceparent)
    {
        json.WriteStartObject();
        json.WriteString("specversion", "1.0");
        json.WriteString("id", EntryId(row));
        json.WriteString("type", row.Type);
        json.WriteString("source", source);
        json.WriteString("subject", row.Key);
        json.WriteString("time", row.OccurredAt.UtcDateTime);
        json.WriteString("datacontenttype", "application/json");
        if (traceparent is not null)
        {
            json.WriteString("traceparent", traceparent);
            // An event without it gets the trace of the publishing call in place of its own.
            json.WriteString("traceid", traceparent);
        }

        json.WritePropertyName("data");
        using var data = JsonDocument.Parse(row.Data);
        var envelope = new EventEnvelope<JsonElement>(
            row.EventId,
            row.Type,
            row.Key,
            row.Sequence,
            row.MerchantId,
            row.OccurredAt,
            data.RootElement
        );
        JsonSerializer.Serialize(json, envelope, StrictJson.Options);
        json.WriteEndObject();
    }
}
