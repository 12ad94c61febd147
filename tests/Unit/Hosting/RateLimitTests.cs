using System.Net;
using Dapr;
using LocalPlus.Hosting;
using LocalPlus.Kernel;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging.Abstractions;

namespace LocalPlus.Tests.Unit.Hosting;

/// <summary>Three replicas that share one store, by clocks that are told to go.</summary>
public sealed class RateLimitTests
{
    private const int Replicas = 3;
    private const int Quota = 1000;
    private static readonly TimeSpan Window = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan Segment = Window / 60;
    private readonly StillClock time = new();
    private readonly MemoryTokens store = new();
    private readonly MerchantId merchant = MerchantId.New(TimeProvider.System);
    private readonly List<DateTimeOffset> passed = [];
    private readonly Random random = new(8103);

    [Theory]
    [InlineData(0)]
    [InlineData(900)]
    public async Task In_no_window_do_three_replicas_let_through_more_than_a_twentieth_above_the_quota(int apartMs)
    {
        var replicas = Start(apart: TimeSpan.FromMilliseconds(apartMs));

        // Three times what is allowed, now and then all at once.
        for (var step = 0; step < 4 * 600; step++)
        {
            var burst = random.Next(20) == 0 ? 80 : random.Next(10);
            await AskAsync(replicas, burst);
            time.Advance(TimeSpan.FromMilliseconds(100));
        }

        Assert.InRange(Most(), Quota * 90 / 100, Quota * 105 / 100);
        // And who asks for more all the time gets what there is.
        Assert.InRange(passed.Count, 4 * Quota * 90 / 100, 4 * Quota * 105 / 100);
    }

    /// <summary>All of the quota at the end of a window as clocks have it, and again when the next begins.</summary>
    [Theory]
    [InlineData(59_900)]
    [InlineData(59_000)]
    [InlineData(30_500)]
    [InlineData(58_001)]
    public async Task Who_times_its_bursts_gets_no_more(int firstMs)
    {
        var replicas = Start();
        time.Advance(TimeSpan.FromMilliseconds(firstMs));
        for (var burst = 0; burst < 4; burst++)
        {
            await AskAsync(replicas, 2 * Quota);
            time.Advance(burst % 2 == 0 ? TimeSpan.FromMilliseconds(1500) : Window - Segment);
        }

        Assert.InRange(Most(), Quota * 90 / 100, Quota * 105 / 100);
    }

    [Fact]
    public async Task Ten_thousand_requests_cost_a_few_looks_at_the_store_and_a_few_requests_none()
    {
        var configuration = Settings(("LP_LIMIT_MERCHANT", "300000/60"));
        var replica = Replica(time, configuration);
        for (var request = 0; request < 2000; request++)
        {
            await replica.RequireAsync(RateLimit.Merchant, merchant, CancellationToken.None);
        }

        Assert.Equal(0, store.Writes);
        for (var request = 0; request < 10_000; request++)
        {
            await replica.RequireAsync(RateLimit.Merchant, merchant, CancellationToken.None);
            time.Advance(TimeSpan.FromMilliseconds(0.5));
        }

        Assert.InRange(store.Writes, 1, 60);
    }

    [Fact]
    public async Task What_one_replica_leaves_of_its_slice_is_there_for_the_others()
    {
        var replicas = Start(2);
        await AskAsync([replicas[0]], 400);
        passed.Clear();
        time.Advance(3 * Segment);

        // One request there, which gives back, and all the rest here.
        await AskAsync([replicas[0]], 1);
        await AskAsync([replicas[1]], Quota);

        Assert.InRange(passed.Count, Quota - 400 - (Quota / 20), Quota - 400 + (Quota / 20));
    }

    [Fact]
    public async Task While_the_store_is_silent_all_replicas_together_let_through_less_than_the_quota_but_some()
    {
        var replicas = Start();
        store.Up = false;
        for (var second = 0; second < 180; second++)
        {
            await AskAsync(replicas, 60);
            time.Advance(TimeSpan.FromSeconds(1));
        }

        Assert.InRange(Most(), Quota / 2, Quota);
        // And what was let through meanwhile counts when the store is back.
        store.Up = true;
        await AskAsync(replicas, 2 * Quota);
        Assert.InRange(Most(), Quota / 2, Quota * 105 / 100);
    }

    [Fact]
    public async Task A_refusal_says_which_limit_it_is_and_when_there_is_room_again()
    {
        var replica = Start(1)[0];
        await AskAsync([replica], Quota);
        var refused = await Assert.ThrowsAsync<FaultException>(async () => await AskUntilRefusedAsync(replica));

        Assert.Equal("quota_exceeded", refused.Fault.Code);
        Assert.Equal(new[] { "merchant" }, refused.Extensions!["violated-policies"]);
        var seconds = Assert.IsType<long>(refused.Extensions["retry_after_seconds"]);
        Assert.InRange(seconds, 1, (long)Window.TotalSeconds + 3);
        time.Advance(TimeSpan.FromSeconds(seconds));
        await replica.RequireAsync(RateLimit.Merchant, merchant, CancellationToken.None);
    }

    [Fact]
    public async Task Merchants_have_budgets_of_their_own()
    {
        var replica = Start(1)[0];
        await AskAsync([replica], 2 * Quota);

        await replica.RequireAsync(RateLimit.Merchant, MerchantId.New(TimeProvider.System), CancellationToken.None);
    }

    [Theory]
    [InlineData("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", true)]
    [InlineData("2001:db8:1:2::1", "2001:db8:1:3::1", false)]
    [InlineData("192.0.2.1", "192.0.2.1", true)]
    [InlineData("192.0.2.1", "192.0.2.2", false)]
    public void Addresses_of_one_network_are_one_guesser(string one, string other, bool isSame) =>
        Assert.Equal(isSame, RateLimits.Subject(IPAddress.Parse(one)) == RateLimits.Subject(IPAddress.Parse(other)));

    [Theory]
    [InlineData("600")]
    [InlineData("0/60")]
    [InlineData("600/1")]
    [InlineData("-1/60")]
    [InlineData("none/60")]
    public void A_setting_that_is_no_limit_ends_the_start(string text) =>
        Assert.Throws<InvalidOperationException>(() => RateLimit.Sale.As(Settings(("LP_LIMIT_SALE", text))));

    private RateLimits[] Start(int count = Replicas, TimeSpan apart = default) =>
        [
            .. Enumerable
                .Range(0, count)
                .Select(i =>
                    Replica(
                        new ClockAhead(time, apart * i / Math.Max(1, count - 1)),
                        Settings(("LP_LIMIT_MERCHANT", $"{Quota}/{Window.TotalSeconds:0}"))
                    )
                ),
        ];

    private RateLimits Replica(TimeProvider clock, IConfiguration configuration) =>
        new(store, configuration, clock, NullLogger<SharedTokens>.Instance);

    private static IConfiguration Settings(params (string Name, string Value)[] settings) =>
        new ConfigurationBuilder()
            .AddInMemoryCollection(settings.ToDictionary(s => s.Name, s => (string?)s.Value))
            .Build();

    /// <summary>So many requests, each at any of the replicas; notes what passed.</summary>
    private async Task AskAsync(RateLimits[] replicas, int requests)
    {
        for (var request = 0; request < requests; request++)
        {
            try
            {
                await replicas[random.Next(replicas.Length)]
                    .RequireAsync(RateLimit.Merchant, merchant, CancellationToken.None);
                passed.Add(time.GetUtcNow());
            }
            catch (FaultException refused) when (refused.Fault == CommonFaults.QuotaExceeded)
            {
                // Counted by what passed.
            }
        }
    }

    private async Task AskUntilRefusedAsync(RateLimits replica)
    {
        for (var request = 0; request < Quota; request++)
        {
            await replica.RequireAsync(RateLimit.Merchant, merchant, CancellationToken.None);
        }
    }

    /// <summary>The most that passed in any window.</summary>
    private int Most()
    {
        var (from, most) = (0, 0);
        for (var to = 0; to < passed.Count; to++)
        {
            while (passed[to] - passed[from] >= Window)
            {
                from++;
            }

            most = Math.Max(most, to - from + 1);
        }

        return most;
    }

    /// <summary>Goes when it is told to; nothing that waits by it loses patience.</summary>
    private sealed class StillClock : TimeProvider
    {
        private long ticks;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => Interlocked.Read(ref ticks);

        public override DateTimeOffset GetUtcNow() => DateTimeOffset.UnixEpoch.AddTicks(GetTimestamp());

        public void Advance(TimeSpan by) => Interlocked.Add(ref ticks, by.Ticks);

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
            System.CreateTimer(callback, state, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    private sealed class ClockAhead(TimeProvider time, TimeSpan by) : TimeProvider
    {
        public override long TimestampFrequency => time.TimestampFrequency;

        public override long GetTimestamp() => time.GetTimestamp();

        public override DateTimeOffset GetUtcNow() => time.GetUtcNow() + by;

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
            time.CreateTimer(callback, state, dueTime, period);
    }

    private sealed class MemoryTokens : ITokenStore
    {
        private readonly Lock gate = new();
        private readonly Dictionary<string, (Dictionary<long, long> Taken, int Version)> budgets = [];

        public bool Up { get; set; } = true;

        public int Writes { get; private set; }

        public Task<(TakenTokens Taken, string Version)> ReadAsync(string budget, CancellationToken cancel)
        {
            lock (gate)
            {
                RequireUp();
                var (taken, version) = budgets.GetValueOrDefault(budget, ([], 0));
                return Task.FromResult((new TakenTokens(taken), $"{version}"));
            }
        }

        public Task<bool> TryWriteAsync(
            string budget,
            TakenTokens taken,
            string version,
            TimeSpan life,
            CancellationToken cancel
        )
        {
            lock (gate)
            {
                RequireUp();
                var seen = budgets.GetValueOrDefault(budget, ([], 0)).Version;
                if ($"{seen}" != version)
                {
                    return Task.FromResult(false);
                }

                budgets[budget] = (taken.BySegment.ToDictionary(), seen + 1);
                Writes++;
                return Task.FromResult(true);
            }
        }

        private void RequireUp()
        {
            if (!Up)
            {
                throw new DaprException("The store does not answer.");
            }
        }
    }
}
