using System.Collections.Concurrent;
using LocalPlus.Hosting;
using LocalPlus.Tests.Integration.Support;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace LocalPlus.Tests.Integration.Hosting;

public sealed class HousekeepingTests : IAsyncLifetime
{
    private readonly OutboxSignal signal = new();
    private readonly Complaints complaints = new();
    private TestDatabase database = null!;
    private NpgsqlDataSource source = null!;

    public async Task InitializeAsync()
    {
        database = await TestDatabase.CreateAsync("hosting", typeof(HousekeepingTests).Assembly);
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
    public async Task What_is_old_goes_in_as_many_chunks_as_it_takes_and_what_is_young_stays()
    {
        await ReceiveAsync("now() - interval '30 days 1 minute'", (2 * Housekeeping.RowsPerStatement) + 1);
        await ReceiveAsync("now() - interval '29 days 23 hours'", 3);
        await AnswerAsync("now() - interval '31 days 1 minute'", Housekeeping.RowsPerStatement);
        await AnswerAsync("now() - interval '30 days 23 hours'", 2);

        using var housekeeping = await StartAsync(TimeProvider.System);

        await Eventually.TrueAsync(async () => await CountAsync("idempotency_keys") == 2);
        Assert.Equal(3, await CountAsync("inbox_events"));
        Assert.Equal(
            0,
            await database.ScalarAsync<long>(
                "SELECT count(*) FROM inbox_events WHERE received_at < now() - interval '30 days'"
            )
        );
        await housekeeping.StopAsync(default);
        Assert.Empty(complaints);
    }

    [Fact]
    public async Task Two_replicas_share_the_work_and_nobody_waits_for_a_row_that_is_locked()
    {
        await ReceiveAsync("now() - interval '40 days'", 5 * Housekeeping.RowsPerStatement);
        await using var connection = await source.OpenConnectionAsync();
        await using var busy = await connection.BeginTransactionAsync();
        await using (
            var command = new NpgsqlCommand(
                "SELECT event_id FROM inbox_events ORDER BY received_at LIMIT 1 FOR UPDATE",
                connection
            )
        )
        {
            Assert.NotNull(await command.ExecuteScalarAsync());
        }

        using var one = await StartAsync(new HastyTime());
        using var other = await StartAsync(new HastyTime());
        await Eventually.TrueAsync(async () => await CountAsync("inbox_events") == 1);
        await busy.RollbackAsync();
        await Eventually.TrueAsync(async () => await CountAsync("inbox_events") == 0);

        await one.StopAsync(default);
        await other.StopAsync(default);
        Assert.Empty(complaints);
    }

    [Fact]
    public async Task A_chore_that_fails_is_told_of_and_tried_again_and_keeps_no_other_from_its_own()
    {
        await database.AsOwnerAsync("ALTER TABLE inbox_events RENAME TO inbox_away");
        await AnswerAsync("now() - interval '40 days'", 1);

        using var housekeeping = await StartAsync(new HastyTime());
        await Eventually.TrueAsync(async () => await CountAsync("idempotency_keys") == 0 && !complaints.IsEmpty);
        await database.AsOwnerAsync("ALTER TABLE inbox_away RENAME TO inbox_events");
        await ReceiveAsync("now() - interval '40 days'", 1);

        await Eventually.TrueAsync(async () => await CountAsync("inbox_events") == 0);
        await housekeeping.StopAsync(default);
        Assert.All(complaints, complaint => Assert.Contains("inbox_events", complaint, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_service_adds_chores_of_its_own()
    {
        await database.AsOwnerAsync(
            "CREATE TABLE crumbs (dropped_at timestamptz NOT NULL); GRANT SELECT, INSERT, DELETE ON crumbs TO hosting"
        );
        await database.AsOwnerAsync(
            "INSERT INTO crumbs SELECT now() - d * interval '1 day' FROM generate_series(0, 9) AS d"
        );
        const string sweep =
            "DELETE FROM crumbs WHERE ctid = ANY (ARRAY(SELECT ctid FROM crumbs WHERE dropped_at <= @Before LIMIT @Take))";

        using var housekeeping = await StartAsync(
            TimeProvider.System,
            new Chore("crumbs", TimeSpan.FromDays(4.5), sweep)
        );

        await Eventually.TrueAsync(async () => await CountAsync("crumbs") == 5);
        await housekeeping.StopAsync(default);
    }

    private async Task<Housekeeping> StartAsync(TimeProvider time, params Chore[] own)
    {
        var housekeeping = new Housekeeping(new Database(source, signal, TimeProvider.System), time, own, complaints);
        await housekeeping.StartAsync(default);
        return housekeeping;
    }

    private Task ReceiveAsync(string at, int count) =>
        database.AsOwnerAsync(
            $"INSERT INTO inbox_events SELECT 'hosting/t.v1', gen_random_uuid(), {at} FROM generate_series(1, {count})"
        );

    private Task AnswerAsync(string at, int count) =>
        database.AsOwnerAsync(
            $"""
            INSERT INTO idempotency_keys (merchant_id, key, fingerprint, status, body, created_at)
            SELECT gen_random_uuid(), 'key', decode(repeat('00', 32), 'hex'), 200, '', {at} FROM generate_series(1, {count})
            """
        );

    private Task<long> CountAsync(string table) => database.ScalarAsync<long>($"SELECT count(*) FROM {table}");

    /// <summary>A clock on which an hour is soon over.</summary>
    private sealed class HastyTime : TimeProvider
    {
        private static readonly TimeSpan Soon = TimeSpan.FromMilliseconds(20);

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
            base.CreateTimer(callback, state, Soon, Soon);
    }

    /// <summary>What is logged as a warning or worse.</summary>
    private sealed class Complaints : ConcurrentQueue<string>, ILogger<Housekeeping>
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Warning;

        public void Log<TState>(
            LogLevel logLevel,
            EventId eventId,
            TState state,
            Exception? exception,
            Func<TState, Exception?, string> formatter
        )
        {
            if (IsEnabled(logLevel))
            {
                Enqueue(formatter(state, exception));
            }
        }
    }
}
