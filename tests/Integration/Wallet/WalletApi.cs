using LocalPlus.Kernel;
using LocalPlus.Tests.Integration.Support;
using LocalPlus.Wallet.Customers;

namespace LocalPlus.Tests.Integration.Wallet;

/// <summary>The wallet service with a database and a sidecar of its own.</summary>
public sealed class WalletApi : IAsyncLifetime
{
    private readonly OperatorTokens operators = new();

    public TestDatabase Database { get; private set; } = null!;

    public RunningService Service { get; private set; } = null!;

    public StubSidecar Sidecar { get; private set; } = null!;

    private (string Name, string Value)[] Settings =>
        [("Secrets__pii_key", new string('k', 44)), ("LP_JWKS", operators.JwksPath)];

    public async Task InitializeAsync()
    {
        Database = await TestDatabase.CreateAsync("wallet", typeof(PersonalData).Assembly);
        Sidecar = await StubSidecar.StartAsync();
        await StartAsync();
    }

    public async Task DisposeAsync()
    {
        await Service.DisposeAsync();
        await Sidecar.DisposeAsync();
        await Database.DisposeAsync();
        operators.Dispose();
    }

    /// <summary>Ends the service.</summary>
    public async Task StopAsync() => await Service.DisposeAsync();

    /// <summary>Starts the service, perhaps on another database: a backup that was restored.</summary>
    public async Task StartAsync(TestDatabase? restored = null)
    {
        Database = restored ?? Database;
        Service = await RunningService.StartAsync(
            typeof(PersonalData).Assembly.Location,
            Database,
            Sidecar.Port,
            0,
            Settings
        );
    }

    public string Operator(string role) => operators.Mint(role);

    /// <summary>A new merchant with a key for everything about customers.</summary>
    public (MerchantId Merchant, string Key) NewMerchant()
    {
        var merchant = MerchantId.New(TimeProvider.System);
        return (
            merchant,
            Sidecar.IssueKey(merchant, "customers:read", "customers:write", "privacy:read", "privacy:write")
        );
    }
}
