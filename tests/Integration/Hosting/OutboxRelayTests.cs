using System.Globalization;
using System.Text.Json;
using LocalPlus.Hosting;
using LocalPlus.Tests.Integration.Support;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace LocalPlus.Tests.Integration.Hosting;

public sealed class OutboxRelayTests : IAsyncLifetime
{
    private readonly OutboxSignal signal = new();
    private readonly OutboxHealth health = new(TimeProvider.System);
    private TestDatabase database = null!;
    private NpgsqlDataSource source = null!;
    private StubSidecar sidecar = null!;
    private EventPublisher publisher = null!;

    public async Task InitializeAsync()
    {
        database = await TestDatabase.CreateAsync("hosting", typeof(OutboxRelayTests).Assembly);
        TypeHandlers.Register();
        source = NpgsqlDataSource.Create(database.ConnectionString);
        sidecar = await StubSidecar.StartAsync();
        var configuration = new ConfigurationBuilder()
            .AddInMemoryCollection([new("DAPR_HTTP_PORT", sidecar.Port.ToString(CultureInfo.InvariantCulture))])
            .Build();
        publisher = new EventPublisher(
            configuration,
            new ServiceIdentity("hosting", typeof(OutboxRelayTests).Assembly)
        );
    }

    public async Task DisposeAsync()
    {
        publisher.Dispose();
        await sidecar.DisposeAsync();
        await source.DisposeAsync();
        await database.DisposeAsync();
        signal.Dispose();
    }

    [Fact]
    public async Task Events_of_a_key_arrive_in_order_and_leave_the_outbox_empty()
    {
        using var relay = await StartRelayAsync(signal);
        await CommitEventsAsync(signal, Enumerable.Range(1, 300).Select(i => ($"key-{i % 7}", (long)i)));

        await Eventually.TrueAsync(() => sidecar.Published.Count == 300);
        await Eventually.TrueAsync(async () => await CountAsync() == 0);

        Assert.All(
            Sequences().GroupBy(e => e.Key),
            key => Assert.Equal(key.Select(e => e.Sequence).Order(), key.Select(e => e.Sequence))
        );
        Assert.All(
            sidecar.Published,
            e =>
                Assert.Equal(
                    e.GetProperty("event").GetProperty("subject").GetString(),
                    e.GetProperty("metadata").GetProperty("partitionKey").GetString()
                )
        );
        await relay.StopAsync(default);
    }

    [Fact]
    public async Task Nothing_is_published_before_its_commit_nor_after_a_rollback()
    {
        using var relay = await StartRelayAsync(signal);
        await using (var db = await Open(signal).BeginAsync(default))
        {
            await db.PublishAsync("t.v1", "thing.made", "never", 1, null, new { });
            signal.Ring();
        }

        await CommitEventsAsync(signal, [("after", 1)]);
        await Eventually.TrueAsync(() => !sidecar.Published.IsEmpty);

        Assert.Equal(["after"], Sequences().Select(e => e.Key));
        await relay.StopAsync(default);
    }

    [Fact]
    public async Task What_the_broker_refuses_stays_and_goes_out_once_it_is_back()
    {
        sidecar.BrokerUp = false;
        using var relay = await StartRelayAsync(signal);
        await CommitEventsAsync(signal, [("a", 1), ("b", 1)]);
        await Eventually.TrueAsync(() => health.Trouble.Error is not null);
        Assert.Equal(2, await CountAsync());

        sidecar.BrokerUp = true;

        await Eventually.TrueAsync(() => sidecar.Published.Count == 2);
        await Eventually.TrueAsync(async () => await CountAsync() == 0);
        await Eventually.TrueAsync(() => health.Trouble.Error is null);
        await relay.StopAsync(default);
    }

    [Fact]
    public async Task Fault_32_a_topic_that_the_broker_refuses_holds_up_no_other()
    {
        sidecar.RefusedTopic = "refused.v1";
        await using (var db = await Open(signal).BeginAsync(default))
        {
            for (var i = 1; i <= OutboxRelay.BatchSize + 1; i++)
            {
                await db.PublishAsync(sidecar.RefusedTopic, "thing.made", $"bad-{i}", 1, null, new { });
            }

            await db.CommitAsync();
        }

        using var relay = await StartRelayAsync(signal);
        await CommitEventsAsync(signal, [("good", 1)]);
        await Eventually.TrueAsync(() => !sidecar.Published.IsEmpty);

        Assert.Equal(["good"], Sequences().Select(e => e.Key));
        Assert.Equal(OutboxRelay.BatchSize + 1, await CountAsync());
        sidecar.RefusedTopic = null;
        await Eventually.TrueAsync(async () => await CountAsync() == 0);
        Assert.Equal(OutboxRelay.BatchSize + 2, sidecar.Published.Count);
        await relay.StopAsync(default);
    }

    [Fact]
    public async Task A_follower_wakes_the_leader_and_takes_over_when_it_stops()
    {
        using var leader = await StartRelayAsync(signal);
        await CommitEventsAsync(signal, [("first", 1)]);
        await Eventually.TrueAsync(() => sidecar.Published.Count == 1);
        using var followersBell = new OutboxSignal();
        using var follower = await StartRelayAsync(followersBell);

        await CommitEventsAsync(followersBell, [("second", 1)]);
        await Eventually.TrueAsync(() => sidecar.Published.Count == 2);
        // Stopped before it knows what the broker took, it would leave that to the follower once more.
        await Eventually.TrueAsync(async () => await CountAsync() == 0);
        await leader.StopAsync(default);
        await CommitEventsAsync(followersBell, [("third", 1)]);
        await Eventually.TrueAsync(() => sidecar.Published.Count == 3);

        Assert.Equal(["first", "second", "third"], Sequences().Select(e => e.Key));
        await follower.StopAsync(default);
    }

    private Database Open(OutboxSignal bell) => new(source, bell, TimeProvider.System);

    private async Task<OutboxRelay> StartRelayAsync(OutboxSignal bell)
    {
        var relay = new OutboxRelay(
            source,
            bell,
            publisher,
            health,
            TimeProvider.System,
            NullLogger<OutboxRelay>.Instance
        );
        await relay.StartAsync(default);
        return relay;
    }

    private async Task CommitEventsAsync(OutboxSignal bell, IEnumerable<(string Key, long Sequence)> events)
    {
        await using var db = await Open(bell).BeginAsync(default);
        foreach (var (key, sequence) in events)
        {
            await db.PublishAsync("t.v1", "thing.made", key, sequence, null, new { value = sequence });
        }

        await db.CommitAsync();
    }

    private IEnumerable<(string Key, long Sequence)> Sequences() =>
        sidecar
            .Published.Select(e => e.GetProperty("event").GetProperty("data"))
            .Select(
                (JsonElement data) => (data.GetProperty("key").GetString()!, data.GetProperty("sequence").GetInt64())
            );

    private async Task<long> CountAsync()
    {
        await using var command = source.CreateCommand("SELECT count(*) FROM outbox_events");
        return (long)(await command.ExecuteScalarAsync())!;
    }
}
