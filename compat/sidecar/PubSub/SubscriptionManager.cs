using LocalPlus.Sidecar.Resources;
using LocalPlus.Sidecar.Runtime;

namespace LocalPlus.Sidecar.PubSub;

/// <summary>
/// Which subscriptions count and which run. For one topic an open stream beats a programmatic subscription, that beats
/// a declarative one; of two programmatic ones the last counts, of two declarative ones the first.
/// </summary>
internal sealed class SubscriptionManager(SidecarRuntime runtime) : IDisposable
{
    private readonly ILogger log = runtime.App.Logs.CreateLogger("dapr.runtime.processor.subscription");
    private readonly SemaphoreSlim gate = new(1);
    private readonly List<SubscriptionSpec> declarative = [];
    private readonly List<SubscriptionSpec> programmatic = [];
    private readonly Dictionary<(string PubSub, string Topic), SubscriptionSpec> streams = [];
    private readonly Dictionary<(string PubSub, string Topic), IAsyncDisposable> running = [];
    private bool appIsUp;

    /// <summary>As metadata lists them, whether they run or not.</summary>
    public IReadOnlyList<SubscriptionSpec> All { get; private set; } = [];

    /// <summary>Called once the components are loaded.</summary>
    public void Prepare()
    {
        declarative.AddRange(runtime.App.Resources.Subscriptions.DistinctBy(Key));
        Refresh();
    }

    /// <summary>The application is up, perhaps again; its own list is given the first time.</summary>
    public async Task StartAsync(IReadOnlyList<SubscriptionSpec>? fromApp, CancellationToken cancel)
    {
        await gate.WaitAsync(cancel);
        try
        {
            if (fromApp is not null)
            {
                programmatic.AddRange(fromApp.Reverse().DistinctBy(Key).Reverse());
                Refresh();
            }
            appIsUp = true;
            await StartMissingAsync(cancel);
        }
        finally
        {
            gate.Release();
        }
    }

    /// <summary>Ends deliveries to the application; streams go on unless all shall end.</summary>
    public async Task StopAsync(bool streamsToo)
    {
        await gate.WaitAsync(CancellationToken.None);
        try
        {
            appIsUp = false;
            foreach (var key in running.Keys.Where(k => streamsToo || !streams.ContainsKey(k)).ToList())
            {
                running.Remove(key, out var subscription);
                await subscription!.DisposeAsync();
            }
        }
        finally
        {
            gate.Release();
        }
    }

    /// <summary>Waits for deliveries in progress; cancelled, cuts them off.</summary>
    public Task DrainAsync(CancellationToken limit) =>
        Task.WhenAll(runtime.Components.All.OfType<IPubSub>().Select(b => b.DrainAsync(limit)));

    /// <summary>Lets a stream take a topic over; the result gives it back.</summary>
    public async Task<IAsyncDisposable> OpenStreamAsync(
        SubscriptionSpec spec,
        NamedPubSub broker,
        EventSender send,
        CancellationToken cancel
    )
    {
        var key = Key(spec);
        await gate.WaitAsync(cancel);
        try
        {
            if (running.Remove(key, out var former))
            {
                await former.DisposeAsync();
            }
            streams[key] = spec;
            Refresh();
            if (broker.Scopes.CanSubscribe(spec.Topic))
            {
                var delivery = new Delivery(spec, broker, send, log);
                running[key] = await broker.Broker.SubscribeAsync(spec.Topic, delivery.HandleAsync, cancel);
            }
        }
        finally
        {
            gate.Release();
        }
        return new Subscription(() => CloseStreamAsync(key, spec));
    }

    private async Task CloseStreamAsync((string PubSub, string Topic) key, SubscriptionSpec spec)
    {
        await gate.WaitAsync(CancellationToken.None);
        try
        {
            if (!streams.TryGetValue(key, out var current) || !ReferenceEquals(current, spec))
            {
                return;
            }
            streams.Remove(key);
            if (running.Remove(key, out var subscription))
            {
                await subscription.DisposeAsync();
            }
            Refresh();
            if (appIsUp)
            {
                await StartMissingAsync(CancellationToken.None);
            }
        }
        finally
        {
            gate.Release();
        }
    }

    private async Task StartMissingAsync(CancellationToken cancel)
    {
        var started = new List<SubscriptionSpec>();
        foreach (var spec in All.Where(s => s.Kind != SubscriptionKind.Streaming && !running.ContainsKey(Key(s))))
        {
            if (await TryStartAsync(spec, cancel))
            {
                started.Add(spec);
            }
        }
        foreach (var group in started.GroupBy(s => s.PubSub, StringComparer.Ordinal))
        {
            log.Subscribed(string.Join(' ', group.Select(s => s.Topic)), group.Key);
        }
    }

    private async Task<bool> TryStartAsync(SubscriptionSpec spec, CancellationToken cancel)
    {
        if (runtime.Channel is not { } channel)
        {
            return false;
        }
        if (runtime.Publisher.TryFind(spec.PubSub) is not { } broker)
        {
            log.NotSubscribed(spec.Topic, spec.PubSub, $"pubsub {spec.PubSub} is not found");
            return false;
        }
        if (!broker.Scopes.CanSubscribe(spec.Topic))
        {
            log.NotSubscribed(spec.Topic, spec.PubSub, "its scopes do not allow it");
            return false;
        }
        try
        {
            var delivery = new Delivery(
                spec,
                broker,
                new HttpEventSender(runtime.App, channel, spec.PubSub).SendAsync,
                log
            );
            running[Key(spec)] = spec.Bulk is null
                ? await broker.Broker.SubscribeAsync(spec.Topic, delivery.HandleAsync, cancel)
                : await StartBulkAsync(spec, broker, new BulkDelivery(spec, broker, delivery, channel, log), cancel);
            return true;
        }
        catch (Exception problem) when (problem is RuleException or Valkey.ValkeyException)
        {
            log.NotSubscribed(spec.Topic, spec.PubSub, problem.Message);
            return false;
        }
    }

    private static async Task<IAsyncDisposable> StartBulkAsync(
        SubscriptionSpec spec,
        NamedPubSub broker,
        BulkDelivery bulk,
        CancellationToken cancel
    )
    {
        var subscription = await broker.Broker.SubscribeAsync(spec.Topic, bulk.HandleAsync, cancel);
        bulk.Start();
        return new Subscription(async () =>
        {
            await subscription.DisposeAsync();
            await bulk.DisposeAsync();
        });
    }

    public void Dispose() => gate.Dispose();

    private void Refresh()
    {
        var own = programmatic.Where(s => !streams.ContainsKey(Key(s))).ToList();
        var taken = own.Select(Key).ToHashSet();
        All =
        [
            .. streams.Values,
            .. own,
            .. declarative.Where(s => !streams.ContainsKey(Key(s)) && !taken.Contains(Key(s))),
        ];
    }

    private static (string PubSub, string Topic) Key(SubscriptionSpec spec) => (spec.PubSub, spec.Topic);
}
