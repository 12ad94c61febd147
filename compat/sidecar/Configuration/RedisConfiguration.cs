using System.Collections.Concurrent;
using LocalPlus.Sidecar.Resources;
using LocalPlus.Sidecar.Runtime;
using LocalPlus.Sidecar.Valkey;

namespace LocalPlus.Sidecar.Configuration;

/// <summary>A configuration value; an item that was deleted has neither value nor version.</summary>
internal sealed record ConfigurationValue(string Value, string Version);

/// <summary>Hears of changed keys; null = deleted.</summary>
internal delegate Task ConfigurationChanged(string key, ConfigurationValue? value);

/// <summary>A store of configuration.</summary>
internal interface IConfigurationStore : IComponent
{
    /// <summary>The values of keys that exist; all of them when no key is named.</summary>
    Task<IReadOnlyDictionary<string, ConfigurationValue>> GetAsync(
        IReadOnlyList<string> keys,
        CancellationToken cancel
    );

    /// <summary>Reports changes until the result is disposed of.</summary>
    Task<IAsyncDisposable> SubscribeAsync(
        IReadOnlyList<string> keys,
        ConfigurationChanged changed,
        CancellationToken cancel
    );
}

/// <summary>
/// configuration.redis: plain strings, <c>value||version</c>. Changes come as keyspace notifications, which a
/// subscription switches on in the server.
/// </summary>
internal sealed class RedisConfiguration(HostedApp app, Component definition) : IConfigurationStore
{
    private readonly ValkeyClient client = new(ValkeySettings.From(definition));
    private readonly ILogger log = app.Logs.CreateLogger("dapr.contrib.configuration");
    private readonly ConcurrentDictionary<Watch, bool> watches = new();

    public Component Definition => definition;

    public IReadOnlyList<string> Capabilities => [];

    public Task InitAsync(CancellationToken cancel) => client.PingAsync(cancel);

    public async Task<IReadOnlyDictionary<string, ConfigurationValue>> GetAsync(
        IReadOnlyList<string> keys,
        CancellationToken cancel
    )
    {
        if (keys.Count == 0)
        {
            keys = [.. (await client.ExecuteAsync("KEYS", "*")).Items.Select(k => k.Text)];
        }
        var replies = await client.ExecuteAllAsync([.. keys.Select(k => new RespArg[] { "GET", k })]);
        var found = new Dictionary<string, ConfigurationValue>(StringComparer.Ordinal);
        for (var i = 0; i < keys.Count; i++)
        {
            // A key of another type is none of ours.
            if (replies[i] is { IsNull: false, Error: null } reply)
            {
                var value = Parse(reply.Text);
                if (value.Value.Length > 0)
                {
                    found[keys[i]] = value;
                }
            }
        }
        return found;
    }

    public async Task<IAsyncDisposable> SubscribeAsync(
        IReadOnlyList<string> keys,
        ConfigurationChanged changed,
        CancellationToken cancel
    )
    {
        try
        {
            await client.ExecuteAsync("CONFIG", "SET", "notify-keyspace-events", "Kg$xe");
        }
        catch (ValkeyException refusal) when (refusal.FromServer)
        {
            // A managed server may not allow it; then its operator has switched them on, or nothing will be heard.
            log.ReadFailed(client.Settings.ToString(), refusal.Message);
        }
        var watch = new Watch(this, keys, changed);
        await watch.StartAsync(cancel);
        watches[watch] = true;
        return watch;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var watch in watches.Keys)
        {
            await watch.DisposeAsync();
        }
        await client.DisposeAsync();
    }

    private static ConfigurationValue Parse(string text)
    {
        var parts = text.Split("||");
        return new ConfigurationValue(parts[0], parts.Length > 1 ? parts[1] : "");
    }

    /// <summary>One subscription on a connection of its own, opened again when it was lost.</summary>
    private sealed class Watch(RedisConfiguration owner, IReadOnlyList<string> keys, ConfigurationChanged changed)
        : IAsyncDisposable
    {
        private readonly CancellationTokenSource ending = new();
        private Task running = Task.CompletedTask;

        private string Prefix { get; } = $"__keyspace@{owner.client.Settings.Database}__:";

        public async Task StartAsync(CancellationToken cancel) => running = RunAsync(await OpenAsync(cancel));

        public async ValueTask DisposeAsync()
        {
            if (!owner.watches.TryRemove(this, out _))
            {
                return;
            }
            await ending.CancelAsync();
            await running;
            ending.Dispose();
        }

        private Task<ValkeySubscription> OpenAsync(CancellationToken cancel) =>
            ValkeySubscription.OpenAsync(
                owner.client.Settings,
                keys.Count == 0 ? [Prefix + "*"] : [.. keys.Select(k => Prefix + k)],
                keys.Count == 0,
                cancel
            );

        private async Task RunAsync(ValkeySubscription subscription)
        {
            while (true)
            {
                try
                {
                    await using (subscription)
                    {
                        while (true)
                        {
                            // Whatever happened to the key: what it holds now is what counts.
                            var key = (await subscription.NextAsync(ending.Token)).Channel[Prefix.Length..];
                            await changed(key, (await owner.GetAsync([key], ending.Token)).GetValueOrDefault(key));
                        }
                    }
                }
                catch (OperationCanceledException)
                {
                    return;
                }
                catch (Exception problem) when (problem is ValkeyException or IOException)
                {
                    owner.log.ReadFailed(owner.client.Settings.ToString(), problem.Message);
                }
                if (await ReopenAsync() is not { } next)
                {
                    return;
                }
                subscription = next;
            }
        }

        private async Task<ValkeySubscription?> ReopenAsync()
        {
            while (true)
            {
                try
                {
                    await Task.Delay(Limits.ReconnectLongest, ending.Token);
                    return await OpenAsync(ending.Token);
                }
                catch (OperationCanceledException)
                {
                    return null;
                }
                catch (ValkeyException)
                {
                    // Still away.
                }
            }
        }
    }
}
