using System.Buffers;
using System.Collections.Concurrent;
using System.Text.Json;
using LocalPlus.Sidecar.Api;
using LocalPlus.Sidecar.Resources;
using LocalPlus.Sidecar.Runtime;
using LocalPlus.Sidecar.Valkey;

namespace LocalPlus.Sidecar.PubSub;

/// <summary>
/// pubsub.redis: one stream per topic with the fields <c>data</c> and <c>metadata</c>, one group per consumerID that
/// starts at the beginning. The workers (concurrency) are shared by all topics of the component; a delivery that failed
/// is acknowledged like one that succeeded, what a dead consumer left pending is claimed after processingTimeout.
/// </summary>
internal sealed class RedisPubSub : IPubSub
{
    private static readonly TimeSpan DrainPoll = TimeSpan.FromMilliseconds(20);
    private readonly ILogger log;
    private readonly ValkeyClient client;
    private readonly ConcurrentDictionary<string, RedisTopic> topics = new(StringComparer.Ordinal);

    /// <summary>A place for each worker; null: as many at a time as come.</summary>
    private readonly SemaphoreSlim? places;
    private readonly CancellationTokenSource closing = new();
    private readonly CancellationTokenSource cut = new();
    private readonly long maxLength;
    private readonly TimeSpan? streamTtl;
    private readonly int concurrency;
    private readonly RedisStreamReader reader;
    private readonly RedisPending pending;
    private readonly Lock starting = new();
    private Task running = Task.CompletedTask;
    private bool started;

    public RedisPubSub(HostedApp app, Component definition)
    {
        Definition = definition;
        log = app.Logs.CreateLogger("dapr.contrib.pubsub");
        client = new ValkeyClient(ValkeySettings.From(definition));
        Group = definition.Get("consumerID") ?? app.AppId;
        concurrency = definition.Int("concurrency", 10);
        QueueDepth = Math.Max(1, definition.Int("queueDepth", 100));
        ProcessingTimeout = definition.Duration("processingTimeout", TimeSpan.FromSeconds(15));
        RedeliverInterval = definition.Duration("redeliverInterval", TimeSpan.FromSeconds(60));
        maxLength = definition.Int("maxLenApprox", 0);
        streamTtl = definition.Get("streamTTL") is null ? null : definition.Duration("streamTTL", TimeSpan.Zero);
        places = concurrency > 0 ? new SemaphoreSlim(concurrency, concurrency) : null;
        reader = new RedisStreamReader(this, client, log);
        pending = new RedisPending(this, client, log);
    }

    public Component Definition { get; }

    public IReadOnlyList<string> Capabilities => [];

    /// <summary>The consumer group, and the consumer's name in it: daprd uses one for both.</summary>
    public string Group { get; }

    public int QueueDepth { get; }

    public TimeSpan ProcessingTimeout { get; }

    public TimeSpan RedeliverInterval { get; }

    public ICollection<RedisTopic> Topics => topics.Values;

    public Task InitAsync(CancellationToken cancel) => client.PingAsync(cancel);

    public async Task PublishAsync(BrokerMessage message, CancellationToken cancel)
    {
        RespArg[] trim = (maxLength, streamTtl) switch
        {
            (> 0, _) => ["MAXLEN", "~", maxLength],
            (_, { } ttl) when ttl > TimeSpan.Zero =>
            [
                "MINID",
                "~",
                DateTimeOffset.UtcNow.Subtract(ttl).ToUnixTimeMilliseconds(),
            ],
            _ => [],
        };
        // Without metadata the entry has no such field.
        RespArg[] metadata = message.Metadata is { } map ? ["metadata", WriteMetadata(map)] : [];
        try
        {
            await client.ExecuteAsync(["XADD", message.Topic, .. trim, "*", "data", message.Data, .. metadata]);
        }
        catch (ValkeyException problem)
        {
            throw new ValkeyException($"redis streams: error from publish: {problem.Message}", problem)
            {
                FromServer = problem.FromServer,
            };
        }
    }

    public async Task<IAsyncDisposable> SubscribeAsync(string topic, MessageHandler handler, CancellationToken cancel)
    {
        await CreateGroupAsync(topic);
        var entry = topics.GetOrAdd(topic, name => new RedisTopic(name, new RedisAcks(name, Group, client, log)));
        var session = entry.Open(handler);
        Start();
        await reader.TopicsChangedAsync();
        // What the last subscription had fetched but not delivered is still ours and comes first.
        while (entry.TryUnpark(out var message))
        {
            await DispatchAsync(entry, message, cancel);
        }
        pending.Wake();
        return new Subscription(async () =>
        {
            await session.CloseAsync();
            await reader.TopicsChangedAsync();
        });
    }

    public async Task DrainAsync(CancellationToken limit)
    {
        using var registration = limit.Register(cut.Cancel);
        while (topics.Values.Any(t => !t.IsIdle))
        {
            await Task.Delay(DrainPoll, CancellationToken.None);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await closing.CancelAsync();
        await running;
        for (var place = 0; places is not null && place < concurrency; place++)
        {
            await places.WaitAsync(CancellationToken.None);
        }
        foreach (var topic in topics.Values)
        {
            topic.Dispose();
        }
        places?.Dispose();
        await client.DisposeAsync();
        reader.Dispose();
        pending.Dispose();
        closing.Dispose();
        cut.Dispose();
    }

    /// <summary>Hands fetched messages to the workers; waits while they are busy.</summary>
    public async Task EnqueueAsync(RedisTopic topic, RespValue[] messages, CancellationToken cancel)
    {
        foreach (var raw in messages)
        {
            if (raw.Items is not [var id, var fields])
            {
                continue;
            }
            var message = new RedisMessage(id.Text, Parse(topic.Name, fields.Items));
            if (topic.Begin(message))
            {
                await DispatchAsync(topic, message, cancel);
            }
        }
    }

    public async Task CreateGroupAsync(string topic)
    {
        try
        {
            await client.ExecuteAsync("XGROUP", "CREATE", topic, Group, "0", "MKSTREAM");
        }
        catch (ValkeyException problem)
            when (problem.FromServer && problem.Message.StartsWith("BUSYGROUP", StringComparison.Ordinal))
        {
            // It is there already.
        }
        catch (ValkeyException problem)
            when (problem.FromServer && problem.Message.StartsWith("OOM", StringComparison.Ordinal))
        {
            // A full server refuses to make a group, also one that it has: its readers must get in, or nothing empties
            // it.
            if (!await HasGroupAsync(topic))
            {
                throw;
            }
        }
    }

    private async Task<bool> HasGroupAsync(string topic) =>
        (await client.ExecuteAsync("XINFO", "GROUPS", topic)).Items.Any(group =>
            group.Items is [_, var name, ..] && name.Text == Group
        );

    private void Start()
    {
        lock (starting)
        {
            if (started)
            {
                return;
            }
            started = true;
            running = Task.WhenAll(reader.RunAsync(closing.Token), pending.RunAsync(closing.Token));
        }
    }

    /// <summary>
    /// Gives a message to a worker once one is free. Workers do not wait at a queue: all that wait there would be woken
    /// by each message, and there are hundreds.
    /// </summary>
    private async Task DispatchAsync(RedisTopic topic, RedisMessage message, CancellationToken cancel)
    {
        if (places is not null)
        {
            await places.WaitAsync(cancel);
        }
        _ = WorkAsync(topic, message);
    }

    /// <summary>
    /// The application may be back already while a call of before ends: then its message, or another's, goes on at
    /// once.
    /// </summary>
    private async Task WorkAsync(RedisTopic topic, RedisMessage message)
    {
        try
        {
            while (!await DeliverAsync(topic, message) && topic.Current is not null && topic.TryUnpark(out var next))
            {
                message = next;
            }
        }
        finally
        {
            places?.Release();
        }
    }

    /// <summary>False: nobody subscribes now, and the message is kept for who does next.</summary>
    private async Task<bool> DeliverAsync(RedisTopic topic, RedisMessage message)
    {
        if (topic.Current is not { } session)
        {
            topic.Park(message);
            return false;
        }
        try
        {
            await session.Handler(message.Content, new DeliveryTokens(session.GiveUp, cut.Token));
        }
        catch (OperationCanceledException) when (!session.IsOpen)
        {
            topic.Park(message);
            return false;
        }
        catch (Exception problem)
        {
            log.DeliveryFailed(topic.Name, problem.Message);
        }
        await topic.EndAsync(message.Id);
        return true;
    }

    private static BrokerMessage Parse(string topic, RespValue[] fields)
    {
        ReadOnlyMemory<byte> data = default;
        Dictionary<string, string>? metadata = null;
        for (var i = 0; i + 1 < fields.Length; i += 2)
        {
            switch (fields[i].Text)
            {
                case "data":
                    data = fields[i + 1].Bytes;
                    break;
                case "metadata":
                    metadata = ReadMetadata(fields[i + 1].Bytes);
                    break;
                default:
                    break;
            }
        }
        return new BrokerMessage(topic, data, metadata);
    }

    private static Dictionary<string, string>? ReadMetadata(byte[]? json)
    {
        try
        {
            return json is null or { Length: 0 } ? null : JsonSerializer.Deserialize<Dictionary<string, string>>(json);
        }
        catch (JsonException)
        {
            // Not written by Dapr: the message counts, its metadata does not.
            return null;
        }
    }

    private static ReadOnlyMemory<byte> WriteMetadata(IReadOnlyDictionary<string, string> metadata)
    {
        var output = new ArrayBufferWriter<byte>(64);
        output.Write("{"u8);
        foreach (var (key, value) in metadata.OrderBy(p => p.Key, StringComparer.Ordinal))
        {
            if (output.WrittenCount > 1)
            {
                output.Write(","u8);
            }
            GoJson.WriteString(output, key, escapeHtml: true);
            output.Write(":"u8);
            GoJson.WriteString(output, value, escapeHtml: true);
        }
        output.Write("}"u8);
        return output.WrittenMemory;
    }
}

/// <summary>One entry of a stream.</summary>
internal sealed record RedisMessage(string Id, BrokerMessage Content);
