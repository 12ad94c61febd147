using LocalPlus.Kernel;
using LocalPlus.Tests.Integration.Support;
using LocalPlus.Wallet.Customers;

namespace LocalPlus.Tests.Integration.Wallet;

/// <summary>The wallet service with a database and a sidecar of its own.</summary>
public sealed class WalletApi : IAsyncLifetime
{
    public TestDatabase Database { get; private set; } = null!;

    public ServiceProcess Service { get; private set; } = null!;

    public StubSidecar Sidecar { get; private set; } = null!;

    public async Task InitializeAsync()
    {
        Database = await TestDatabase.CreateAsync("wallet", typeof(PersonalData).Assembly);
        Sidecar = await StubSidecar.StartAsync();
        Service = await ServiceProcess.StartAsync(
            typeof(PersonalData).Assembly.Location,
            Database,
            Sidecar.Port,
            environment: ("Secrets__pii_key", new string('k', 44))
        );
    }

    public async Task DisposeAsync()
    {
        await Service.DisposeAsync();
        await Sidecar.DisposeAsync();
        await Database.DisposeAsync();
    }

    /// <summary>A new merchant with a key for everything about customers.</summary>
    public (MerchantId Merchant, string Key) NewMerchant()
    {
        var merchant = MerchantId.New(TimeProvider.System);
        return (merchant, Sidecar.IssueKey(merchant, "customers:read", "customers:write"));
    }
}
