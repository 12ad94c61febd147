using System.Diagnostics;
using System.Globalization;
using System.Text;
using LocalPlus.Hosting;
using LocalPlus.Tests.Integration.Support;

namespace LocalPlus.Tests.Integration.Caching;

/// <summary>
/// What caches promise: one question for many, nothing old after the news, and no need of the shared one.
/// </summary>
public sealed class CacheTests : IAsyncLifetime
{
    private static readonly CachePolicy Thing = new("thing", TimeSpan.FromMinutes(5));
    private StubDapr sidecar = null!;
    private int asked;

    public async Task InitializeAsync() => sidecar = await StubDapr.StartAsync();

    public async Task DisposeAsync() => await sidecar.DisposeAsync();

    [Fact]
    public async Task Five_hundred_callers_of_an_expired_hot_key_make_one_query()
    {
        var policy = new CachePolicy("hot", TimeSpan.FromSeconds(3));
        await using var replica = new CacheReplica(sidecar);
        var clock = Stopwatch.StartNew();
        await replica.Caches.GetAsync(policy, "1", _ => Answer("old", 1), default);
        await Eventually.TrueAsync(() => clock.Elapsed > policy.Life * 1.2);
        asked = 0;

        var gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var callers = Enumerable
            .Range(0, 500)
            .Select(_ =>
                replica.Caches.GetAsync(
                    policy,
                    "1",
                    async _ =>
                    {
                        await gate.Task;
                        return await Answer("new", 2);
                    },
                    default
                )
            )
            .ToArray();
        gate.SetResult();

        Assert.All(await Task.WhenAll(callers), found => Assert.Equal("new", found!.Value));
        Assert.Equal(1, asked);
    }

    [Fact]
    public async Task A_replica_gets_from_the_shared_cache_what_another_has_read()
    {
        await using var one = new CacheReplica(sidecar);
        await using var two = new CacheReplica(sidecar);
        var (n, seen) = (0, new HashSet<string>());
        // On a machine that has no time the shared cache may be too slow once, and then the source is asked.
        await Eventually.TrueAsync(async () =>
        {
            await one.Caches.GetAsync(Thing, $"{++n}", _ => Answer("a", 1), default);
            if (sidecar.Store.Keys.FirstOrDefault(seen.Add) is not { } key)
            {
                return false;
            }

            var before = asked;
            Assert.Matches("^hosting:thing:[0-9]+:v1$", key);
            var found = await two.Caches.GetAsync(Thing, key.Split(':')[2], _ => Answer("b", 2), default);
            return found!.Value == "a" && asked == before;
        });
    }

    [Fact]
    public async Task After_an_invalidation_no_replica_gives_anything_older()
    {
        await using var one = new CacheReplica(sidecar);
        await using var two = new CacheReplica(sidecar);
        await using var three = new CacheReplica(sidecar);
        CacheReplica[] all = [one, two, three];
        for (var version = 1L; version <= 60; version++)
        {
            var now = version;
            await all[version % 3].Caches.InvalidateAsync(Thing, "1", version);
            await Eventually.TrueAsync(() => all.All(replica => replica.Heard >= now));
            foreach (var replica in all)
            {
                var found = await replica.Caches.GetAsync(Thing, "1", _ => Answer($"{now}", now), default);
                Assert.Equal(now, found!.Version);
            }
        }
    }

    [Fact]
    public async Task A_reader_that_began_before_the_change_brings_nothing_old_back()
    {
        await using var one = new CacheReplica(sidecar);
        await using var two = new CacheReplica(sidecar);
        var gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var reads = 0;
        var slow = two.Caches.GetAsync(
            Thing,
            "1",
            async _ =>
            {
                if (Interlocked.Increment(ref reads) > 1)
                {
                    return await Answer("new", 2);
                }

                await gate.Task;
                return await Answer("old", 1);
            },
            default
        );
        await Eventually.TrueAsync(() => reads == 1);
        await one.Caches.InvalidateAsync(Thing, "1", 2);
        await Eventually.TrueAsync(() => two.Heard == 2);
        gate.SetResult();

        Assert.Equal("new", (await slow)!.Value);
        foreach (var replica in new[] { one, two })
        {
            Assert.Equal("new", (await replica.Caches.GetAsync(Thing, "1", _ => Answer("new", 2), default))!.Value);
        }
    }

    [Fact]
    public async Task An_old_value_that_the_shared_cache_still_has_is_not_given()
    {
        await using var one = new CacheReplica(sidecar);
        await using var two = new CacheReplica(sidecar);
        await StoreAsync(one);
        var old = sidecar.Store.Read("hosting:thing:1:v1")!;
        await one.Caches.InvalidateAsync(Thing, "1", 2);
        await Eventually.TrueAsync(() => two.Heard == 2);
        // Somebody wrote late what was read early.
        sidecar.Store.Write("hosting:thing:1:v1", old);

        Assert.Equal("new", (await two.Caches.GetAsync(Thing, "1", _ => Answer("new", 2), default))!.Value);
    }

    [Fact]
    public async Task What_a_replica_wrote_too_late_is_gone_from_the_shared_cache_once_it_hears()
    {
        await using var one = new CacheReplica(sidecar);
        await using var two = new CacheReplica(sidecar);
        await StoreAsync(two);
        var old = sidecar.Store.Read("hosting:thing:1:v1")!;
        // Between what the one drops there and what the other hears.
        sidecar.Store.BeforeDelivery = async () =>
        {
            await Eventually.TrueAsync(() => !sidecar.Store.Keys.Any());
            sidecar.Store.Write("hosting:thing:1:v1", old);
        };
        await one.Caches.InvalidateAsync(Thing, "1", 2);

        await Eventually.TrueAsync(() => two.Heard == 2 && !sidecar.Store.Keys.Any());
        await using var late = new CacheReplica(sidecar);
        Assert.Equal("new", (await late.Caches.GetAsync(Thing, "1", _ => Answer("new", 2), default))!.Value);
    }

    [Theory]
    [InlineData("down")]
    [InlineData("frozen")]
    [InlineData("flushed")]
    public async Task Answers_are_right_while_the_shared_cache_is(string how)
    {
        await using var replica = new CacheReplica(sidecar);
        await using var other = new CacheReplica(sidecar);
        await other.Caches.GetAsync(Thing, "0", _ => Answer("0", 1), default);
        Fail(how);
        var (before, clock) = (sidecar.Store.Calls, Stopwatch.StartNew());
        for (var n = 0; n < 200; n++)
        {
            var id = n;
            Assert.Equal(
                $"{id}",
                (await replica.Caches.GetAsync(Thing, $"{id}", _ => Answer($"{id}", 1), default))!.Value
            );
        }

        // Nobody goes there but one in a while, or each would wait as long as it may.
        if (how != "flushed")
        {
            var pauses = clock.Elapsed / Caches.StorePause;
            Assert.InRange(sidecar.Store.Calls - before, 0, 20 + (8 * pauses));
        }

        await replica.Caches.InvalidateAsync(Thing, "7", 2);
        Assert.Equal("new", (await replica.Caches.GetAsync(Thing, "7", _ => Answer("new", 2), default))!.Value);

        sidecar.Store.Up = true;
        sidecar.Store.Frozen = false;
        var key = 1000;
        await Eventually.TrueAsync(async () =>
        {
            key++;
            await replica.Caches.GetAsync(Thing, $"{key}", _ => Answer("back", 1), default);
            return sidecar.Store.Keys.Any(known => known.Contains(":thing:1", StringComparison.Ordinal));
        });
    }

    [Fact]
    public async Task That_there_is_no_such_thing_is_remembered_for_a_moment_only()
    {
        var policy = Thing with { Absent = TimeSpan.FromSeconds(1) };
        await using var replica = new CacheReplica(sidecar);
        Assert.Null(await replica.Caches.GetAsync(policy, "1", _ => Absent(), default));
        var first = asked;
        Assert.Null(await replica.Caches.GetAsync(policy, "1", _ => Absent(), default));
        Assert.Equal((1, 1), (first, asked));

        await Eventually.TrueAsync(async () =>
            (await replica.Caches.GetAsync(policy, "1", _ => Answer("made", 1), default))?.Value == "made"
        );
    }

    [Theory]
    [InlineData("no JSON")]
    [InlineData("""{"v":{"json":"bm8gSlNPTg==","version":9},"t":1}""")]
    [InlineData("""{"v":null,"t":1}""")]
    public async Task What_has_not_the_form_of_a_value_counts_as_none(string poison)
    {
        sidecar.Store.Write("hosting:thing:1:v1", Encoding.UTF8.GetBytes(poison));
        await using var replica = new CacheReplica(sidecar);

        Assert.Equal("good", (await replica.Caches.GetAsync(Thing, "1", _ => Answer("good", 1), default))!.Value);
    }

    [Fact]
    public async Task A_value_whose_life_is_over_stands_in_for_a_source_that_fails_and_never_after_an_invalidation()
    {
        var policy = new CachePolicy("spare", TimeSpan.FromSeconds(1)) { Spare = TimeSpan.FromMinutes(5) };
        await using var replica = new CacheReplica(sidecar);
        var clock = Stopwatch.StartNew();
        await replica.Caches.GetAsync(policy, "1", _ => Answer("old", 1), default);
        await Eventually.TrueAsync(() => clock.Elapsed > policy.Life * 1.2);

        Assert.Equal("old", (await replica.Caches.GetAsync(policy, "1", _ => Fails(), default))!.Value);

        await replica.Caches.InvalidateAsync(policy, "1", 2);
        await Assert.ThrowsAsync<TimeoutException>(() => replica.Caches.GetAsync(policy, "1", _ => Fails(), default));
    }

    [Fact]
    public async Task What_is_so_for_good_stands_in_at_a_replica_that_starts_while_the_source_fails()
    {
        var policy = new CachePolicy("lasting", TimeSpan.FromSeconds(1))
        {
            Spare = TimeSpan.FromMinutes(5),
            IsForGood = true,
        };
        await using var one = new CacheReplica(sidecar);
        var n = 0;
        var key = "";
        // On a machine that has no time the shared cache may be too slow once, and then another is read.
        await Eventually.TrueAsync(async () =>
        {
            key = policy.Key(new("hosting", typeof(CacheTests).Assembly), $"{++n}");
            await one.Caches.GetAsync(policy, $"{n}", _ => Answer("so", 0), default);
            return sidecar.Store.Read(key) is not null;
        });
        var clock = Stopwatch.StartNew();
        await Eventually.TrueAsync(() => clock.Elapsed > policy.Life * 1.2);

        await using var late = new CacheReplica(sidecar);

        Assert.Equal("so", (await late.Caches.GetAsync(policy, $"{n}", _ => Fails(), default))!.Value);
        Assert.Equal(
            policy.Life + policy.Spare,
            TimeSpan.FromSeconds(int.Parse(sidecar.Store.LifeOf(key)!, CultureInfo.InvariantCulture))
        );
    }

    [Fact]
    public async Task Values_in_process_take_no_more_bytes_than_they_may()
    {
        const long bound = 256 * 1024;
        await using var one = new CacheReplica(sidecar, maxBytes: bound);
        await using var two = new CacheReplica(sidecar, maxBytes: bound);
        foreach (var replica in new[] { one, two })
        {
            // The other replica copies what it finds in the shared cache, and that has its size too.
            for (var n = 0; n < 1000; n++)
            {
                var text = new string('x', 1000);
                Assert.Equal(
                    text,
                    (await replica.Caches.GetAsync(Thing, $"{n}", _ => Answer(text, 1), default))!.Value
                );
                Assert.InRange(replica.Caches.Bytes, 0, bound);
            }

            Assert.InRange(replica.Caches.Bytes, 1000, bound);
        }
    }

    [Fact]
    public async Task What_stays_in_the_process_is_dropped_everywhere_too()
    {
        var policy = new CachePolicy("private", TimeSpan.FromMinutes(5)) { Shared = false };
        await using var one = new CacheReplica(sidecar);
        await using var two = new CacheReplica(sidecar);
        await two.Caches.GetAsync(policy, "1", _ => Answer("old", 1), default);
        await one.Caches.InvalidateAsync(policy, "1", 2);
        await Eventually.TrueAsync(() => two.Heard == 2);

        Assert.Equal("new", (await two.Caches.GetAsync(policy, "1", _ => Answer("new", 2), default))!.Value);
        Assert.Empty(sidecar.Store.Keys);
    }

    [Fact]
    public async Task Switched_off_the_source_is_asked_each_time()
    {
        await using var replica = new CacheReplica(sidecar, "off");
        for (var n = 1; n <= 3; n++)
        {
            await replica.Caches.GetAsync(Thing, "1", _ => Answer("a", 1), default);
            Assert.Equal(n, asked);
        }
    }

    [Theory]
    [InlineData("thing", "")]
    [InlineData("thing", "a:b")]
    [InlineData("thing", "a b")]
    [InlineData("Thing", "1")]
    [InlineData("", "1")]
    public void A_key_is_of_its_form_or_there_is_none(string entity, string id) =>
        Assert.Throws<ArgumentException>(() =>
            new CachePolicy(entity, TimeSpan.FromSeconds(1)).Key(new("wallet", typeof(CacheTests).Assembly), id)
        );

    [Fact]
    public void A_key_is_service_entity_id_and_version() =>
        Assert.Equal(
            "wallet:balance:cus_1:v2",
            new CachePolicy("balance", TimeSpan.FromSeconds(30)) { Version = 2 }.Key(
                new("wallet", typeof(CacheTests).Assembly),
                "cus_1"
            )
        );

    /// <summary>
    /// The old value of thing 1, read by that replica, is in the shared cache: tried again where that was too slow.
    /// </summary>
    private Task StoreAsync(CacheReplica replica) =>
        Eventually.TrueAsync(async () =>
        {
            await replica.Caches.GetAsync(Thing, "1", _ => Answer("old", 1), default);
            return sidecar.Store.Keys.Any();
        });

    private void Fail(string how)
    {
        sidecar.Store.Up = how != "down";
        sidecar.Store.Frozen = how == "frozen";
        if (how == "flushed")
        {
            sidecar.Store.Flush();
        }
    }

    private Task<Cached<string>?> Answer(string value, long version)
    {
        Interlocked.Increment(ref asked);
        return Task.FromResult<Cached<string>?>(new(value, version));
    }

    private Task<Cached<string>?> Absent()
    {
        Interlocked.Increment(ref asked);
        return Task.FromResult<Cached<string>?>(null);
    }

    private static Task<Cached<string>?> Fails() => throw new TimeoutException("the source does not answer");
}
