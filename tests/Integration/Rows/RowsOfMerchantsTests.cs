using Dapper;
using LocalPlus.Hosting;
using LocalPlus.Kernel;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace LocalPlus.Tests.Integration.Rows;

/// <summary>
/// The second lock (ADR 0058), in every service and every table of its: statements that forgot to ask for one
/// merchant's rows.
/// </summary>
public sealed class RowsOfMerchantsTests
{
    /// <summary>The tables without the lock, and why each has none.</summary>
    private static readonly Dictionary<string, string> Unlocked = new(StringComparer.Ordinal)
    {
        ["schema_migrations"] = "which migrations there are",
        ["partitioned_tables"] = "which tables of days there are",
        ["table_partitions"] = "which days they have",
        ["job_runs"] = "operators read them",
        ["outbox_events"] = "requests only add to it, in a coalition for others too; the relay reads it",
        ["inbox_events"] = "ids of events, of consumers alone",
        ["dead_letters"] = "consumers write and operators read them",
        ["tasks"] = "requests only add to it, and workers are no merchant's",
        ["giftcard redemption_run_steps"] = "the engine writes and operators read them",
        ["giftcard operator_actions"] = "operators write and read them",
        ["giftcard run_bulks"] = "operators write and read them",
        ["giftcard run_bulk_items"] = "operators choose and read them, and workers are no merchant's",
        ["ledger log_leaves"] = "hashes, in one order for all",
        ["ledger log_nodes"] = "hashes",
        ["ledger log_checkpoints"] = "what was signed, which anybody may read",
        ["ledger log_cursor"] = "how far the log is",
        ["ledger reconciliation_findings"] = "a job writes and operators read them",
        ["wallet pii_keys"] = "versions of a key, of all alike",
        ["wallet reconciliation_runs"] = "a job writes and operators read them",
    };

    public static TheoryData<string, string> Services =>
        new()
        {
            { "analytics", "LocalPlus.Analytics" },
            { "giftcard", "LocalPlus.Giftcard" },
            { "ledger", "LocalPlus.Ledger" },
            { "merchant", "LocalPlus.Merchant" },
            { "notification", "LocalPlus.Notification" },
            { "wallet", "LocalPlus.Wallet" },
        };

    [Theory]
    [MemberData(nameof(Services))]
    public async Task T41_no_table_is_without_the_lock_unless_it_is_said_why(string service, string assembly)
    {
        await using var both = await TwoMerchants.CreateAsync(service, assembly);

        Assert.Equal(
            Unlocked
                .Keys.Where(key => !key.Contains(' ') || key.StartsWith($"{service} ", StringComparison.Ordinal))
                .Select(key => key.Split(' ')[^1])
                .Order(StringComparer.Ordinal),
            both.Tables.Where(table => !table.IsLocked).Select(table => table.Name).Order(StringComparer.Ordinal)
        );
    }

    [Theory]
    [MemberData(nameof(Services))]
    public async Task T41_without_a_condition_a_request_sees_the_rows_of_its_own_merchant(
        string service,
        string assembly
    )
    {
        await using var both = await TwoMerchants.CreateAsync(service, assembly);
        await using var provider = both.Open();
        var database = provider.GetRequiredService<Database>();
        await using (var untold = await database.Source.OpenConnectionAsync())
        {
            foreach (var table in both.Locked)
            {
                Assert.Empty(await untold.QueryAsync<string>($"SELECT t::text FROM {table.Name} t"));
            }
        }

        foreach (var table in both.Locked)
        {
            Task<IReadOnlyList<string>> SeenAsync() =>
                database.QueryAsync<string>($"SELECT t::text FROM {table.Name} t", null, default);

            // One connection in the pool: what one flow said on it, the next one must not inherit.
            Assert.Equal([both.Row(table, both.Mine)], await ForAsync(both.Mine, SeenAsync));
            Assert.Equal([both.Row(table, both.Theirs)], await ForAsync(both.Theirs, SeenAsync));
            Assert.Equal(2, (await SeenAsync()).Count);
            Assert.Empty(await ForUnknownAsync(SeenAsync));
        }
    }

    [Theory]
    [MemberData(nameof(Services))]
    public async Task T41_nothing_of_another_merchant_is_changed_deleted_or_made(string service, string assembly)
    {
        await using var both = await TwoMerchants.CreateAsync(service, assembly);
        await using var provider = both.Open();
        var database = provider.GetRequiredService<Database>();

        Task<int> TouchAsync(string sql) =>
            ForAsync(
                both.Mine,
                async () =>
                {
                    // Of what refers to the row nothing is said here: it is taken back.
                    await using var db = await database.BeginAsync(default);
                    return await db.ExecuteAsync(sql);
                }
            );

        foreach (var table in both.Locked)
        {
            if (table.Updates is { } column)
            {
                Assert.Equal(1, await TouchAsync($"UPDATE {table.Name} SET {column} = {column}"));
            }

            if (table.Deletes)
            {
                Assert.Equal(1, await TouchAsync($"DELETE FROM {table.Name}"));
            }

            if (table.Inserts)
            {
                var refused = await Assert.ThrowsAsync<PostgresException>(() =>
                    TouchAsync(both.Insert(table, both.Theirs))
                );
                Assert.Equal(PostgresErrorCodes.InsufficientPrivilege, refused.SqlState);
                Assert.Contains("row-level security", refused.MessageText, StringComparison.Ordinal);
            }
        }
    }

    [Fact]
    public async Task T41_what_many_merchants_share_is_written_for_all_of_them()
    {
        await using var both = await TwoMerchants.CreateAsync("giftcard", "LocalPlus.Giftcard");
        await using var provider = both.Open();
        var database = provider.GetRequiredService<Database>();
        var minute = DateTimeOffset.UnixEpoch;
        var commit = new GroupCommit<MerchantId, bool>(
            database,
            async (db, merchants) =>
            {
                await db.ExecuteAsync(
                    "INSERT INTO code_misses (merchant_id, minute, misses) SELECT m, @Minute, 1 FROM unnest(@Of) AS m",
                    new { Minute = minute, Of = merchants.Select(m => m.Value).ToArray() }
                );
                return [.. merchants.Select(_ => true)];
            }
        );

        // Whoever comes first starts the writer, and others come in its flow.
        await ForAsync(both.Mine, () => commit.WriteAsync(both.Theirs, default));
        await ForAsync(both.Theirs, () => commit.WriteAsync(both.Mine, default));

        var written = "SELECT merchant_id FROM code_misses WHERE minute = @Minute";
        Assert.Equal(
            new[] { both.Mine.Value, both.Theirs.Value }.Order(),
            (await database.QueryAsync<Guid>(written, new { Minute = minute }, default)).Order()
        );
    }

    [Fact]
    public async Task T41_an_issuer_sees_what_is_on_its_way_back_to_its_card_from_another_merchant_s_till()
    {
        await using var both = await TwoMerchants.CreateAsync("giftcard", "LocalPlus.Giftcard");
        await both.ArrangeAsync(
            """
            UPDATE redemption_legs l
               SET gift_card_id = c.gift_card_id
              FROM gift_cards c, redemptions r
             WHERE c.merchant_id = @Mine
               AND r.merchant_id = @Theirs
               AND r.redemption_id = l.redemption_id
            """,
            new { Mine = both.Mine.Value, Theirs = both.Theirs.Value }
        );
        await using var provider = both.Open();
        var database = provider.GetRequiredService<Database>();

        Task<IReadOnlyList<Guid>> OfCardsAsync() =>
            database.QueryAsync<Guid>(
                "SELECT f.merchant_id FROM redemption_legs l JOIN redemption_refunds f USING (redemption_id)",
                null,
                default
            );

        Assert.Equal(
            new[] { both.Mine.Value, both.Theirs.Value }.Order(),
            (await ForAsync(both.Mine, OfCardsAsync)).Order()
        );
        // The other's till sees its own payment, and nothing else.
        Assert.Equal([both.Theirs.Value], await ForAsync(both.Theirs, OfCardsAsync));
    }

    [Fact]
    public async Task T41_a_session_is_told_when_it_works_for_somebody_else_and_not_again()
    {
        await using var both = await TwoMerchants.CreateAsync("giftcard", "LocalPlus.Giftcard");
        var log = new SentCommands();
        await using var provider = both.Open(log);
        var database = provider.GetRequiredService<Database>();

        Task<IReadOnlyList<int>> AskAsync() => database.QueryAsync<int>("SELECT 1", null, default);

        var told = new List<int>();
        foreach (var ask in (Func<Task>[])[AskAsync, AskAsync, MineAsync, MineAsync, AskAsync, AskAsync])
        {
            await ask();
            told.Add(log.Count("set_config"));
        }

        Assert.Equal([1, 1, 2, 2, 3, 3], told);

        Task MineAsync() => ForAsync(both.Mine, AskAsync);
    }

    [Fact]
    public async Task T41_what_a_transaction_takes_back_is_not_for_whom_its_session_works()
    {
        await using var both = await TwoMerchants.CreateAsync("giftcard", "LocalPlus.Giftcard");
        await using var provider = both.Open();
        var database = provider.GetRequiredService<Database>();
        await ForAsync(
            both.Mine,
            async () =>
            {
                await using var db = await database.BeginAsync(default);
                return await Assert.ThrowsAsync<PostgresException>(() => db.ExecuteAsync("SELECT 1 / 0"));
            }
        );

        var seen = await ForAsync(
            both.Mine,
            () => database.QueryAsync<string>("SELECT t::text FROM gift_cards t", null, default)
        );

        Assert.Equal([both.Row(both.Tables.Single(t => t.Name == "gift_cards"), both.Mine)], seen);
    }

    private static async Task<T> ForAsync<T>(MerchantId merchant, Func<Task<T>> act)
    {
        using var scope = RowSecurity.For(merchant);
        return await act();
    }

    private static async Task<T> ForUnknownAsync<T>(Func<Task<T>> act)
    {
        RowSecurity.EnterUnknown();
        return await act();
    }

    /// <summary>What Npgsql says that it has sent.</summary>
    private sealed class SentCommands : ILoggerProvider, ILogger
    {
        private readonly List<string> lines = [];

        public int Count(string text) => lines.Count(line => line.Contains(text, StringComparison.Ordinal));

        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(
            LogLevel logLevel,
            Microsoft.Extensions.Logging.EventId eventId,
            TState state,
            Exception? exception,
            Func<TState, Exception?, string> formatter
        )
        {
            var line = formatter(state, exception);
            if (line.Contains("completed", StringComparison.Ordinal))
            {
                lines.Add(line);
            }
        }

        public void Dispose() { }
    }
}
