using Dapr.Client;
using LocalPlus.Hosting;
using LocalPlus.Kernel;
using LocalPlus.Tests.Integration.Support;
using Microsoft.Extensions.Logging.Abstractions;

namespace LocalPlus.Tests.Integration.Caching;

/// <summary>Flags by the configuration building block: a switch, and a share of merchants.</summary>
public sealed class FlagTests : IAsyncLifetime
{
    private StubDapr sidecar = null!;
    private DaprClient dapr = null!;
    private readonly Flags flags = new(TimeProvider.System);

    public async Task InitializeAsync()
    {
        sidecar = await StubDapr.StartAsync();
        dapr = new DaprClientBuilder().UseGrpcEndpoint($"http://127.0.0.1:{sidecar.Port}").Build();
    }

    public async Task DisposeAsync()
    {
        dapr.Dispose();
        await sidecar.DisposeAsync();
    }

    [Fact]
    public async Task A_change_is_pushed_and_what_is_taken_back_is_the_default_again()
    {
        await sidecar.Store.ConfigureAsync(Flag.OfflineAllowances.Key, "off");
        using var watch = new FlagWatch(dapr, flags, TimeProvider.System, NullLogger<FlagWatch>.Instance);
        Assert.True(flags.IsOn(Flag.OfflineAllowances));
        await watch.StartAsync(default);

        await Eventually.TrueAsync(() => !flags.IsOn(Flag.OfflineAllowances));
        var refused = Assert.Throws<FaultException>(() => flags.Require(Flag.OfflineAllowances));
        Assert.Equal("feature_off", refused.Fault.Code);

        // The next reading is a minute away: what arrives sooner was pushed. Said until somebody listens.
        await Eventually.TrueAsync(
            async () =>
            {
                await sidecar.Store.ConfigureAsync(Flag.OfflineAllowances.Key, "on");
                return flags.IsOn(Flag.OfflineAllowances);
            },
            FlagWatch.Life / 2
        );
        await sidecar.Store.ConfigureAsync(Flag.OfflineAllowances.Key, null);
        await Eventually.TrueAsync(() => !flags.Of(Flag.OfflineAllowances).IsSet);
        Assert.True(flags.IsOn(Flag.OfflineAllowances));
        await watch.StopAsync(default);
    }

    [Fact]
    public void What_can_not_be_read_changes_nothing()
    {
        Assert.True(flags.Learn(Flag.OfflineAllowances, "off"));
        foreach (var wrong in new[] { "maybe", "ON", "100", " off" })
        {
            Assert.False(flags.Learn(Flag.OfflineAllowances, wrong));
            Assert.False(flags.IsOn(Flag.OfflineAllowances));
        }

        foreach (var wrong in new[] { "-1", "100.01", "on", "1e2", "12.345", "50%" })
        {
            Assert.False(flags.Learn(Flag.CachedWallets, wrong));
        }
    }

    [Fact]
    public void A_share_that_grows_takes_nobody_back_and_has_about_as_many_as_it_says()
    {
        var merchants = Enumerable.Range(0, 4000).Select(_ => MerchantId.New(TimeProvider.System)).ToArray();
        var before = new HashSet<MerchantId>();
        foreach (var percent in new[] { 0, 1, 10, 50, 99.99, 100 })
        {
            Assert.True(flags.Learn(Flag.CachedWallets, FormattableString.Invariant($"{percent}")));
            var on = merchants.Where(m => flags.IsOn(Flag.CachedWallets, m)).ToHashSet();
            Assert.Superset(before, on);
            // Six standard deviations of chance.
            var expected = merchants.Length * percent / 100;
            var chance = 6 * Math.Sqrt(expected * (1 - (percent / 100))) + 1;
            Assert.InRange(on.Count, expected - chance, expected + chance);
            before = on;
        }
    }
}
