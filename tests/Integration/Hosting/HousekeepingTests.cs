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
    public async Task Days_that_are_over_go_and_days_that_come_are_made()
    {
        await AddDayAsync("idempotency_keys", 33);
        await AddDayAsync("idempotency_keys", 32);
        await AnswerAsync("'33 days'", 2);
        await AnswerAsync("'32 days'", 3);
        await database.AsOwnerAsync(
            """
            DO $$ BEGIN
                EXECUTE format('DROP TABLE %I', (SELECT name FROM table_partitions
                                                  WHERE of_table = 'idempotency_keys' ORDER BY from_at DESC LIMIT 1));
            END $$;
            DELETE FROM table_partitions WHERE to_regclass(name) IS NULL
            """
        );

        using var housekeeping = await StartAsync(TimeProvider.System);

        await Eventually.TrueAsync(async () =>
            await CountAsync("idempotency_keys") == 3
            && await database.ScalarAsync<bool>(
                """
                SELECT max(until_at) > now() + interval '3 days' FROM table_partitions
                 WHERE of_table = 'idempotency_keys'
                """
            )
        );
        await housekeeping.StopAsync(default);
    }

    [Fact]
    public async Task Of_events_whose_ids_tell_no_day_those_go_that_came_30_days_ago()
    {
        await ReceiveAsync("now() - interval '30 days 1 minute'", (2 * Housekeeping.RowsPerStatement) + 1);
        await ReceiveAsync("now() - interval '29 days 23 hours'", 3);

        using var one = await StartAsync(new HastyTime());
        using var other = await StartAsync(new HastyTime());

        await Eventually.TrueAsync(async () => await CountAsync("inbox_events") == 3);
        await one.StopAsync(default);
        await other.StopAsync(default);
        Assert.Empty(complaints);
    }

    [Fact]
    public async Task A_chore_that_fails_is_told_of_and_tried_again_and_keeps_no_other_from_its_own()
    {
        await database.AsOwnerAsync("ALTER TABLE inbox_events_default RENAME TO inbox_away");
        await AddDayAsync("idempotency_keys", 33);
        await AnswerAsync("'33 days'", 1);

        using var housekeeping = await StartAsync(new HastyTime());
        await Eventually.TrueAsync(async () => await CountAsync("idempotency_keys") == 0 && !complaints.IsEmpty);
        await database.AsOwnerAsync("ALTER TABLE inbox_away RENAME TO inbox_events_default");
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

    private Task AddDayAsync(string table, int daysAgo) =>
        database.AsOwnerAsync(
            $"""
            SELECT add_partition('{table}', today - interval '{daysAgo} days', today - interval '{daysAgo - 1} days')
              FROM date_trunc('day', now(), 'UTC') AS today
            """
        );

    private Task AnswerAsync(string ago, int count) =>
        database.AsOwnerAsync(
            $"""
            INSERT INTO idempotency_keys (merchant_id, key, fingerprint, status, body, created_at)
            SELECT gen_random_uuid(), 'key', decode(repeat('00', 32), 'hex'), 200, '',
                   date_trunc('day', now(), 'UTC') - interval {ago}
              FROM generate_series(1, {count})
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
