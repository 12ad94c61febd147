using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Notification.Readers;

/// <summary>Whether a message may go to an address now.</summary>
internal abstract record GateAnswer
{
    private GateAnswer() { }

    /// <summary>It may.</summary>
    public sealed record Open : GateAnswer;

    /// <summary>It never will.</summary>
    public sealed record Closed(string Code) : GateAnswer;

    /// <summary>It may be asked about again then.</summary>
    public sealed record NotYet(string Code, DateTimeOffset Until) : GateAnswer;
}

/// <summary>A message that is about to go out to a holder.</summary>
/// <param name="AddressHash">Of where it goes.</param>
/// <param name="WishesHash">Of the mail address, by which it is kept what the reader wants.</param>
/// <param name="TimeZone">The merchant's, where neither it nor the reader said another one for hours.</param>
internal sealed record Outgoing(
    MerchantId MerchantId,
    string Kind,
    string Channel,
    byte[] AddressHash,
    byte[] WishesHash,
    string? TimeZone = null
)
{
    public bool IsUrgent => !NotificationKinds.IsDeclinable(Kind);
}

/// <summary>
/// Asks of each message whether its reader wants it, at this hour, and whether there were not too many already. What is
/// urgent asks for no hour and no consent, but goes to no address that is suppressed.
/// </summary>
internal sealed class SendGate(Database database, TimeProvider time)
{
    /// <summary>Counts the message where it may go; <see cref="GiveBackAsync"/> takes that back.</summary>
    public async Task<GateAnswer> AskAsync(Outgoing message, CancellationToken cancel)
    {
        var now = time.GetUtcNow();
        await using var db = await database.BeginAsync(cancel);
        var state = await db.QuerySingleAsync<State>(
            Sql.State,
            new
            {
                message.MerchantId,
                message.Channel,
                message.AddressHash,
                message.WishesHash,
                message.Kind,
            }
        );
        var answer = Judge(message, state, now) ?? await CountAsync(db, message, now);
        await db.CommitAsync();
        return answer;
    }

    /// <summary>In the transaction that notes that the message did not go out.</summary>
    public static async Task GiveBackAsync(DbSession db, Outgoing message, DateTimeOffset counted)
    {
        foreach (var (limit, subject) in Limits(message))
        {
            await db.ExecuteAsync(
                Sql.GiveBack,
                new
                {
                    message.MerchantId,
                    Subject = subject,
                    LimitName = limit.Name,
                    WindowStart = limit.StartOf(counted),
                }
            );
        }
    }

    private static GateAnswer? Judge(Outgoing message, State state, DateTimeOffset now)
    {
        if (state.SuppressedFor is { } reason)
        {
            return new GateAnswer.Closed($"address_{reason}");
        }

        if (message.IsUrgent)
        {
            return null;
        }

        if (state.IsDeclined)
        {
            return new GateAnswer.Closed("declined");
        }

        var zone = QuietHours.TryFindZone(state.TimeZone ?? message.TimeZone, out var found) ? found : TimeZoneInfo.Utc;
        return QuietHours.Of(state.QuietFrom, state.QuietUntil)?.EndAt(now, zone) is { } end
            ? new GateAnswer.NotYet("quiet_hours", end)
            : null;
    }

    private static async Task<GateAnswer> CountAsync(DbSession db, Outgoing message, DateTimeOffset now)
    {
        const string savepoint = "counts";
        await db.Transaction.SaveAsync(savepoint, db.Cancel);
        foreach (var (limit, subject) in Limits(message))
        {
            var window = limit.StartOf(now);
            var taken = await db.ExecuteAsync(
                Sql.Take,
                new
                {
                    message.MerchantId,
                    Subject = subject,
                    LimitName = limit.Name,
                    WindowStart = window,
                    limit.Quota,
                }
            );
            if (taken == 0)
            {
                await db.Transaction.RollbackAsync(savepoint, db.Cancel);
                return new GateAnswer.NotYet(limit.Code, window + limit.Window);
            }
        }

        return new GateAnswer.Open();
    }

    /// <summary>The address first: what all of a merchant's messages share is locked last, and shortest.</summary>
    private static IEnumerable<(SendLimit Limit, byte[] Subject)> Limits(Outgoing message) =>
        [
            (message.IsUrgent ? ReaderLimits.RecipientUrgent : ReaderLimits.Recipient, message.AddressHash),
            (ReaderLimits.Merchant, []),
        ];

    private sealed record State(
        string? SuppressedFor,
        bool IsDeclined,
        string? TimeZone,
        short? QuietFrom,
        short? QuietUntil
    );

    private static class Sql
    {
        // A reader's hours come before those that the merchant has for everybody, and so does the zone.
        public const string State = """
            SELECT s.reason AS suppressed_for,
                   COALESCE(@Kind = ANY(r.declined), false) AS is_declined,
                   COALESCE(r.time_zone, m.time_zone) AS time_zone,
                   COALESCE(r.quiet_from, m.quiet_from) AS quiet_from,
                   COALESCE(r.quiet_until, m.quiet_until) AS quiet_until
              FROM (SELECT @MerchantId::uuid AS merchant_id) q
              LEFT JOIN notification_suppressions s
                ON s.merchant_id = q.merchant_id
               AND s.channel = @Channel
               AND s.address_hash = @AddressHash
              LEFT JOIN notification_recipients r
                ON r.merchant_id = q.merchant_id
               AND r.address_hash = @WishesHash
              LEFT JOIN notification_settings m
                ON m.merchant_id = q.merchant_id
            """;

        public const string Take = """
            INSERT INTO notification_counts AS c (merchant_id, subject, limit_name, window_start, taken)
            VALUES (@MerchantId, @Subject, @LimitName, @WindowStart, 1)
                ON CONFLICT (merchant_id, subject, limit_name, window_start) DO UPDATE
               SET taken = c.taken + 1
             WHERE c.taken < @Quota
            """;

        public const string GiveBack = """
            UPDATE notification_counts
               SET taken = taken - 1
             WHERE merchant_id = @MerchantId
               AND subject = @Subject
               AND limit_name = @LimitName
               AND window_start = @WindowStart
               AND taken > 0
            """;
    }
}
