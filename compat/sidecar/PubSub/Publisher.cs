using System.Collections.Concurrent;
using LocalPlus.Sidecar.Resiliency;
using LocalPlus.Sidecar.Runtime;
using LocalPlus.Sidecar.Tracing;
using LocalPlus.Sidecar.Valkey;

namespace LocalPlus.Sidecar.PubSub;

/// <summary>One entry of a bulk publish.</summary>
internal sealed record BulkEntry(string Id, ReadOnlyMemory<byte> Event, string ContentType, IReadOnlyDictionary<string, string>? Metadata);

/// <summary>A broker by name, with one application's scopes and policies around it.</summary>
internal sealed record NamedPubSub(string Name, IPubSub Broker, TopicScopes Scopes, Policy Outbound, Policy Inbound);

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
                runtime.Resiliency.Inbound("Pubsub", name));
        }
    }

    public NamedPubSub? TryFind(string name) => brokers.GetValueOrDefault(name);

    /// <summary>The broker, when the application may publish to the topic.</summary>
    public NamedPubSub Find(string pubsub, string topic)
    {
        var broker = FindBroker(pubsub);
        if (topic.Length == 0)
        {
            throw PubSubErrors.TopicEmpty(pubsub);
        }
        return broker.Scopes.CanPublish(topic) ? broker : throw PubSubErrors.Forbidden(pubsub, topic, runtime.App.AppId);
    }

    public async Task PublishAsync(
        string pubsub,
        string topic,
        ReadOnlyMemory<byte> data,
        string contentType,
        IReadOnlyDictionary<string, string>? metadata,
        TraceContext trace,
        CancellationToken cancel)
    {
        var broker = Find(pubsub, topic);
        ReadOnlyMemory<byte> body;
        try
        {
            body = IsRaw(pubsub, metadata)
                ? data
                : CloudEvents.Envelope(data.Span, contentType, new EventContext(runtime.App.AppId, pubsub, topic, metadata, trace));
        }
        catch (CloudEventException problem)
        {
            throw PubSubErrors.CloudEvent(pubsub, runtime.App.AppId, problem.Message);
        }
        try
        {
            await SendAsync(broker, new BrokerMessage(topic, body, metadata), cancel);
        }
        catch (Exception problem) when (IsFailure(problem))
        {
            throw PubSubErrors.PublishFailed(pubsub, topic, runtime.App.AppId, problem.Message);
        }
    }

    /// <summary>Publishes entries in parallel; the failed ones with their reasons, empty when all went well.</summary>
    public async Task<IReadOnlyList<(string EntryId, string Error)>> PublishBulkAsync(
        string pubsub, string topic, IReadOnlyList<BulkEntry> entries, TraceContext trace, CancellationToken cancel)
    {
        var broker = Find(pubsub, topic);
        var ids = new HashSet<string>(StringComparer.Ordinal);
        if (entries.Any(e => e.Id.Length == 0 || !ids.Add(e.Id)))
        {
            throw PubSubErrors.BulkEntry(pubsub, topic, runtime.App.AppId);
        }
        var messages = entries.Select(e => (e.Id, Message: Entry(pubsub, topic, e, trace))).ToList();
        var failed = new ConcurrentBag<(string, string)>();
        var limits = new ParallelOptions { MaxDegreeOfParallelism = Limits.BulkPublishParallelism, CancellationToken = cancel };
        await Parallel.ForEachAsync(messages, limits, async (entry, token) =>
        {
            try
            {
                await SendAsync(broker, entry.Message, token);
            }
            catch (Exception problem) when (IsFailure(problem))
            {
                failed.Add((entry.Id, problem.Message));
            }
        });
        return [.. failed];
    }

    /// <summary>Puts bytes that are already what they shall be on a topic of a known broker: dead letters.</summary>
    public static Task SendAsync(NamedPubSub broker, BrokerMessage message, CancellationToken cancel) => broker.Outbound.IsNone
        ? broker.Broker.PublishAsync(message, cancel)
        : broker.Outbound.RunAsync(token => broker.Broker.PublishAsync(message, token), cancel);

    public NamedPubSub FindBroker(string pubsub)
    {
        if (pubsub.Length == 0)
        {
            throw PubSubErrors.NameEmpty();
        }
        return brokers.GetValueOrDefault(pubsub) ?? throw PubSubErrors.NotFound(pubsub);
    }

    private BrokerMessage Entry(string pubsub, string topic, BulkEntry entry, TraceContext trace)
    {
        if (IsRaw(pubsub, entry.Metadata))
        {
            return new BrokerMessage(topic, entry.Event, entry.Metadata);
        }
        try
        {
            var context = new EventContext(runtime.App.AppId, pubsub, topic, entry.Metadata, trace);
            return new BrokerMessage(topic, CloudEvents.Envelope(entry.Event.Span, entry.ContentType, context), entry.Metadata);
        }
        catch (CloudEventException problem)
        {
            throw PubSubErrors.CloudEvent(pubsub, runtime.App.AppId, problem.Message);
        }
    }

    private bool IsRaw(string pubsub, IReadOnlyDictionary<string, string>? metadata)
    {
        if (metadata is null || !metadata.TryGetValue("rawPayload", out var text))
        {
            return false;
        }
        return text.ToLowerInvariant() switch
        {
            "true" or "1" or "t" => true,
            "false" or "0" or "f" => false,
            _ => throw PubSubErrors.BadMetadata(pubsub, runtime.App.AppId, $"rawPayload value must be a valid boolean: actual is '{text}'"),
        };
    }

    private static bool IsFailure(Exception problem) => problem is ValkeyException or CircuitOpenException or TimeoutException or ObjectDisposedException;
}
