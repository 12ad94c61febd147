using LocalPlus.Analytics;
using LocalPlus.Analytics.Value;
using LocalPlus.Hosting;
using LocalPlus.Kernel;
using LocalPlus.Tests.Integration.Support;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace LocalPlus.Tests.Integration.Analytics;

/// <summary>The analytics service with a database and a sidecar of its own, and its rollup at hand.</summary>
public sealed partial class AnalyticsApi : IAsyncLifetime
{
    private static readonly DateOnly Day = new(2026, 3, 10);
    private readonly OperatorTokens operators = new();
    private readonly OutboxSignal signal = new();
    private NpgsqlDataSource source = null!;

    public TestDatabase Database { get; private set; } = null!;

    public RunningService Service { get; private set; } = null!;

    public StubSidecar Sidecar { get; private set; } = null!;

    public async Task InitializeAsync()
    {
        Database = await TestDatabase.CreateAsync("analytics", typeof(AnalyticsRollup).Assembly);
        Sidecar = await StubSidecar.StartAsync();
        Service = await RunningService.StartAsync(
            typeof(AnalyticsRollup).Assembly.Location,
            Database,
            Sidecar.Port,
            settings: ("LP_JWKS", operators.JwksPath)
        );
        TypeHandlers.Register();
        source = NpgsqlDataSource.Create(Database.ConnectionString);
    }

    public async Task DisposeAsync()
    {
        await source.DisposeAsync();
        await Service.DisposeAsync();
        await Sidecar.DisposeAsync();
        await Database.DisposeAsync();
        signal.Dispose();
        operators.Dispose();
    }

    public string Operator(string role) => operators.Mint(role);

    public (MerchantId Id, string Key) NewMerchant()
    {
        var id = MerchantId.New(TimeProvider.System);
        return (id, Sidecar.IssueKey(id, "reports:read"));
    }

    /// <summary>Recomputes the tests' day; the number of totals that were wrong.</summary>
    public Task<int> RollUpAsync() =>
        new AnalyticsRollup(
            new Database(source, signal, TimeProvider.System),
            Value,
            TimeProvider.System,
            NullLogger<AnalyticsRollup>.Instance
        ).RecomputeAsync(Day, default);

    internal ValueRollup Value => new(new Database(source, signal, TimeProvider.System));

    public async Task ExecuteAsync(string sql)
    {
        await using var command = source.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }
}
