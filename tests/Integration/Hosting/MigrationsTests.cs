using LocalPlus.Hosting;
using LocalPlus.Tests.Integration.Support;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace LocalPlus.Tests.Integration.Hosting;

public sealed class MigrationsTests : IAsyncLifetime
{
    private TestDatabase database = null!;

    public async Task InitializeAsync() =>
        database = await TestDatabase.CreateAsync("hosting", typeof(MigrationsTests).Assembly);

    public async Task DisposeAsync() => await database.DisposeAsync();

    [Fact]
    public async Task The_previous_release_is_served_while_a_script_waits_for_its_locks()
    {
        await using var reader = new NpgsqlConnection(database.ConnectionString);
        await reader.OpenAsync();
        await using var longRead = await reader.BeginTransactionAsync();
        await ExecuteAsync(reader, "SELECT count(*) FROM dead_letters");
        var migration = MigrateAsync("ALTER TABLE dead_letters ADD COLUMN extra int");
        await Eventually.TrueAsync(async () =>
            await database.ScalarAsync<long>(
                "SELECT count(*) FROM pg_locks WHERE relation = 'dead_letters'::regclass AND NOT granted AND mode = 'AccessExclusiveLock'"
            ) == 1
        );

        // It queues up behind the script, which gives way.
        await using var writer = new NpgsqlConnection(database.ConnectionString);
        await writer.OpenAsync();
        await ExecuteAsync(
            writer,
            "INSERT INTO dead_letters (topic, event_id, payload, received_at) VALUES ('t', 'e', '1', now())"
        );

        Assert.False(migration.IsCompleted);
        await longRead.RollbackAsync();
        await migration;
        Assert.Equal(
            1,
            await database.ScalarAsync<long>(
                "SELECT count(*) FROM information_schema.columns WHERE column_name = 'extra'"
            )
        );
    }

    [Fact]
    public async Task An_index_is_built_beside_the_traffic_and_anew_if_the_first_try_died()
    {
        const string script = """
            -- outside a transaction
            DROP INDEX CONCURRENTLY IF EXISTS ix_dead_letters_state;

            CREATE INDEX CONCURRENTLY ix_dead_letters_state ON dead_letters (state);
            """;
        await database.AsOwnerAsync("CREATE INDEX ix_dead_letters_state ON dead_letters (event_id)");

        await MigrateAsync(script.ReplaceLineEndings("\n"));

        Assert.True(
            await database.ScalarAsync<bool>(
                "SELECT indisvalid AND pg_get_indexdef(indexrelid) LIKE '%(state)' FROM pg_index WHERE indexrelid = 'ix_dead_letters_state'::regclass"
            )
        );
    }

    [Fact]
    public async Task A_script_that_fails_leaves_nothing_and_stops_the_start()
    {
        await Assert.ThrowsAsync<PostgresException>(() => MigrateAsync("CREATE TABLE half (id int); SELECT 1 / 0;"));

        Assert.True(await database.ScalarAsync<bool>("SELECT to_regclass('half') IS NULL"));
    }

    [Fact]
    public async Task Fault_17_A_process_that_serves_can_only_look_whether_the_schema_is_complete()
    {
        var serving = Migrations(database.ConnectionString);
        await serving.CheckAsync(CancellationToken.None);

        await database.AsOwnerAsync("DELETE FROM schema_migrations WHERE name = 'shared/0002_inbox_by_age.sql'");
        var refusal = await Assert.ThrowsAsync<InvalidOperationException>(() =>
            serving.CheckAsync(CancellationToken.None)
        );
        Assert.Contains("shared/0002_inbox_by_age.sql", refusal.Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<PostgresException>(() =>
            serving.RunAsync([("hosting/9999_test.sql", "SELECT 1")], CancellationToken.None)
        );
    }

    [Fact]
    public async Task Fault_17_A_schema_that_was_never_made_is_named_too()
    {
        await database.AsOwnerAsync("DROP TABLE schema_migrations");

        await Assert.ThrowsAsync<InvalidOperationException>(() =>
            Migrations(database.ConnectionString).CheckAsync(CancellationToken.None)
        );
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }

    private Task MigrateAsync(string script) =>
        Migrations(database.OwnerConnectionString)
            .RunAsync([("hosting/9999_test.sql", script)], CancellationToken.None);

    private static Migrations Migrations(string connectionString)
    {
        var configuration = new ConfigurationBuilder()
            .AddInMemoryCollection(
                new Dictionary<string, string?>
                {
                    ["Secrets:database"] = connectionString,
                    ["Secrets:app_role"] = "hosting",
                }
            )
            .Build();
        return new Migrations(
            new ServiceIdentity("hosting", typeof(MigrationsTests).Assembly),
            configuration,
            NullLogger<Migrations>.Instance
        );
    }
}
