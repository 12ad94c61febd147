using Dapper;
using LocalPlus.Hosting;
using LocalPlus.Tests.Integration.Support;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace LocalPlus.Tests.Integration.Hosting;

/// <summary>
/// A statement whose bind fails at the very use that prepares it, on the data source as services have it: nobody who
/// uses the statement after it may hear of that.
/// </summary>
public sealed class PreparationTests : IAsyncLifetime
{
    private const string Bad = "a\0b";
    private const string Sql = "SELECT @Text || '!' AS text";

    private TestDatabase server = null!;
    private ServiceProvider services = null!;
    private Database database = null!;

    /// <summary>How often the statement was used before: it is prepared at its second use.</summary>
    public static TheoryData<int> Uses => [0, 1, 2, 3];

    public async Task InitializeAsync()
    {
        server = await TestDatabase.CreateAsync("hosting", typeof(PreparationTests).Assembly);
        Open(connections: 1);
    }

    public async Task DisposeAsync()
    {
        await services.DisposeAsync();
        await server.DisposeAsync();
    }

    [Theory]
    [MemberData(nameof(Uses))]
    public async Task Fault_22_A_failed_bind_does_not_harm_the_next_statement(int uses)
    {
        await TryAsync(uses, text => database.QuerySingleOrDefaultAsync<string>(Sql, new { Text = text }, default));
        await TryAsync(
            uses,
            async text => (await database.QueryAsync<string>($"{Sql}, 1", new { Text = text }, default)).Single()
        );
    }

    [Theory]
    [MemberData(nameof(Uses))]
    public async Task Fault_22_A_failed_bind_does_not_harm_the_next_statement_of_a_transaction(int uses)
    {
        await TryAsync(
            uses,
            async text =>
            {
                await using var db = await database.BeginAsync(default);
                await db.ExecuteAsync("SELECT 1");
                var found = await db.QuerySingleAsync<string>(Sql, new { Text = text });
                await db.CommitAsync();
                return found;
            }
        );
        await TryAsync(
            uses,
            async text =>
            {
                await using var db = await database.BeginAsync(default);
                return (await db.SearchAsync<string>($"{Sql}, 2", new { Text = text })).Single();
            }
        );
    }

    [Theory]
    [MemberData(nameof(Uses))]
    public async Task Fault_22_A_failed_bind_does_not_harm_the_next_statement_of_a_batch(int uses)
    {
        Task<string> Batch(string text) =>
            database.ReadAsync(
                async connection =>
                {
                    await using var batch = new NpgsqlBatch(connection);
                    foreach (
                        var (sql, value) in new[]
                        {
                            ("SELECT $1 || '?'", "fine"),
                            ("SELECT $1 || '!'", text),
                            ("SELECT $1 || '.'", "fine"),
                        }
                    )
                    {
                        batch.BatchCommands.Add(new(sql) { Parameters = { new() { Value = value } } });
                    }

                    var read = "";
                    await using var rows = await batch.ExecuteReaderAsync();
                    do
                    {
                        Assert.True(await rows.ReadAsync());
                        read += rows.GetString(0);
                    } while (await rows.NextResultAsync());
                    return read;
                },
                default
            );

        await TryAsync(
            uses,
            async text =>
                (await Batch(text))
                    .Replace("fine?", "", StringComparison.Ordinal)
                    .Replace("fine.", "", StringComparison.Ordinal)
        );
    }

    [Theory]
    [MemberData(nameof(Uses))]
    public async Task Fault_22_A_failed_bind_does_not_harm_who_comes_after_a_transaction_begun_by_a_statement(int uses)
    {
        // As the ledger's writers do it, on a connection that they keep.
        Task<string?> Write(string text)
        {
            using var connection = database.Source.OpenConnection();
            try
            {
                connection.Execute("START TRANSACTION");
                var found = connection.QuerySingle<string>(Sql, new { Text = text });
                connection.Execute("COMMIT WORK");
                return Task.FromResult<string?>(found);
            }
            catch (PostgresException refusal)
            {
                Preparation.RollBackAndForget(connection);
                return Task.FromException<string?>(refusal);
            }
        }

        await TryAsync(uses, Write);
    }

    [Fact]
    public async Task Fault_22_A_failed_bind_does_not_harm_the_next_statement_whichever_connection_of_a_pool_it_gets()
    {
        await services.DisposeAsync();
        Open(connections: 4);
        await Parallel.ForEachAsync(
            Enumerable.Range(0, 400),
            async (i, cancel) =>
            {
                // Twenty statements, so that many are at their second use when a bad one comes.
                var sql = $"{Sql}, {i % 20}";
                if (i % 3 == 1)
                {
                    await Assert.ThrowsAsync<PostgresException>(() =>
                        database.QuerySingleOrDefaultAsync<string>(sql, new { Text = Bad }, cancel)
                    );
                    return;
                }

                Assert.Equal(
                    $"{i}!",
                    await database.QuerySingleOrDefaultAsync<string>(sql, new { Text = $"{i}" }, cancel)
                );
            }
        );
    }

    [Fact]
    public async Task A_violated_constraint_costs_no_prepared_statement()
    {
        async Task<long> PreparedAsync()
        {
            await using var connection = await database.Source.OpenConnectionAsync();
            return await connection.QuerySingleAsync<long>("SELECT count(*) FROM pg_prepared_statements");
        }

        for (var i = 0; i < 3; i++)
        {
            await database.QuerySingleOrDefaultAsync<string>(Sql, new { Text = "a" }, default);
        }

        var before = await PreparedAsync();
        Assert.NotEqual(0, before);
        await using (var db = await database.BeginAsync(default))
        {
            var violated = await Assert.ThrowsAsync<PostgresException>(() =>
                db.ExecuteAsync("DO $$ BEGIN RAISE unique_violation; END $$")
            );
            Assert.False(Preparation.IsInDoubt(violated));
        }

        Assert.InRange(await PreparedAsync(), before, long.MaxValue);
    }

    /// <summary>Once this fails, Npgsql mends it and <see cref="Preparation"/> can go.</summary>
    [Fact]
    public async Task Npgsql_alone_loses_the_connection_of_the_next_statement()
    {
        async Task<string> Alone(string text)
        {
            await using var connection = await database.Source.OpenConnectionAsync();
            return await connection.QuerySingleAsync<string>(Sql, new { Text = text });
        }

        Assert.Equal("a!", await Alone("a"));
        await Assert.ThrowsAsync<PostgresException>(() => Alone(Bad));
        var harmed = await Assert.ThrowsAnyAsync<Exception>(() => Alone("a"));
        Assert.Contains("unexpected backend message DataRow", harmed.Message, StringComparison.Ordinal);
        Assert.Equal("a!", await Alone("a"));
    }

    /// <summary>Some good uses, a bad one, and then good ones again.</summary>
    private static async Task TryAsync(int uses, Func<string, Task<string?>> use)
    {
        for (var i = 0; i < uses; i++)
        {
            Assert.Equal("good!", await use("good"));
        }

        for (var bad = 0; bad < 2; bad++)
        {
            var refusal = await Assert.ThrowsAsync<PostgresException>(() => use(Bad));
            Assert.Equal(PostgresErrorCodes.CharacterNotInRepertoire, refusal.SqlState);
            for (var i = 0; i < 3; i++)
            {
                Assert.Equal("good!", await use("good"));
            }
        }
    }

    private void Open(int connections)
    {
        var settings = new NpgsqlConnectionStringBuilder(server.ConnectionString) { MaxPoolSize = connections };
        var configuration = new ConfigurationBuilder()
            .AddInMemoryCollection(new Dictionary<string, string?> { ["Secrets:database"] = settings.ConnectionString })
            .Build();
        var collection = new ServiceCollection()
            .AddLogging()
            .AddSingleton(TimeProvider.System)
            .AddSingleton<OutboxSignal>();
        collection.AddLocalPlusDatabase(configuration, new ServiceIdentity("hosting", typeof(Database).Assembly));
        services = collection.BuildServiceProvider();
        database = services.GetRequiredService<Database>();
    }
}
