using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using ZiggyCreatures.Caching.Fusion.Backplane;

namespace LocalPlus.Hosting;

/// <summary>Where a replica hears what its neighbours have dropped: POST /events/caches.{service}.</summary>
internal sealed class CacheDoor(string topic) : IConsumer
{
    /// <summary>The one topic of a service's caches in the component that each replica hears.</summary>
    public static string TopicOf(ServiceIdentity service) => $"caches.{service.Name}";

    public string Topic => topic;

    public async Task<bool> TakeAsync(
        IReadOnlyList<Arrival> arrivals,
        Subscriber subscriber,
        IServiceProvider services,
        CancellationToken cancel
    )
    {
        var caches = services.GetRequiredService<Caches>();
        foreach (var arrival in arrivals)
        {
            if (Read(arrival.Body) is { } news)
            {
                await caches.HearAsync(news.Message, news.Version, news.Life);
            }
            else
            {
                subscriber.Log.EventRefused(topic, "not of a cache");
            }
        }

        return true;
    }

    private static (BackplaneMessage Message, long Version, TimeSpan Life)? Read(byte[] body)
    {
        try
        {
            var news = JsonSerializer.Deserialize<CacheNews>(body, StrictJson.Lenient);
            var life = TimeSpan.FromSeconds(Math.Clamp(news?.LifeSeconds ?? 0, 0, Caches.LongestLife.TotalSeconds));
            return news?.Message is { } message && BackplaneMessage.FromByteArray(message) is { } told && told.IsValid()
                ? (told, news.Version, life)
                : null;
        }
        catch (Exception exception)
            when (exception is JsonException or FormatException or ArgumentException or InvalidOperationException)
        {
            // Somebody else's: told above.
            return null;
        }
    }
}

/// <summary>What a service says to have caches.</summary>
public static class CachesRegistration
{
    /// <summary>Caches of this service: in process, shared over its replicas, and dropped on all of them.</summary>
    public static void AddCaches(this IServiceCollection services) =>
        services.AddSingleton(all => new Caches(
            all.GetRequiredService<Dapr.Client.DaprClient>(),
            all.GetRequiredService<ServiceIdentity>(),
            all.GetRequiredService<IConfiguration>(),
            all.GetRequiredService<TimeProvider>(),
            all.GetRequiredService<ILogger<Caches>>()
        ));

    internal static void MapCaches(this WebApplication app)
    {
        if (!app.Services.GetRequiredService<IServiceProviderIsService>().IsService(typeof(Caches)))
        {
            return;
        }

        var door = new CacheDoor(CacheDoor.TopicOf(app.Services.GetRequiredService<ServiceIdentity>()));
        app.MapDoor(door, "HearCaches");
    }
}
