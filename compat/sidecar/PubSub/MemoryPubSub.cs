using System.Collections.Concurrent;
using System.Threading.Channels;
using LocalPlus.Sidecar.Resources;
using LocalPlus.Sidecar.Runtime;

namespace LocalPlus.Sidecar.PubSub;

/// <summary>pubsub.in-memory: inside one sidecar, one message after the other, gone with it.</summary>
internal sealed class MemoryPubSub(HostedApp app, Component definition) : IPubSub
{
    private readonly ConcurrentDictionary<string, Topic> topics = new(StringComparer.Ordinal);
    private readonly ConcurrentBag<Task> ended = [];
    private readonly CancellationTokenSource cut = new();
    private readonly ILogger log = app.Logs.CreateLogger("dapr.contrib.pubsub");

    public Component Definition => definition;

    public IReadOnlyList<string> Capabilities => ["SUBSCRIBE_WILDCARDS"];

    public Task InitAsync(CancellationToken cancel) => Task.CompletedTask;

    public async Task PublishAsync(BrokerMessage message, CancellationToken cancel)
    {
        if (topics.TryGetValue(message.Topic, out var topic))
        {
            await topic.Queue.Writer.WriteAsync(message, cancel);
        }
    }

    public Task<IAsyncDisposable> SubscribeAsync(string topic, MessageHandler handler, CancellationToken cancel)
    {
        var entry = new Topic();
        topics[topic] = entry;
        entry.Running = RunAsync(entry, handler);
        return Task.FromResult<IAsyncDisposable>(
            new Subscription(() =>
            {
                topics.TryRemove(new KeyValuePair<string, Topic>(topic, entry));
                ended.Add(entry.Running);
                return entry.Ending.CancelAsync();
            })
        );
    }

    public async Task DrainAsync(CancellationToken limit)
    {
        await using var registration = limit.Register(cut.Cancel);
        await Task.WhenAll(ended);
    }

    public ValueTask DisposeAsync()
    {
        cut.Dispose();
        return ValueTask.CompletedTask;
    }

    private async Task RunAsync(Topic topic, MessageHandler handler)
    {
        try
        {
            await foreach (var message in topic.Queue.Reader.ReadAllAsync(topic.Ending.Token))
            {
                try
                {
                    await handler(message, new DeliveryTokens(topic.Ending.Token, cut.Token));
                }
                catch (Exception problem) when (problem is not OperationCanceledException)
                {
                    log.DeliveryFailed(message.Topic, problem.Message);
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The subscription ended.
        }
    }

    private sealed class Topic
    {
        public Channel<BrokerMessage> Queue { get; } = Channel.CreateBounded<BrokerMessage>(Limits.MemoryQueue);

        public CancellationTokenSource Ending { get; } = new();

        public Task Running { get; set; } = Task.CompletedTask;
    }
}

/// <summary>Ends a subscription once.</summary>
internal sealed class Subscription(Func<Task> end) : IAsyncDisposable
{
    private int ended;

    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref ended, 1) == 0)
        {
            await end();
        }
    }
}
