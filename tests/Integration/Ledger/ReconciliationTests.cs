using System.Text.Json;
using Dapper;
using LocalPlus.Hosting;
using LocalPlus.Ledger.Reconciliation;
using LocalPlus.Tests.Integration.Support;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace LocalPlus.Tests.Integration.Ledger;

/// <summary>Planted drift becomes a finding, is not repaired, and stays until an operator acknowledges it.</summary>
public sealed class ReconciliationTests : IAsyncLifetime
{
    private const string Account = "0197c0de-0000-7000-8000-00000000000a";
    private readonly OperatorTokens operators = new();
    private TestDatabase database = null!;
    private StubSidecar sidecar = null!;
    private RunningService service = null!;
    private NpgsqlDataSource source = null!;

    public async Task InitializeAsync()
    {
        database = await TestDatabase.CreateAsync("ledger", typeof(LocalPlus.Ledger.Faults).Assembly);
        sidecar = await StubSidecar.StartAsync();
        service = await RunningService.StartAsync(
            typeof(LocalPlus.Ledger.Faults).Assembly.Location,
            database,
            sidecar.Port,
            0,
            ("LP_JWKS", operators.JwksPath)
        );
        source = NpgsqlDataSource.Create(database.ConnectionString);
        await PlantAsync(
            $"""
            INSERT INTO accounts (account_id, merchant_id, name, asset, floor, created_at, changed_at)
            VALUES ('{Account}', gen_random_uuid(), 'drifting', 'EUR', NULL, now(), now())
            """
        );
    }

    public async Task DisposeAsync()
    {
        await source.DisposeAsync();
        await service.DisposeAsync();
        await sidecar.DisposeAsync();
        await database.DisposeAsync();
        operators.Dispose();
    }

    [Fact]
    public async Task Books_that_agree_have_no_findings()
    {
        await ReconcileAsync();

        Assert.Empty(await FindingsAsync());
    }

    [Theory]
    [InlineData($"UPDATE accounts SET posted = 1 WHERE account_id = '{Account}'", "balance", 0, 1)]
    [InlineData($"UPDATE accounts SET held = 7 WHERE account_id = '{Account}'", "held", 0, 7)]
    [InlineData($"UPDATE accounts SET sequence = 2 WHERE account_id = '{Account}'", "sequence", 2, 0)]
    [InlineData(
        "INSERT INTO transactions (transaction_id, merchant_id, kind, effective_at, recorded_at, leaf_hash, written_by) VALUES (gen_random_uuid(), gen_random_uuid(), 'load', now(), now() - interval '1 hour', sha256(''), '0')",
        "not_in_log",
        1,
        0
    )]
    public async Task Planted_drift_is_kept_and_not_repaired(string drift, string kind, long expected, long actual)
    {
        // Beyond this cursor the sequencer sees nothing: what is not in the log stays so.
        await PlantAsync("UPDATE log_cursor SET consumed_below = '9000000000000000000'");
        await PlantAsync(drift);

        await ReconcileAsync();
        await ReconcileAsync();

        var finding = Assert.Single(await FindingsAsync());
        Assert.Equal(
            (kind, expected, actual),
            (
                Text(finding, "kind"),
                finding.GetProperty("expected").GetInt64(),
                finding.GetProperty("actual").GetInt64()
            )
        );
        await using var connection = await source.OpenConnectionAsync();
        Assert.Equal(0, await connection.ExecuteScalarAsync<long>("SELECT count(*) FROM ledger_entries"));
    }

    [Fact]
    public async Task An_operator_acknowledges_with_a_reason_and_what_still_differs_is_found_anew()
    {
        await PlantAsync($"UPDATE accounts SET posted = 1 WHERE account_id = '{Account}'");
        await ReconcileAsync();
        var id = (await FindingsAsync()).Single().GetProperty("finding_id").GetInt64();
        var path = $"/ops/v1/ledger/findings/{id}/acknowledge";

        await service.CallAsync(
            HttpMethod.Post,
            path,
            operators.Mint("viewer"),
            new { reason = "a drill" },
            status: 403
        );
        await service.CallAsync(HttpMethod.Post, path, operators.Mint("operator"), new { reason = "" }, status: 400);
        var acknowledged = await service.CallAsync(
            HttpMethod.Post,
            path,
            operators.Mint("operator"),
            new { reason = "a drill" }
        );
        await service.CallAsync(
            HttpMethod.Post,
            path,
            operators.Mint("operator"),
            new { reason = "again" },
            status: 404
        );

        Assert.Equal("a drill", Text(acknowledged, "reason"));
        Assert.Empty(await FindingsAsync());
        await ReconcileAsync();
        Assert.NotEqual(id, (await FindingsAsync()).Single().GetProperty("finding_id").GetInt64());
    }

    private static string Text(JsonElement value, string name) => value.GetProperty(name).GetString()!;

    private Task ReconcileAsync() =>
        new LedgerReconciliation(
            new Database(source, new OutboxSignal(), TimeProvider.System),
            TimeProvider.System,
            NullLogger<LedgerReconciliation>.Instance
        ).RunAsync(default);

    private async Task<JsonElement[]> FindingsAsync() =>
        [
            .. (await service.CallAsync(HttpMethod.Get, "/ops/v1/ledger/findings?open=true", operators.Mint("viewer")))
                .GetProperty("data")
                .EnumerateArray(),
        ];

    private async Task PlantAsync(string sql)
    {
        await using var super = new NpgsqlConnection(database.SuperuserConnectionString);
        await super.OpenAsync();
        await super.ExecuteAsync($"SET session_replication_role = replica; {sql}");
    }
}
