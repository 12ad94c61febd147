using Dapper;
using Npgsql;

namespace LocalPlus.Tests.Integration.Ledger;

/// <summary>What the database refuses by itself, whatever the program thinks.</summary>
public sealed class SchemaTests(LogDatabase log) : IClassFixture<LogDatabase>
{
    public static readonly TheoryData<string> AppendOnly =
    [
        "transactions",
        "ledger_entries",
        "log_leaves",
        "log_nodes",
        "log_checkpoints",
    ];

    [Theory]
    [MemberData(nameof(AppendOnly))]
    public async Task The_service_s_role_may_not_rewrite_an_append_only_table(string table)
    {
        Assert.Equal(
            PostgresErrorCodes.InsufficientPrivilege,
            await RefusalAsync(log.Source, $"UPDATE {table} SET {await ColumnAsync(table)} = NULL")
        );
        Assert.Equal(PostgresErrorCodes.InsufficientPrivilege, await RefusalAsync(log.Source, $"DELETE FROM {table}"));
        Assert.Equal(
            PostgresErrorCodes.InsufficientPrivilege,
            await RefusalAsync(log.Source, $"TRUNCATE {table} CASCADE")
        );
    }

    [Theory]
    [MemberData(nameof(AppendOnly))]
    public async Task Nor_may_the_owner_while_the_trigger_stands(string table)
    {
        await using var owner = NpgsqlDataSource.Create(log.OwnerConnectionString);
        foreach (
            var statement in (string[])
                [
                    $"UPDATE {table} SET {await ColumnAsync(table)} = NULL",
                    $"DELETE FROM {table}",
                    $"TRUNCATE {table} CASCADE",
                ]
        )
        {
            Assert.Equal(PostgresErrorCodes.RestrictViolation, await RefusalAsync(owner, statement));
        }
    }

    [Theory]
    [InlineData("UPDATE accounts SET asset = 'USD'")]
    [InlineData("UPDATE accounts SET merchant_id = gen_random_uuid()")]
    [InlineData("UPDATE holds SET requested = 1")]
    [InlineData("UPDATE hold_items SET held = 1")]
    [InlineData("DELETE FROM accounts")]
    [InlineData("DELETE FROM holds")]
    [InlineData("DELETE FROM reconciliation_findings")]
    [InlineData("UPDATE reconciliation_findings SET first_seen_at = now()")]
    [InlineData("CREATE TABLE mine (id int)")]
    public async Task The_service_s_role_may_not_change_who_an_account_or_a_hold_is(string statement) =>
        Assert.Equal(PostgresErrorCodes.InsufficientPrivilege, await RefusalAsync(log.Source, statement));

    [Fact]
    public async Task Every_table_has_a_primary_key_and_every_index_is_whole()
    {
        await using var connection = await log.Source.OpenConnectionAsync();
        Assert.Empty(
            await connection.QueryAsync<string>(
                """
                SELECT relname FROM pg_class c
                 WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
                   AND NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = c.oid AND contype = 'p')
                """
            )
        );
        Assert.Empty(
            await connection.QueryAsync<string>("SELECT indexrelid::regclass::text FROM pg_index WHERE NOT indisvalid")
        );
    }

    private static async Task<string?> RefusalAsync(NpgsqlDataSource source, string sql)
    {
        await using var command = source.CreateCommand(sql);
        return (await Assert.ThrowsAsync<PostgresException>(() => command.ExecuteNonQueryAsync())).SqlState;
    }

    private async Task<string> ColumnAsync(string table)
    {
        await using var connection = await log.Source.OpenConnectionAsync();
        return (
            await connection.ExecuteScalarAsync<string>(
                "SELECT attname::text FROM pg_attribute WHERE attrelid = CAST(@table AS regclass) AND attnum = 2",
                new { table }
            )
        )!;
    }
}
