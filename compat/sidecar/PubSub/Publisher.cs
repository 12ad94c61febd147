using System.Collections.Concurrent;
using LocalPlus.Sidecar.Resiliency;
using LocalPlus.Sidecar.Runtime;
using LocalPlus.Sidecar.Tracing;
using LocalPlus.Sidecar.Valkey;

namespace LocalPlus.Sidecar.PubSub;

/// <summary>One entry of a bulk publish.</summary>
internal sealed record BulkEntry(
    string Id,
    ReadOnlyMemory<byte> Event,
    string ContentType,
    IReadOnlyDictionary<string, string>? Metadata
);

/// <summary>What a publish call is about. <see cref="Metadata"/> null = none was given, over gRPC.</summary>
internal readonly record struct PublishRequest(
    string PubSub,
    string Topic,
    IReadOnlyDictionary<string, string>? Metadata,
    bool IsGrpc = false
);

/// <summary>A broker by name, with one application's scopes and policies around it.</summary>
internal sealed record NamedPubSub(
    string Name,
    IPubSub Broker,
    TopicScopes Scopes,
    Policy Outbound,
    Policy Inbound,
    Counters Counters
);

/// <summary>What the HTTP and the gRPC publish APIs have in common.</summary>
internal sealed class Publisher(SidecarRuntime runtime)
{
    private readonly Dictionary<string, NamedPubSub> brokers = new(StringComparer.Ordinal);

    public bool Any => brokers.Count > 0;

    /// <summary>Called once the components are loaded.</summary>
    public void Prepare()
    {
        foreach (var broker in runtime.Components.All.OfType<IPubSub>())
        {
            var name = broker.Definition.Name;
            brokers[name] = new NamedPubSub(
                name,
                broker,
                new TopicScopes(broker.Definition, runtime.App.AppId),
                runtime.Resiliency.Outbound("Pubsub", name),
                runtime.Resiliency.Inbound("Pubsub", name),
                runtime.App.Counters
            );
        }
    }

    public NamedPubSub? TryFind(string name) => brokers.GetValueOrDefault(name);

    public async Task PublishAsync(
        PublishRequest request,
        ReadOnlyMemory<byte> data,
        string contentType,
        TraceContext trace,
        CancellationToken cancel
    )
    {
        var broker = Find(request);
        var (pubsub, topic, metadata) = (request.PubSub, request.Topic, request.Metadata);
        ReadOnlyMemory<byte> body;
        if (IsRaw(request))
        {
            body = data;
            if (request.IsGrpc)
            {
                // What a raw message cannot carry travels beside it.
                metadata = new Dictionary<string, string>(metadata!, StringComparer.Ordinal)
                {
                    ["traceid"] = trace.IsTrace ? trace.TraceParent : "",
                    ["tracestate"] = trace.TraceState ?? "",
                };
            }
        }
        else
        {
            body = Envelope(request, data, contentType, metadata, trace);
        }
        Allow(broker, topic);
        try
        {
            await SendAsync(broker, new BrokerMessage(topic, body, metadata), cancel);
        }
        catch (Exception problem) when (IsFailure(problem))
        {
            throw PubSubErrors.PublishFailed(pubsub, topic, problem.Message);
        }
    }

    /// <summary>
    /// Publishes entries in parallel; the failed ones with their reasons, empty when all went well. Only an entry with
    /// metadata of its own gets the request's; whether the payloads are raw is the request's to say.
    /// </summary>
    public async Task<IReadOnlyList<(string EntryId, string Error)>> PublishBulkAsync(
        PublishRequest request,
        IReadOnlyList<BulkEntry> entries,
        TraceContext trace,
        CancellationToken cancel
    )
    {
        var broker = Find(request);
        var raw = IsRaw(request);
        var ids = new HashSet<string>(StringComparer.Ordinal);
        if (entries.Any(e => e.Id.Length == 0 || !ids.Add(e.Id)))
        {
            throw PubSubErrors.BulkEntry(request.PubSub, request.Topic, runtime.App.AppId);
        }
        var messages = entries.Select(e => (e.Id, Message: Entry(request, e, raw, trace))).ToList();
        Allow(broker, request.Topic);
        var failed = new ConcurrentBag<(string, string)>();
        var limits = new ParallelOptions
        {
            MaxDegreeOfParallelism = Limits.BulkPublishParallelism,
            CancellationToken = cancel,
        };
        await Parallel.ForEachAsync(
            messages,
            limits,
            async (entry, token) =>
            {
                try
                {
                    await SendAsync(broker, entry.Message, token);
                }
                catch (Exception problem) when (IsFailure(problem))
                {
                    failed.Add((entry.Id, problem.Message));
                }
            }
        );
        return [.. failed];
    }

    /// <summary>Puts bytes that are already what they shall be on a topic of a known broker: dead letters.</summary>
    public static async Task SendAsync(NamedPubSub broker, BrokerMessage message, CancellationToken cancel)
    {
        await (
            broker.Outbound.IsNone
                ? broker.Broker.PublishAsync(message, cancel)
                : broker.Outbound.RunAsync(token => broker.Broker.PublishAsync(message, token), cancel)
        );
        broker.Counters.Add(Metric.Published, broker.Name, message.Topic);
    }

    /// <summary>
    /// The broker that a request names; the topic has to be there, whether it may be used shows later.
    /// </summary>
    public NamedPubSub Find(PublishRequest request)
    {
        var broker = FindBroker(request.PubSub, request.Metadata);
        return request.Topic.Length > 0 ? broker : throw PubSubErrors.TopicEmpty(request.PubSub, request.Metadata);
    }

    public NamedPubSub FindBroker(string pubsub, IReadOnlyDictionary<string, string>? metadata = null)
    {
        if (pubsub.Length == 0)
        {
            throw PubSubErrors.NameEmpty(metadata);
        }
        return brokers.GetValueOrDefault(pubsub) ?? throw PubSubErrors.NotFound(pubsub, metadata);
    }

    /// <summary>metadata.rawPayload, in every form that Go's ParseBool takes.</summary>
    public static bool IsRaw(PublishRequest request)
    {
        if (request.Metadata is not { Count: > 0 } metadata || !metadata.TryGetValue("rawPayload", out var text))
        {
            return false;
        }
        return text switch
        {
            "1" or "t" or "T" or "true" or "TRUE" or "True" => true,
            "" or "0" or "f" or "F" or "false" or "FALSE" or "False" => false,
            _ => throw PubSubErrors.BadMetadata(
                request.PubSub,
                metadata,
                $"rawPayload value must be a valid boolean: actual is '{text}'"
            ),
        };
    }

    private void Allow(NamedPubSub broker, string topic)
    {
        if (!broker.Scopes.CanPublish(topic))
        {
            throw PubSubErrors.Forbidden(broker.Name, topic, runtime.App.AppId);
        }
    }

    private BrokerMessage Entry(PublishRequest request, BulkEntry entry, bool raw, TraceContext trace)
    {
        var metadata = entry.Metadata;
        if (metadata is not null && request.Metadata is { Count: > 0 } common)
        {
            var merged = new Dictionary<string, string>(common, StringComparer.Ordinal);
            foreach (var (key, value) in metadata)
            {
                merged[key] = value;
            }
            metadata = merged;
        }
        return new BrokerMessage(
            request.Topic,
            raw ? entry.Event : Envelope(request, entry.Event, entry.ContentType, metadata, trace),
            metadata
        );
    }

    private byte[] Envelope(
        PublishRequest request,
        ReadOnlyMemory<byte> data,
        string contentType,
        IReadOnlyDictionary<string, string>? metadata,
        TraceContext trace
    )
    {
        try
        {
            return CloudEvents.Envelope(
                data.Span,
                contentType,
                new EventContext(runtime.App.AppId, request.PubSub, request.Topic, metadata, trace)
            );
        }
        catch (CloudEventException problem)
        {
            throw PubSubErrors.CloudEvent(request.PubSub, runtime.App.AppId, problem.Message);
        }
    }

    private static bool IsFailure(Exception problem) =>
        problem is ValkeyException or CircuitOpenException or TimeoutException or ObjectDisposedException;
}
