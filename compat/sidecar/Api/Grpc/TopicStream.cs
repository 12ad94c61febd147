using System.Text.Json;
using Dapr.AppCallback.Autogen.Grpc.v1;
using Dapr.Client.Autogen.Grpc.v1;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using LocalPlus.Sidecar.PubSub;
using LocalPlus.Sidecar.Resources;
using LocalPlus.Sidecar.Runtime;

namespace LocalPlus.Sidecar.Api.Grpc;

/// <summary>One SubscribeTopicEventsAlpha1 call: events go out, each waits for the answer with its id.</summary>
internal sealed class TopicStream(
    SidecarRuntime runtime,
    IAsyncStreamReader<SubscribeTopicEventsRequestAlpha1> requests,
    IServerStreamWriter<SubscribeTopicEventsResponseAlpha1> responses
) : IDisposable
{
    private readonly Lock gate = new();
    private readonly Dictionary<
        string,
        Queue<TaskCompletionSource<TopicEventResponse.Types.TopicEventResponseStatus>>
    > waiting = new(StringComparer.Ordinal);
    private readonly SemaphoreSlim writing = new(1);
    private readonly SemaphoreSlim slots = new(Limits.StreamInFlight);
    private string pubsub = "";

    public async Task RunAsync(CancellationToken cancel)
    {
        var initial = await requests.MoveNext(cancel) ? requests.Current.InitialRequest : null;
        if (initial is null)
        {
            throw new RpcException(new Status(StatusCode.Unknown, "initial request is required"));
        }
        var (spec, broker) = Understand(initial);
        pubsub = spec.PubSub;
        await writing.WaitAsync(cancel);
        IAsyncDisposable subscription;
        try
        {
            // The answer leaves before the first event, and only once the subscription stands.
            subscription = await runtime.Subscriptions.OpenStreamAsync(spec, broker, SendAsync, cancel);
            await responses.WriteAsync(
                new SubscribeTopicEventsResponseAlpha1
                {
                    InitialResponse = new SubscribeTopicEventsResponseInitialAlpha1(),
                },
                cancel
            );
        }
        finally
        {
            writing.Release();
        }
        await using (subscription)
        {
            await ReadAnswersAsync(cancel);
        }
    }

    public void Dispose()
    {
        writing.Dispose();
        slots.Dispose();
    }

    private (SubscriptionSpec Spec, NamedPubSub Broker) Understand(SubscribeTopicEventsRequestInitialAlpha1 initial)
    {
        if (initial.PubsubName.Length == 0)
        {
            throw new RpcException(new Status(StatusCode.Unknown, "pubsubName is required"));
        }
        if (initial.Topic.Length == 0)
        {
            throw new RpcException(new Status(StatusCode.Unknown, "topic is required"));
        }
        var broker = runtime.Publisher.FindBroker(initial.PubsubName);
        var spec = new SubscriptionSpec
        {
            PubSub = initial.PubsubName,
            Topic = initial.Topic,
            Kind = SubscriptionKind.Streaming,
            Rules = [new RouteRule("", "/")],
            DeadLetterTopic = initial.DeadLetterTopic,
            Metadata = new Dictionary<string, string>(initial.Metadata, StringComparer.Ordinal),
        };
        return (spec, broker);
    }

    private async Task ReadAnswersAsync(CancellationToken cancel)
    {
        try
        {
            while (await requests.MoveNext(cancel))
            {
                if (requests.Current.EventProcessed is not { } processed)
                {
                    throw new RpcException(new Status(StatusCode.Unknown, "duplicate initial request received"));
                }
                Take(processed.Id)
                    ?.TrySetResult(
                        processed.Status?.Status ?? TopicEventResponse.Types.TopicEventResponseStatus.Success
                    );
            }
        }
        finally
        {
            lock (gate)
            {
                foreach (var open in waiting.Values.SelectMany(q => q))
                {
                    open.TrySetCanceled(CancellationToken.None);
                }
                waiting.Clear();
            }
        }
    }

    /// <summary>An <see cref="EventSender"/>: writes the event and waits for what the client makes of it.</summary>
    private async Task SendAsync(BrokerMessage message, Routed routed, CancellationToken cancel)
    {
        var envelope = Event(message, routed);
        var answer = new TaskCompletionSource<TopicEventResponse.Types.TopicEventResponseStatus>(
            TaskCreationOptions.RunContinuationsAsynchronously
        );
        await slots.WaitAsync(cancel);
        try
        {
            lock (gate)
            {
                if (!waiting.TryGetValue(envelope.Id, out var queue))
                {
                    waiting[envelope.Id] = queue = new();
                }
                queue.Enqueue(answer);
            }
            await writing.WaitAsync(cancel);
            try
            {
                await responses.WriteAsync(new SubscribeTopicEventsResponseAlpha1 { EventMessage = envelope }, cancel);
            }
            catch (Exception problem) when (problem is InvalidOperationException or IOException)
            {
                // The client is gone; the event is for whoever comes next.
                throw new OperationCanceledException("stream closed", problem);
            }
            finally
            {
                writing.Release();
            }
            Judge(await answer.Task.WaitAsync(cancel));
        }
        finally
        {
            slots.Release();
        }
    }

    private static void Judge(TopicEventResponse.Types.TopicEventResponseStatus status)
    {
        switch (status)
        {
            case TopicEventResponse.Types.TopicEventResponseStatus.Success:
                return;
            case TopicEventResponse.Types.TopicEventResponseStatus.Drop:
                throw new DroppedException();
            default:
                throw new RetriableException("RETRY status returned from app while processing pub/sub event");
        }
    }

    private TaskCompletionSource<TopicEventResponse.Types.TopicEventResponseStatus>? Take(string id)
    {
        lock (gate)
        {
            if (!waiting.TryGetValue(id, out var queue) || !queue.TryDequeue(out var answer))
            {
                return null;
            }
            if (queue.Count == 0)
            {
                waiting.Remove(id);
            }
            return answer;
        }
    }

    private TopicEventRequest Event(BrokerMessage message, Routed routed)
    {
        using var document = JsonDocument.Parse(routed.Body);
        var result = new TopicEventRequest
        {
            Path = routed.Path,
            Topic = message.Topic,
            PubsubName = pubsub,
            Extensions = new Struct(),
        };
        var contentType =
            document.RootElement.TryGetProperty("datacontenttype", out var type)
            && type.ValueKind == JsonValueKind.String
                ? type.GetString()!
                : "";
        foreach (var member in document.RootElement.EnumerateObject())
        {
            var text = member.Value.ValueKind == JsonValueKind.String ? member.Value.GetString()! : "";
            switch (member.Name)
            {
                case "id":
                    result.Id = text;
                    break;
                case "source":
                    result.Source = text;
                    break;
                case "type":
                    result.Type = text;
                    break;
                case "specversion":
                    result.SpecVersion = text;
                    break;
                case "datacontenttype":
                    result.DataContentType = text;
                    break;
                case "data_base64":
                    result.Data = UnsafeByteOperations.UnsafeWrap(member.Value.GetBytesFromBase64());
                    break;
                case "data" when member.Value.ValueKind != JsonValueKind.Null && result.Data.IsEmpty:
                    result.Data = Data(member.Value, contentType);
                    break;
                case "data":
                    break;
                default:
                    result.Extensions.Fields[member.Name] = ProtoJson.Value(member.Value);
                    break;
            }
        }
        return result;
    }

    /// <summary>Text as it is, JSON as JSON; data of any other type does not travel, as under daprd.</summary>
    private static ByteString Data(JsonElement data, string contentType)
    {
        if (CloudEvents.IsText(contentType))
        {
            return data.ValueKind == JsonValueKind.String
                ? ByteString.CopyFromUtf8(data.GetString()!)
                : throw new RetriableException(
                    "error returned from app while processing pub/sub event: unexpected data type encountered in envelope"
                );
        }
        return CloudEvents.IsJson(contentType) || CloudEvents.IsCloudEvent(contentType)
            ? ByteString.CopyFromUtf8(data.GetRawText())
            : ByteString.Empty;
    }
}

/// <summary>JSON as google.protobuf.Value.</summary>
internal static class ProtoJson
{
    public static Value Value(JsonElement element) =>
        element.ValueKind switch
        {
            JsonValueKind.String => Google.Protobuf.WellKnownTypes.Value.ForString(element.GetString()),
            JsonValueKind.Number => Google.Protobuf.WellKnownTypes.Value.ForNumber(element.GetDouble()),
            JsonValueKind.True => Google.Protobuf.WellKnownTypes.Value.ForBool(true),
            JsonValueKind.False => Google.Protobuf.WellKnownTypes.Value.ForBool(false),
            JsonValueKind.Array => Google.Protobuf.WellKnownTypes.Value.ForList([
                .. element.EnumerateArray().Select(Value),
            ]),
            JsonValueKind.Object => Google.Protobuf.WellKnownTypes.Value.ForStruct(Struct(element)),
            _ => Google.Protobuf.WellKnownTypes.Value.ForNull(),
        };

    private static Struct Struct(JsonElement element)
    {
        var result = new Struct();
        foreach (var member in element.EnumerateObject())
        {
            result.Fields[member.Name] = Value(member.Value);
        }
        return result;
    }
}
