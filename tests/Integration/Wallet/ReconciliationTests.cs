using Grpc.Core;
using LocalPlus.Contracts.Ledger.V1;
using LocalPlus.Hosting;
using LocalPlus.Kernel;
using LocalPlus.Tests.Integration.Support;
using LocalPlus.Wallet.Customers;
using LocalPlus.Wallet.Reconciliation;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace LocalPlus.Tests.Integration.Wallet;

public sealed class ReconciliationTests : IAsyncLifetime
{
    private static readonly MerchantId Merchant = MerchantId.New(TimeProvider.System);
    private readonly OutboxSignal signal = new();
    private readonly FakeLedger ledger = new();
    private TestDatabase database = null!;
    private NpgsqlDataSource source = null!;

    public async Task InitializeAsync()
    {
        database = await TestDatabase.CreateAsync("wallet", typeof(PersonalData).Assembly);
        TypeHandlers.Register();
        source = NpgsqlDataSource.Create(database.ConnectionString);
    }

    public async Task DisposeAsync()
    {
        await source.DisposeAsync();
        await database.DisposeAsync();
        signal.Dispose();
    }

    [Fact]
    public async Task Equal_balances_leave_a_clean_record()
    {
        for (var i = 0; i < 250; i++)
        {
            ledger.Accounts[await SnapshotAsync(sequence: 3, posted: i)] = (3, i);
        }

        await RunAsync();

        Assert.Equal([(250L, 0L)], await RunsAsync());
    }

    [Fact]
    public async Task Each_kind_of_difference_is_recorded_and_nothing_is_repaired()
    {
        var (mismatch, ahead, behind, unknown) = (
            await SnapshotAsync(5, 100),
            await SnapshotAsync(5, 100),
            await SnapshotAsync(5, 100),
            await SnapshotAsync(5, 100)
        );
        ledger.Accounts[mismatch] = (5, 101);
        ledger.Accounts[ahead] = (4, 100);
        ledger.Accounts[behind] = (6, 100);

        await RunAsync();

        var findings = await FindingsAsync();
        Assert.Equal("mismatch", findings[mismatch]);
        Assert.Equal("ahead", findings[ahead]);
        Assert.Equal("behind", findings[behind]);
        Assert.Equal("unknown_account", findings[unknown]);
        Assert.Equal([(4L, 4L)], await RunsAsync());
        Assert.Equal(
            [100L, 100L, 100L, 100L],
            await QueryAsync("SELECT posted FROM balance_snapshots", r => r.GetInt64(0))
        );
    }

    [Fact]
    public async Task What_is_held_is_compared_too()
    {
        var (right, wrong, missed, ahead, untold) = (
            await SnapshotAsync(5, 100),
            await SnapshotAsync(5, 100),
            await SnapshotAsync(5, 100),
            await SnapshotAsync(5, 100),
            await SnapshotAsync(5, 100)
        );
        foreach (var account in new[] { right, wrong, missed, ahead, untold })
        {
            ledger.Accounts[account] = (5, 100);
            ledger.Held[account] = (8, 40);
        }

        // Entries came after it was told: they change nothing of it.
        await HeldAsync(right, held: 40, sequence: 7);
        await HeldAsync(wrong, held: 41, sequence: 8);
        await HeldAsync(missed, held: 0, sequence: 6);
        await HeldAsync(ahead, held: 40, sequence: 9);

        await RunAsync();

        var findings = await FindingsAsync();
        Assert.False(findings.ContainsKey(right));
        Assert.Equal("mismatch", findings[wrong]);
        Assert.Equal("behind", findings[missed]);
        Assert.Equal("ahead", findings[ahead]);
        Assert.Equal("behind", findings[untold]);
        var told = await QueryAsync(
            $"SELECT snapshot_held, ledger_held FROM reconciliation_findings WHERE account_id = '{wrong.Value}'",
            r => (r.GetInt64(0), r.GetInt64(1))
        );
        Assert.Equal((41L, 40L), Assert.Single(told));
    }

    [Fact]
    public async Task An_event_that_arrives_within_the_settling_time_is_no_finding()
    {
        var late = await SnapshotAsync(sequence: 1, posted: 100);
        ledger.Accounts[late] = (2, 150);

        await RunAsync(duringSettle: () =>
            Execute($"UPDATE balance_snapshots SET sequence = 2, posted = 150 WHERE account_id = '{late.Value}'")
        );

        Assert.Empty(await FindingsAsync());
    }

    [Fact]
    public async Task Fault_13_a_sidecar_that_knows_no_ledger_makes_no_account_unknown()
    {
        await SnapshotAsync(1, 100);
        ledger.HasWord = false;

        await Assert.ThrowsAsync<RpcException>(() => RunAsync());

        Assert.Empty(await FindingsAsync());
        Assert.Empty(await RunsAsync());
    }

    [Fact]
    public void Findings_can_not_be_changed_by_the_service() =>
        Assert.Throws<PostgresException>(() =>
            Execute("UPDATE reconciliation_findings SET kind = 'ahead'", database.ConnectionString)
        );

    private Task RunAsync(Action? duringSettle = null)
    {
        var (own, balances) = (
            new Database(source, signal, TimeProvider.System),
            new LedgerBalances(ledger, TimeProvider.System)
        );
        return new BalanceReconciliation(
            own,
            balances,
            new MemberComparison(own, balances),
            new SkippingTime(duringSettle),
            NullLogger<BalanceReconciliation>.Instance
        ).RunAsync(default);
    }

    private async Task<AccountId> SnapshotAsync(long sequence, long posted)
    {
        var account = AccountId.New(TimeProvider.System);
        await using var command = source.CreateCommand(
            """
            INSERT INTO balance_snapshots (account_id, merchant_id, gift_card_id, currency, posted, sequence, updated_at)
            VALUES ($1, $2, $1, 'EUR', $3, $4, now())
            """
        );
        command.Parameters.AddWithValue(account.Value);
        command.Parameters.AddWithValue(Merchant.Value);
        command.Parameters.AddWithValue(posted);
        command.Parameters.AddWithValue(sequence);
        await command.ExecuteNonQueryAsync();
        return account;
    }

    private async Task HeldAsync(AccountId account, long held, long sequence)
    {
        await using var command = source.CreateCommand(
            """
            INSERT INTO held_snapshots (account_id, merchant_id, gift_card_id, currency, held, sequence, updated_at)
            VALUES ($1, $2, $1, 'EUR', $3, $4, now())
            """
        );
        command.Parameters.AddWithValue(account.Value);
        command.Parameters.AddWithValue(Merchant.Value);
        command.Parameters.AddWithValue(held);
        command.Parameters.AddWithValue(sequence);
        await command.ExecuteNonQueryAsync();
    }

    private Task<List<(long, long)>> RunsAsync() =>
        QueryAsync(
            "SELECT accounts_checked, findings_count FROM reconciliation_runs",
            r => (r.GetInt64(0), r.GetInt64(1))
        );

    private async Task<Dictionary<AccountId, string>> FindingsAsync() =>
        (
            await QueryAsync(
                "SELECT account_id, kind FROM reconciliation_findings",
                r => (r.GetGuid(0), r.GetString(1))
            )
        ).ToDictionary(f => new AccountId(f.Item1), f => f.Item2);

    private async Task<List<T>> QueryAsync<T>(string sql, Func<NpgsqlDataReader, T> read)
    {
        await using var command = source.CreateCommand(sql);
        await using var reader = await command.ExecuteReaderAsync();
        var rows = new List<T>();
        while (await reader.ReadAsync())
        {
            rows.Add(read(reader));
        }

        return rows;
    }

    private void Execute(string sql, string? connectionString = null)
    {
        using var connection = new NpgsqlConnection(connectionString ?? database.OwnerConnectionString);
        connection.Open();
        using var command = new NpgsqlCommand(sql, connection);
        command.ExecuteNonQuery();
    }

    /// <summary>
    /// The ledger as a dictionary; one unknown account refuses the whole question, as the real one does.
    /// </summary>
    private sealed class FakeLedger : LedgerService.LedgerServiceClient
    {
        public Dictionary<AccountId, (long Version, long Posted)> Accounts { get; } = [];

        public Dictionary<AccountId, (long Revision, long Held)> Held { get; } = [];

        /// <summary>False: not found is said by a sidecar, of the whole ledger.</summary>
        public bool HasWord { get; set; } = true;

        public override AsyncUnaryCall<GetAccountsResponse> GetAccountsAsync(
            GetAccountsRequest request,
            CallOptions options
        )
        {
            var response = new GetAccountsResponse();
            foreach (var id in request.AccountIds)
            {
                if (!Accounts.TryGetValue(AccountId.Parse(id), out var account))
                {
                    return Call(
                        Task.FromException<GetAccountsResponse>(
                            new RpcException(
                                new Status(StatusCode.NotFound, "no such account"),
                                HasWord ? new Metadata { { GrpcFaults.CodeTrailer, "not_found" } } : []
                            )
                        )
                    );
                }

                var (revision, held) = Held.GetValueOrDefault(AccountId.Parse(id));
                response.Accounts.Add(
                    new Account
                    {
                        AccountId = id,
                        Version = account.Version,
                        Posted = account.Posted,
                        Revision = revision,
                        Held = held,
                    }
                );
            }

            return Call(Task.FromResult(response));
        }

        private static AsyncUnaryCall<GetAccountsResponse> Call(Task<GetAccountsResponse> response) =>
            new(response, Task.FromResult(new Metadata()), () => Status.DefaultSuccess, () => [], () => { });
    }

    /// <summary>A clock on which every wait is over at once.</summary>
    private sealed class SkippingTime(Action? duringWait) : TimeProvider
    {
        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            duringWait?.Invoke();
            return base.CreateTimer(callback, state, TimeSpan.Zero, period);
        }
    }
}
