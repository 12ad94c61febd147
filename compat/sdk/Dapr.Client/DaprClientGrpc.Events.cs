using System.Globalization;
using Google.Protobuf;
using Wire = LocalPlus.Compat.Protos;

namespace Dapr.Client;

// Publishing, and the bindings that send things elsewhere.
internal sealed partial class DaprClientGrpc
{
    private const string Json = "application/json";
    private const string CloudEventJson = "application/cloudevents+json";

    public override Task PublishEventAsync<TData>(
        string pubsubName, string topicName, TData data, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(data);
        return PublishAsync(pubsubName, topicName, ToBytes(data), ContentType(data), null, cancellationToken);
    }

    public override Task PublishEventAsync<TData>(
        string pubsubName, string topicName, TData data, Dictionary<string, string> metadata,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(data);
        ArgumentNullException.ThrowIfNull(metadata);
        return PublishAsync(pubsubName, topicName, ToBytes(data), ContentType(data), metadata, cancellationToken);
    }

    public override Task PublishEventAsync(
        string pubsubName, string topicName, CancellationToken cancellationToken = default) =>
        PublishAsync(pubsubName, topicName, ByteString.Empty, "", null, cancellationToken);

    public override Task PublishEventAsync(
        string pubsubName, string topicName, Dictionary<string, string> metadata,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(metadata);
        return PublishAsync(pubsubName, topicName, ByteString.Empty, "", metadata, cancellationToken);
    }

    public override Task PublishByteEventAsync(
        string pubsubName, string topicName, ReadOnlyMemory<byte> data, string dataContentType = Json,
        Dictionary<string, string>? metadata = null, CancellationToken cancellationToken = default) =>
        PublishAsync(
            pubsubName, topicName, ByteString.CopyFrom(data.Span), dataContentType, metadata, cancellationToken);

    public override async Task<BulkPublishResponse<TValue>> BulkPublishEventAsync<TValue>(
        string pubsubName, string topicName, IReadOnlyList<TValue> events, Dictionary<string, string>? metadata = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(pubsubName);
        ArgumentException.ThrowIfNullOrEmpty(topicName);
        ArgumentNullException.ThrowIfNull(events);
        var request = new Wire.BulkPublishRequest { PubsubName = pubsubName, Topic = topicName };
        Add(request.Metadata, metadata);
        var entries = new Dictionary<string, BulkPublishEntry<TValue>>(events.Count, StringComparer.Ordinal);
        for (var i = 0; i < events.Count; i++)
        {
            var entry = new BulkPublishEntry<TValue>(
                i.ToString(CultureInfo.InvariantCulture), events[i], ContentType(events[i]), new Dictionary<string, string>());
            entries.Add(entry.EntryId, entry);
            request.Entries.Add(new Wire.BulkPublishRequestEntry
            {
                EntryId = entry.EntryId,
                Event = ToBytes(events[i]),
                ContentType = entry.ContentType,
            });
        }

        var response = await CallAsync("Bulk Publish", sidecar.BulkPublishEventAsync(request, Options(cancellationToken)));
        return new BulkPublishResponse<TValue>([.. response.FailedEntries.Select(
            failed => new BulkPublishResponseFailedEntry<TValue>(entries[failed.EntryId], failed.Error))]);
    }

    public override async Task InvokeBindingAsync<TRequest>(
        string bindingName, string operation, TRequest data, IReadOnlyDictionary<string, string>? metadata = null,
        CancellationToken cancellationToken = default) =>
        await SendToBindingAsync(bindingName, operation, ToBytes(data), metadata, cancellationToken);

    public override async Task<TResponse> InvokeBindingAsync<TRequest, TResponse>(
        string bindingName, string operation, TRequest data, IReadOnlyDictionary<string, string>? metadata = null,
        CancellationToken cancellationToken = default)
    {
        var response = await SendToBindingAsync(bindingName, operation, ToBytes(data), metadata, cancellationToken);
        return FromBytes<TResponse>("Binding operation failed: the response", response.Data);
    }

    public override async Task<BindingResponse> InvokeBindingAsync(
        BindingRequest request, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        var response = await SendToBindingAsync(
            request.BindingName, request.Operation, ByteString.CopyFrom(request.Data.Span), request.Metadata,
            cancellationToken);
        return new BindingResponse(request, response.Data.Memory, new Dictionary<string, string>(response.Metadata));
    }

    private static string ContentType<T>(T data) => data is CloudEvent ? CloudEventJson : Json;

    private async Task PublishAsync(
        string pubsubName, string topicName, ByteString data, string contentType,
        Dictionary<string, string>? metadata, CancellationToken cancel)
    {
        ArgumentException.ThrowIfNullOrEmpty(pubsubName);
        ArgumentException.ThrowIfNullOrEmpty(topicName);
        var request = new Wire.PublishEventRequest
        {
            PubsubName = pubsubName,
            Topic = topicName,
            Data = data,
            DataContentType = contentType,
        };
        Add(request.Metadata, metadata);
        await CallAsync("Publish", sidecar.PublishEventAsync(request, Options(cancel)));
    }

    private async Task<Wire.InvokeBindingResponse> SendToBindingAsync(
        string bindingName, string operation, ByteString data, IReadOnlyDictionary<string, string>? metadata,
        CancellationToken cancel)
    {
        ArgumentException.ThrowIfNullOrEmpty(bindingName);
        ArgumentException.ThrowIfNullOrEmpty(operation);
        var request = new Wire.InvokeBindingRequest { Name = bindingName, Operation = operation, Data = data };
        Add(request.Metadata, metadata);
        return await CallAsync("Binding", sidecar.InvokeBindingAsync(request, Options(cancel)));
    }
}
