using LocalPlus.Tests.Integration.Support;
using Npgsql;

namespace LocalPlus.Tests.Integration.Hosting;

/// <summary>How a table becomes one of days under the previous release's hands, and how its days are kept.</summary>
public sealed class PartitionTests : IAsyncLifetime
{
    /// <summary>The previous release's, on a table of the shape that it knew.</summary>
    private const string Find = "SELECT note FROM notes WHERE owner_id = $1 AND key = $2";
    private const string Store = """
        INSERT INTO notes (owner_id, key, note, made_at) VALUES ($1, $2, $3, now()) ON CONFLICT DO NOTHING
        """;
    private const string Forget = """
        DELETE FROM notes WHERE ctid = ANY (ARRAY(SELECT ctid FROM notes WHERE made_at <= now() - interval '30 days'))
        """;

    private readonly Guid owner = Guid.CreateVersion7();
    private TestDatabase database = null!;
    private NpgsqlDataSource source = null!;

    public async Task InitializeAsync()
    {
        database = await TestDatabase.CreateAsync("hosting", typeof(PartitionTests).Assembly);
        source = NpgsqlDataSource.Create(
            new NpgsqlConnectionStringBuilder(database.ConnectionString)
            {
                MaxAutoPrepare = 10,
                AutoPrepareMinUsages = 2,
            }.ConnectionString
        );
        await database.AsOwnerAsync(
            """
            CREATE TABLE notes (
                owner_id uuid        NOT NULL,
                key      text        NOT NULL CHECK (length(key) BETWEEN 1 AND 255),
                note     text        NOT NULL DEFAULT '',
                made_at  timestamptz NOT NULL,
                PRIMARY KEY (owner_id, key)
            );
            CREATE INDEX ix_notes_made_at ON notes (made_at);
            GRANT SELECT, INSERT, UPDATE, DELETE ON notes TO hosting
            """
        );
    }

    public async Task DisposeAsync()
    {
        await source.DisposeAsync();
        await database.DisposeAsync();
    }

    [Fact]
    public async Task The_previous_release_writes_and_finds_while_a_table_becomes_one_of_days_and_after()
    {
        using var end = new CancellationTokenSource();
        var written = 0;
        async Task ServeAsync()
        {
            while (!end.IsCancellationRequested)
            {
                var key = $"{Interlocked.Increment(ref written)}";
                Assert.Equal(1, await ExecuteAsync(Store, owner, key, $"note {key}"));
                Assert.Equal(0, await ExecuteAsync(Store, owner, key, "another"));
                Assert.Equal($"note {key}", await ScalarAsync(Find, owner, key));
            }
        }

        await ExecuteAsync(Store, owner, "first", "note first");
        var serving = Enumerable.Range(0, 4).Select(_ => ServeAsync()).ToArray();
        async Task PassAsync(int more)
        {
            var until = Volatile.Read(ref written) + more;
            await Eventually.TrueAsync(() =>
                Task.FromResult(Volatile.Read(ref written) >= until || Array.Exists(serving, s => s.IsFaulted))
            );
        }

        await PassAsync(50);
        await BeginAsync();
        await PassAsync(50);
        await database.AsOwnerAsync("SELECT validate_partitions('notes')");
        await EndAsync();
        await PassAsync(50);
        await end.CancelAsync();
        await Task.WhenAll(serving);

        Assert.Equal("note first", await ScalarAsync(Find, owner, "first"));
        Assert.Equal(written + 1L, await database.ScalarAsync<long>("SELECT count(*) FROM notes"));
        Assert.Equal(
            written + 1L,
            await database.ScalarAsync<long>("SELECT count(*) FROM notes WHERE tableoid = 'notes_before'::regclass")
        );
        // Again, as a start that died half-way does.
        await BeginAsync();
        await database.AsOwnerAsync("SELECT validate_partitions('notes')");
        await EndAsync();
    }

    [Fact]
    public async Task A_start_that_died_before_the_end_begins_anew_with_a_later_bound()
    {
        await ExecuteAsync(Store, owner, "first", "note first");
        await BeginAsync();
        await database.AsOwnerAsync("UPDATE table_partitions SET until_at = now() WHERE of_table = 'notes'");

        await BeginAsync();
        await database.AsOwnerAsync("SELECT validate_partitions('notes')");
        await EndAsync();

        Assert.True(
            await database.ScalarAsync<bool>(
                "SELECT until_at > now() + interval '12 days' FROM table_partitions WHERE name = 'notes_before'"
            )
        );
        Assert.Equal(1, await ExecuteAsync(Store, owner, "second", "note second"));
    }

    /// <summary>Row addresses are of one partition: deleting by them would take young rows of another.</summary>
    [Fact]
    public async Task The_previous_release_s_clean_up_is_refused_and_takes_nothing()
    {
        await ConvertAsync();
        await database.AsOwnerAsync(
            """
            SELECT add_partition('notes', today - interval '40 days', today - interval '39 days')
              FROM date_trunc('day', now(), 'UTC') AS today;
            INSERT INTO notes
            SELECT gen_random_uuid(), 'k', '', date_trunc('day', now(), 'UTC') - d * interval '1 day'
              FROM unnest('{0,40}'::int[]) AS d
            """
        );

        var refusal = await Assert.ThrowsAsync<PostgresException>(() => ExecuteAsync(Forget));

        Assert.Equal(PostgresErrorCodes.InsufficientPrivilege, refusal.SqlState);
        Assert.Equal(2, await database.ScalarAsync<long>("SELECT count(*) FROM notes"));
    }

    [Fact]
    public async Task A_day_that_is_over_is_dropped_and_no_young_one_whatever_time_is_told()
    {
        await ConvertAsync();
        await database.AsOwnerAsync(
            """
            SELECT add_partition('notes', today - d * interval '1 day', today - (d - 1) * interval '1 day')
              FROM date_trunc('day', now(), 'UTC') AS today, unnest('{40, 25}'::int[]) AS d
            """
        );

        var steps = await KeepAsync("9999-01-01");

        Assert.Equal(
            ["dropped"],
            steps.Where(step => step.StartsWith("dropped", StringComparison.Ordinal)).Select(s => s[..7])
        );
        Assert.Equal(
            1,
            await database.ScalarAsync<long>(
                """
                SELECT count(*) FROM table_partitions
                 WHERE of_table = 'notes' AND until_at < now() - interval '20 days'
                """
            )
        );
    }

    [Fact]
    public async Task What_came_before_its_day_was_made_moves_into_it()
    {
        await ConvertAsync();
        await database.AsOwnerAsync(
            """
            INSERT INTO notes
            SELECT gen_random_uuid(), 'k', '', date_trunc('day', now(), 'UTC') + interval '4 days 12 hours'
            """
        );
        Assert.Equal(1, await database.ScalarAsync<long>("SELECT count(*) FROM notes_default"));

        await KeepAsync("9999-01-01");

        Assert.Equal(0, await database.ScalarAsync<long>("SELECT count(*) FROM notes_default"));
        Assert.Equal(1, await database.ScalarAsync<long>("SELECT count(*) FROM notes"));
    }

    [Fact]
    public async Task Who_holds_the_table_is_let_pass()
    {
        await ConvertAsync();
        await database.AsOwnerAsync(
            """
            SELECT add_partition('notes', today - interval '40 days', today - interval '39 days')
              FROM date_trunc('day', now(), 'UTC') AS today
            """
        );
        await using var reader = await source.OpenConnectionAsync();
        await using var longRead = await reader.BeginTransactionAsync();
        await using (var command = new NpgsqlCommand("SELECT count(*) FROM notes", reader))
        {
            await command.ExecuteScalarAsync();
        }

        var busy = await Assert.ThrowsAsync<PostgresException>(() => KeepAsync("9999-01-01"));
        Assert.Equal(PostgresErrorCodes.LockNotAvailable, busy.SqlState);

        await longRead.RollbackAsync();
        Assert.Single(await KeepAsync("9999-01-01"), step => step.StartsWith("dropped", StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_service_s_role_makes_and_drops_days_by_that_one_function()
    {
        await ConvertAsync();
        foreach (
            var statement in (string[])
                [
                    "DROP TABLE notes_default",
                    "SELECT add_partition('notes', now(), now() + interval '1 day')",
                    "SELECT begin_partitions('dead_letters', 'received_at', 'instant', '{id}', 1)",
                    "SELECT when_unlocked('SELECT 1')",
                    "DELETE FROM table_partitions",
                    "UPDATE partitioned_tables SET keep_days = 1",
                ]
        )
        {
            var refusal = await Assert.ThrowsAsync<PostgresException>(() => ExecuteAsync(statement));
            Assert.Equal(PostgresErrorCodes.InsufficientPrivilege, refusal.SqlState);
        }
    }

    private async Task ConvertAsync()
    {
        await BeginAsync();
        await database.AsOwnerAsync("SELECT validate_partitions('notes')");
        await EndAsync();
    }

    private Task BeginAsync() =>
        database.AsOwnerAsync("SELECT begin_partitions('notes', 'made_at', 'instant', '{owner_id, key}', 30)");

    private Task EndAsync() => database.AsOwnerAsync("SELECT end_partitions('notes', '\"hosting\"')");

    private async Task<IReadOnlyList<string>> KeepAsync(string told)
    {
        var steps = new List<string>();
        while (await ScalarAsync($"SELECT keep_partitions('notes', '{told}')") is string step)
        {
            steps.Add(step);
        }

        return steps;
    }

    private async Task<int> ExecuteAsync(string sql, params object[] values)
    {
        await using var command = source.CreateCommand(sql);
        Array.ForEach(values, value => command.Parameters.Add(new NpgsqlParameter { Value = value }));
        return await command.ExecuteNonQueryAsync();
    }

    private async Task<object?> ScalarAsync(string sql, params object[] values)
    {
        await using var command = source.CreateCommand(sql);
        Array.ForEach(values, value => command.Parameters.Add(new NpgsqlParameter { Value = value }));
        return await command.ExecuteScalarAsync();
    }
}
