using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace LocalPlus.Hosting;

/// <summary>
/// Rows that have had their time: the statement deletes those of before @Before, @Take of them at most.
/// </summary>
public sealed record Chore(string Table, TimeSpan Life, string Statement);

/// <summary>
/// Forgets, in every service and once an hour, what nobody asks for any more. Tables of days (answers to keys, inbox
/// rows, the service's own) lose the days that are over and get those that are to come. Chores (secrets in
/// answers after a day, the service's own) delete a chunk at a time, so that nobody waits behind it, and as often as
/// there are full ones. What fails is tried again with the next round.
/// </summary>
internal sealed class Housekeeping(
    Database database,
    TimeProvider time,
    IEnumerable<Chore> own,
    ILogger<Housekeeping> log
) : BackgroundService
{
    public const int RowsPerStatement = 1000;
    public static readonly TimeSpan Pace = TimeSpan.FromHours(1);

    /// <summary>
    /// Events are told by the day of their ids, and kept a day longer than this: no broker delivers one again so late.
    /// What came with another id, or later, is deleted at this age.
    /// </summary>
    public static readonly TimeSpan InboxLife = TimeSpan.FromDays(30);

    /// <summary>A table in use is asked for so often, at this distance; then the next round goes on.</summary>
    private const int Tries = 10;

    private static readonly TimeSpan BetweenTries = TimeSpan.FromSeconds(1);

    private readonly Chore[] chores =
    [
        new("inbox_events", InboxLife, Sql.Inbox),
        new("sealed_answers", SealedAnswers.Life, SealedAnswers.Sql.CleanUp),
        .. own,
    ];

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Pace, time);
        do
        {
            await KeepPartitionsAsync(stoppingToken);
            foreach (var chore in chores)
            {
                await DoAsync(chore, stoppingToken);
            }
        } while (await timer.WaitForNextTickAsync(stoppingToken));
    }

    private async Task KeepPartitionsAsync(CancellationToken cancel)
    {
        IReadOnlyList<string> tables = [];
        try
        {
            tables = await database.QueryAsync<string>(Sql.PartitionedTables, null, cancel);
        }
        catch (Exception exception) when (!cancel.IsCancellationRequested)
        {
            log.HousekeepingStumbled("partitioned_tables", Pace.TotalMilliseconds, exception);
        }

        foreach (var table in tables)
        {
            try
            {
                while (await StepAsync(table, cancel) is { } done)
                {
                    log.PartitionKept(done);
                }
            }
            catch (Exception exception) when (!cancel.IsCancellationRequested)
            {
                log.HousekeepingStumbled(table, Pace.TotalMilliseconds, exception);
            }
        }
    }

    /// <summary>One partition dropped or made; it lets everybody pass who holds the table, and asks again.</summary>
    private async Task<string?> StepAsync(string table, CancellationToken cancel)
    {
        for (var tries = 1; ; tries++)
        {
            try
            {
                return await database.QuerySingleOrDefaultAsync<string>(
                    Sql.KeepPartitions,
                    new { table, Now = time.GetUtcNow() },
                    cancel
                );
            }
            catch (PostgresException busy) when (busy.SqlState == PostgresErrorCodes.LockNotAvailable && tries < Tries)
            {
                await Task.Delay(BetweenTries, time, cancel);
            }
        }
    }

    private async Task DoAsync(Chore chore, CancellationToken cancel)
    {
        var (total, before) = (0L, time.GetUtcNow() - chore.Life);
        try
        {
            for (var deleted = RowsPerStatement; deleted == RowsPerStatement; total += deleted)
            {
                await using var db = await database.BeginAsync(cancel);
                deleted = await db.ExecuteAsync(chore.Statement, new { before, Take = RowsPerStatement });
                await db.CommitAsync();
            }
        }
        catch (Exception exception) when (!cancel.IsCancellationRequested)
        {
            log.HousekeepingStumbled(chore.Table, Pace.TotalMilliseconds, exception);
        }

        if (total > 0)
        {
            log.HousekeepingDeleted(total, chore.Table);
        }
    }

    private static class Sql
    {
        public const string PartitionedTables = "SELECT name FROM partitioned_tables ORDER BY name";

        public const string KeepPartitions = "SELECT keep_partitions(@Table, @Now)";

        // Of the default partition alone. By ctid: the plan has to do for any @Take, and would join the chunk with a
        // scan of the whole table otherwise.
        public const string Inbox = """
            DELETE FROM inbox_events_default
             WHERE ctid = ANY (ARRAY(SELECT ctid
                                       FROM inbox_events_default
                                      WHERE received_at <= @Before
                                      LIMIT @Take))
            """;
    }
}
