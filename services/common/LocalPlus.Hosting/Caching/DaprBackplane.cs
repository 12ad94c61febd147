using System.Text.Json;
using Dapr.Client;
using ZiggyCreatures.Caching.Fusion;
using ZiggyCreatures.Caching.Fusion.Backplane;

namespace LocalPlus.Hosting;

/// <summary>What goes over the broadcast: a cache's own message, and the least version of its key.</summary>
/// <param name="Topic">In case it comes back as a dead letter.</param>
/// <param name="Message">As FusionCache writes it.</param>
/// <param name="LifeSeconds">How long a value of the key may be kept, in whole seconds.</param>
internal sealed record CacheNews(string Topic, byte[] Message, long Version, long LifeSeconds);

/// <summary>
/// The Dapr pub/sub component <c>broadcast</c>, which each replica hears, as what caches tell each other over. What
/// arrives comes through <see cref="CacheDoor"/>.
/// </summary>
internal sealed class DaprBackplane(DaprClient dapr, string topic, CacheFloors floors) : IFusionCacheBackplane
{
    internal const string Component = "broadcast";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);
    internal static readonly Dictionary<string, string> Raw = new() { ["rawPayload"] = "true" };
    private BackplaneSubscriptionOptions? subscription;

    /// <summary>Gives a message to the cache of this process.</summary>
    public async ValueTask TakeAsync(BackplaneMessage message)
    {
        if (subscription?.IncomingMessageHandlerAsync is { } take)
        {
            await take(message);
        }
    }

    public async ValueTask PublishAsync(
        BackplaneMessage message,
        FusionCacheEntryOptions options,
        CancellationToken token = default
    )
    {
        var (version, life) = floors.Of(message.CacheKey ?? "");
        var news = new CacheNews(
            topic,
            BackplaneMessage.ToByteArray(message),
            version,
            (long)Math.Ceiling(life.TotalSeconds)
        );
        using var late = CancellationTokenSource.CreateLinkedTokenSource(token);
        late.CancelAfter(Patience);
        try
        {
            await dapr.PublishByteEventAsync(
                    Component,
                    topic,
                    JsonSerializer.SerializeToUtf8Bytes(news, StrictJson.Lenient),
                    "application/json",
                    Raw,
                    late.Token
                )
                .WaitAsync(late.Token);
        }
        catch (Exception) when (!token.IsCancellationRequested)
        {
            CacheMetrics.Failed("broadcast");
            throw;
        }
    }

    public async ValueTask SubscribeAsync(BackplaneSubscriptionOptions options)
    {
        subscription = options;
        if (options.ConnectHandlerAsync is { } connected)
        {
            await connected(new BackplaneConnectionInfo(isReconnection: false));
        }
    }

    public void Subscribe(BackplaneSubscriptionOptions options)
    {
        subscription = options;
        options.ConnectHandler?.Invoke(new BackplaneConnectionInfo(isReconnection: false));
    }

    public ValueTask UnsubscribeAsync()
    {
        Unsubscribe();
        return ValueTask.CompletedTask;
    }

    public void Unsubscribe() => subscription = null;

    public void Publish(BackplaneMessage message, FusionCacheEntryOptions options, CancellationToken token = default) =>
        throw new NotSupportedException("Nothing here waits on a thread.");
}
