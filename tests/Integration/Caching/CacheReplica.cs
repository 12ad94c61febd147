using System.Text.Json;
using Dapr.Client;
using LocalPlus.Hosting;
using LocalPlus.Tests.Integration.Support;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;

namespace LocalPlus.Tests.Integration.Caching;

/// <summary>The caches of one replica of a service, and the source that it reads.</summary>
internal sealed class CacheReplica : IAsyncDisposable
{
    private static readonly ServiceIdentity Service = new("hosting", typeof(CacheReplica).Assembly);
    private readonly DaprClient dapr;
    private readonly ServiceProvider services;

    public CacheReplica(StubDapr sidecar, string? setting = null, long maxBytes = LocalPlus.Hosting.Caches.MaxBytes)
    {
        dapr = new DaprClientBuilder().UseGrpcEndpoint($"http://127.0.0.1:{sidecar.Port}").Build();
        var configuration = new ConfigurationBuilder()
            .AddInMemoryCollection(new Dictionary<string, string?> { [LocalPlus.Hosting.Caches.Switch] = setting })
            .Build();
        Caches = new(dapr, Service, configuration, TimeProvider.System, NullLogger.Instance, maxBytes);
        services = new ServiceCollection().AddSingleton(Caches).BuildServiceProvider();
        sidecar.Store.Replicas.Add(HearAsync);
    }

    public Caches Caches { get; }

    /// <summary>The highest version that it has been told of.</summary>
    public long Heard { get; private set; }

    /// <summary>As the sidecar delivers a broadcast.</summary>
    public async Task HearAsync(string topic, byte[] body)
    {
        var door = new CacheDoor(CacheDoor.TopicOf(Service));
        Assert.Equal(door.Topic, topic);
        var subscriber = new Subscriber(null!, null!, TimeProvider.System, Service, NullLogger<Subscriber>.Instance);
        Assert.True(await door.TakeAsync([new Arrival("", body)], subscriber, services, default));
        Heard = Math.Max(Heard, JsonSerializer.Deserialize<CacheNews>(body, StrictJson.Lenient)!.Version);
    }

    public async ValueTask DisposeAsync()
    {
        await services.DisposeAsync();
        Caches.Dispose();
        dapr.Dispose();
    }
}
