using System.Text;
using System.Text.Json;
using LocalPlus.Sidecar.PubSub;
using LocalPlus.Sidecar.Runtime;
using LocalPlus.Sidecar.Tracing;

namespace LocalPlus.Sidecar.Api.Http;

/// <summary>/v1.0/publish and /v1.0/publish/bulk. A topic may contain slashes.</summary>
internal sealed class PublishApi(SidecarRuntime runtime)
{
    public async ValueTask<bool> HandleAsync(HttpContext http, ApiPath path)
    {
        var method = http.Request.Method;
        if ((!HttpMethods.IsPost(method) && !HttpMethods.IsPut(method)) || path.Count < 2)
        {
            return false;
        }
        if (path.Count >= 3 && path[0] == "bulk")
        {
            await PublishBulkAsync(http, path[1], Topic(path, 2), path.Query.Length > 0);
            return true;
        }
        await PublishAsync(http, path[0], Topic(path, 1), path.Query.Length > 0);
        return true;
    }

    private async Task PublishAsync(HttpContext http, string pubsub, string topic, bool hasQuery)
    {
        var request = new PublishRequest(pubsub, topic, hasQuery ? QueryMetadata.Read(http.Request.Query) : NoMetadata);
        runtime.Publisher.Find(request);
        var body = await BodyAsync(http);
        await runtime.Publisher.PublishAsync(
            request,
            body,
            http.Request.ContentType ?? "",
            TraceContext.Of(http),
            http.RequestAborted
        );
        http.Response.StatusCode = StatusCodes.Status204NoContent;
    }

    private async Task PublishBulkAsync(HttpContext http, string pubsub, string topic, bool hasQuery)
    {
        var request = new PublishRequest(pubsub, topic, hasQuery ? QueryMetadata.Read(http.Request.Query) : NoMetadata);
        runtime.Publisher.Find(request);
        Publisher.IsRaw(request);
        var entries = ParseEntries(await BodyAsync(http), pubsub, topic);
        var failed = await runtime.Publisher.PublishBulkAsync(
            request,
            entries,
            TraceContext.Of(http),
            http.RequestAborted
        );
        if (failed.Count == 0)
        {
            http.Response.StatusCode = StatusCodes.Status204NoContent;
            return;
        }
        await HttpAnswers.Write(
            http,
            json =>
            {
                json.WriteStartObject();
                json.WriteStartArray("failedEntries");
                foreach (var (id, error) in failed)
                {
                    json.WriteStartObject();
                    json.WriteString("entryId", id);
                    json.WriteString("error", error);
                    json.WriteEndObject();
                }
                json.WriteEndArray();
                json.WriteString("errorCode", "ERR_PUBSUB_PUBLISH_MESSAGE");
                json.WriteEndObject();
            },
            StatusCodes.Status500InternalServerError
        );
    }

    private List<BulkEntry> ParseEntries(byte[] body, string pubsub, string topic)
    {
        var appId = runtime.App.AppId;
        try
        {
            using var document = JsonDocument.Parse(
                body,
                new JsonDocumentOptions { MaxDepth = GoJson.Reading.MaxDepth }
            );
            if (document.RootElement.ValueKind != JsonValueKind.Array)
            {
                throw PubSubErrors.BulkUnreadable(
                    pubsub,
                    topic,
                    appId,
                    "json: cannot unmarshal object into Go value of type []http.bulkPublishMessageEntry"
                );
            }
            var entries = new List<BulkEntry>(document.RootElement.GetArrayLength());
            foreach (var item in document.RootElement.EnumerateArray())
            {
                entries.Add(ParseEntry(item, pubsub, topic));
            }
            return entries;
        }
        catch (Exception problem) when (problem is JsonException or InvalidOperationException)
        {
            throw PubSubErrors.BulkUnreadable(pubsub, topic, appId, problem.Message);
        }
    }

    private BulkEntry ParseEntry(JsonElement item, string pubsub, string topic)
    {
        var id = item.TryGetMember("entryId", out var idElement) ? idElement.GetString() ?? "" : "";
        var contentType = item.TryGetMember("contentType", out var typeElement) ? typeElement.GetString() ?? "" : "";
        Dictionary<string, string>? metadata = null;
        if (item.TryGetMember("metadata", out var map) && map.ValueKind == JsonValueKind.Object)
        {
            metadata = map.EnumerateObject()
                .ToDictionary(p => p.Name, p => p.Value.GetString() ?? "", StringComparer.Ordinal);
        }
        item.TryGetMember("event", out var payload);
        return new BulkEntry(id, Payload(payload, contentType, pubsub, topic), contentType, metadata);
    }

    /// <summary>
    /// The JSON kind of an event has to fit its content type: text in strings, bytes in base64 strings, JSON as it is.
    /// </summary>
    private ReadOnlyMemory<byte> Payload(JsonElement payload, string contentType, string pubsub, string topic)
    {
        if (CloudEvents.IsJson(contentType) || CloudEvents.IsCloudEvent(contentType))
        {
            return payload.ValueKind == JsonValueKind.Undefined
                ? "null"u8.ToArray()
                : Encoding.UTF8.GetBytes(payload.GetRawText());
        }
        if (
            payload.ValueKind != JsonValueKind.String
            || !(CloudEvents.IsBinary(contentType) || CloudEvents.IsText(contentType))
        )
        {
            throw PubSubErrors.BulkEnvelope(
                pubsub,
                topic,
                runtime.App.AppId,
                "error: mismatch between contentType and event"
            );
        }
        if (!CloudEvents.IsBinary(contentType))
        {
            return Encoding.UTF8.GetBytes(payload.GetString()!);
        }
        return payload.TryGetBytesFromBase64(out var bytes)
            ? bytes
            : throw PubSubErrors.BulkEnvelope(
                pubsub,
                topic,
                runtime.App.AppId,
                "error: unable to decode base64 application/octect-stream data: illegal base64 data"
            );
    }

    private async ValueTask<byte[]> BodyAsync(HttpContext http) =>
        await RequestBody.ReadAsync(http.Request, runtime.App.MaxBodyBytes, http.RequestAborted)
        ?? throw ApiException.Malformed("stream too large");

    private static string Topic(ApiPath path, int from) =>
        path.Count == from + 1 ? path[from] : string.Join('/', path.Segments.Skip(from + 2));

    private static readonly Dictionary<string, string> NoMetadata = new(StringComparer.Ordinal);
}
