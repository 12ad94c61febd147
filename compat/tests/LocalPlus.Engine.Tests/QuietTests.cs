using System.Diagnostics;
using LocalPlus.Engine.Testing;
using Npgsql;

namespace LocalPlus.Engine.Tests;

public sealed class QuietTests(PostgresFixture postgres) : EngineTest(postgres)
{
    private const string Database = "quiet";
    private static readonly TimeSpan Window = TimeSpan.FromSeconds(3);

    [Fact]
    public async Task Nothing_is_asked_of_the_store_while_runs_wait()
    {
        await ExecuteAsync($"CREATE DATABASE {Database}");
        var quiet = new NpgsqlConnectionStringBuilder(Server.ConnectionString) { Database = Database };
        await using var host = await EngineHost.StartAsync(
            new Sidecar.Workflow.Store.PostgresRunStore(quiet.ConnectionString, App),
            Settings
        );
        await using var worker = RawWorker.Connect(host.Channel);
        foreach (
            var (id, action) in new[]
            {
                ("event", null),
                ("timer", Do.Timer(0, DateTimeOffset.UtcNow.AddHours(1))),
                ("activity", Do.Task(0, "never answered")),
            }
        )
        {
            var starting = host.Client.StartInstanceAsync(
                new Dapr.DurableTask.Protobuf.CreateInstanceRequest { InstanceId = id, Name = "wf" }
            );
            await worker.TurnAsync();
            await worker.AnswerAsync(id, action is null ? [] : [action]);
            await starting;
        }

        Assert.True(await SettlesAsync(), "the database sees transactions although all runs wait");
    }

    // Looked at from another database, whose transactions do not count. The server counts a little later than they
    // happen.
    private async Task<bool> SettlesAsync()
    {
        await using var connection = await OpenAsync();
        var begun = Stopwatch.GetTimestamp();
        var (count, since) = (-1L, begun);
        while (Stopwatch.GetElapsedTime(begun) < RawWorker.Patience)
        {
            await using var look = new NpgsqlCommand(
                $"SELECT xact_commit + xact_rollback FROM pg_stat_database WHERE datname = '{Database}'",
                connection
            );
            var now = (long)(await look.ExecuteScalarAsync())!;
            (count, since) = now == count ? (count, since) : (now, Stopwatch.GetTimestamp());
            if (Stopwatch.GetElapsedTime(since) > Window)
            {
                return true;
            }

            await Pulse.NextAsync();
        }

        return false;
    }

    private async Task ExecuteAsync(string sql)
    {
        await using var connection = await OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }

    private async Task<NpgsqlConnection> OpenAsync()
    {
        var connection = new NpgsqlConnection(Server.ConnectionString);
        await connection.OpenAsync();
        return connection;
    }
}
