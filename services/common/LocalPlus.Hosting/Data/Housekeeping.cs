using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace LocalPlus.Hosting;

/// <summary>
/// Rows that have had their time: the statement deletes those of before @Before, @Take of them at most.
/// </summary>
public sealed record Chore(string Table, TimeSpan Life, string Statement);

/// <summary>
/// Deletes, in every service and once an hour, what nobody asks for any more: inbox rows, answers to keys, secrets in
/// answers after a day, and the chores of the service's own. A chunk at a time, so that nobody waits behind it, and as
/// often as there are full ones; replicas pass over each other's rows. A chore that fails is tried again with the next
/// round.
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

    /// <summary>Longer than any broker keeps an event that it could deliver again.</summary>
    public static readonly TimeSpan InboxLife = TimeSpan.FromDays(30);

    /// <summary>
    /// The 30 days that callers are promised and a day: giftcard's job giftcard-cleanup takes its keys at 30 days,
    /// after the claims on them, and must come first, as a claim that has lost its answer would be driven again.
    /// </summary>
    public static readonly TimeSpan KeysLife = TimeSpan.FromDays(31);

    private readonly Chore[] chores =
    [
        new("inbox_events", InboxLife, Sql.Inbox),
        new("idempotency_keys", KeysLife, Sql.Keys),
        new("sealed_answers", SealedAnswers.Life, SealedAnswers.Sql.CleanUp),
        .. own,
    ];

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Pace, time);
        do
        {
            foreach (var chore in chores)
            {
                await DoAsync(chore, stoppingToken);
            }
        } while (await timer.WaitForNextTickAsync(stoppingToken));
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

    // By ctid: the plan has to do for any @Take, and would join the chunk with a scan of the whole table otherwise.
    private static class Sql
    {
        public const string Inbox = """
            DELETE FROM inbox_events
             WHERE ctid = ANY (ARRAY(SELECT ctid
                                       FROM inbox_events
                                      WHERE received_at <= @Before
                                      ORDER BY received_at
                                      LIMIT @Take
                                        FOR UPDATE SKIP LOCKED))
            """;

        public const string Keys = """
            DELETE FROM idempotency_keys
             WHERE ctid = ANY (ARRAY(SELECT ctid
                                       FROM idempotency_keys
                                      WHERE created_at <= @Before
                                      ORDER BY created_at
                                      LIMIT @Take
                                        FOR UPDATE SKIP LOCKED))
            """;
    }
}
