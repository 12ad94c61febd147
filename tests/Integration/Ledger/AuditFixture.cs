using System.Security.Cryptography;
using Dapper;
using LocalPlus.Kernel;
using LocalPlus.Ledger.Audit;
using LocalPlus.Ledger.Proof;
using LocalPlus.Tests.Integration.Support;
using Microsoft.Extensions.Configuration;
using Npgsql;

namespace LocalPlus.Tests.Integration.Ledger;

/// <summary>Books of 40 transactions with all they can have, sealed, of which each test tampers with a copy.</summary>
public sealed class AuditFixture : IAsyncLifetime
{
    public const int Transactions = 40;
    private readonly LedgerFixture ledger = new();
    private string keyPath = "";

    /// <summary>The transactions in the order of the log.</summary>
    public IReadOnlyList<TransactionId> Logged { get; private set; } = [];

    /// <summary>Recorded after the first half, before the second.</summary>
    public DateTimeOffset Halfway { get; private set; }

    public async Task InitializeAsync()
    {
        await ledger.InitializeAsync();
        await PostAsync();
        await using (var database = NpgsqlDataSource.Create(ledger.Database.ConnectionString))
        {
            await using var connection = await database.OpenConnectionAsync();
            await Eventually.TrueAsync(() =>
                Task.FromResult(
                    File.Exists(ledger.CheckpointPath)
                        && CheckpointFile.Read(ledger.CheckpointPath).LastOrDefault()?.Size == Transactions
                )
            );
            Logged =
            [
                .. (
                    await connection.QueryAsync<Guid>("SELECT transaction_id FROM log_leaves ORDER BY leaf_index")
                ).Select(id => new TransactionId(id)),
            ];
        }

        await ledger.Service.DisposeAsync();
        using var key = ECDsa.Create();
        key.ImportPkcs8PrivateKey(Convert.FromBase64String(RunningService.CheckpointKey), out _);
        keyPath = $"{ledger.CheckpointPath}.pem";
        await File.WriteAllTextAsync(keyPath, key.ExportSubjectPublicKeyInfoPem());
    }

    public async Task DisposeAsync()
    {
        File.Delete(keyPath);
        await ledger.DisposeAsync();
    }

    /// <summary>
    /// Changes a copy as a superuser who knows how to get around triggers and keys; what a check then says.
    /// </summary>
    public async Task<(int ExitCode, string Output)> TamperAsync(string sql, params string[] verb)
    {
        await using var copy = await ledger.Database.CloneAsync();
        await using (var super = new NpgsqlConnection(copy.SuperuserConnectionString))
        {
            await super.OpenAsync();
            await super.ExecuteAsync($"SET session_replication_role = replica; {sql}");
        }

        return await RunAsync(copy, verb);
    }

    public Task<(int ExitCode, string Output)> VerifyAsync(string sql) =>
        TamperAsync(sql, "verify", "--key", keyPath, "--checkpoints", ledger.CheckpointPath);

    /// <summary>Does to a copy what SQL alone can not.</summary>
    internal async Task<(int ExitCode, string Output)> ForgeAsync(Func<NpgsqlConnection, Task> forge)
    {
        await using var copy = await ledger.Database.CloneAsync();
        await using (var super = new NpgsqlConnection(copy.SuperuserConnectionString))
        {
            await super.OpenAsync();
            await super.ExecuteAsync("SET session_replication_role = replica");
            await forge(super);
        }

        return await RunAsync(copy, ["verify", "--key", keyPath, "--checkpoints", ledger.CheckpointPath]);
    }

    private static async Task<(int ExitCode, string Output)> RunAsync(TestDatabase copy, string[] verb)
    {
        var configuration = new ConfigurationBuilder()
            .AddInMemoryCollection(new Dictionary<string, string?> { ["Secrets:database"] = copy.ConnectionString })
            .Build();
        await using var output = new StringWriter();
        return (await AuditCommand.RunAsync(verb, configuration, output, default), output.ToString());
    }

    private async Task PostAsync()
    {
        var (clearing, card) = (await ledger.OpenAsync("clearing", unbounded: true), await ledger.OpenAsync("audited"));
        for (var i = 0; i < Transactions; i++)
        {
            if (i == Transactions / 2)
            {
                await using var connection = new NpgsqlConnection(ledger.Database.ConnectionString);
                Halfway = (
                    await connection.QuerySingleAsync<DateTime>(
                        "SELECT max(recorded_at) + interval '1 ms' FROM transactions"
                    )
                );
                await Eventually.TrueAsync(() => TimeProvider.System.GetUtcNow() > Halfway.AddMilliseconds(5));
            }

            await ledger.PostAsync($"audit-{i}", clearing, card, 100 + i);
        }

        await ledger.Client.PlaceHoldAsync(ledger.HoldOf("audit-hold", 70, card), ledger.Options);
    }
}
