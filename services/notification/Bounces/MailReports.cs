using LocalPlus.Hosting;
using LocalPlus.Kernel;
using LocalPlus.Notification.Readers;

namespace LocalPlus.Notification.Bounces;

/// <summary>
/// Writes down what was reported of a mail: once for each report, whoever reads it how often. An address that takes
/// nothing or whose reader complained is suppressed, by the hash that is kept of where the mail went; what stands in
/// the report names nobody.
/// </summary>
internal sealed class MailReports(Database database, TimeProvider time)
{
    /// <summary>False where there is no such message.</summary>
    public async Task<bool> NoteAsync(NotificationId id, MailReport report, byte[] reportHash, CancellationToken cancel)
    {
        await using var db = await database.BeginAsync(cancel);
        if (!await db.QuerySingleAsync<bool>(Sql.IsKnown, new { NotificationId = id }))
        {
            return false;
        }

        var note = new
        {
            ReportHash = reportHash,
            NotificationId = id,
            report.Kind,
            report.Status,
            ReceivedAt = time.GetUtcNow(),
        };
        var isNew = await db.ExecuteAsync(Sql.Note, note) > 0;
        if (isNew && report.Kind is ReportKinds.Hard or ReportKinds.Complaint)
        {
            await SuppressAsync(db, id, report.Kind == ReportKinds.Hard ? "bounced" : "complained");
        }

        await Failpoints.BeforeAsync("NoteReport");
        await db.CommitAsync();
        await Failpoints.CommittedAsync("NoteReport");
        return true;
    }

    private async Task SuppressAsync(DbSession db, NotificationId id, string reason)
    {
        await db.ExecuteAsync(Sql.Tell, new { NotificationId = id, Code = $"address_{reason}" });
        await db.ExecuteAsync(
            Sql.Suppress,
            new
            {
                NotificationId = id,
                SuppressionId = SuppressionId.New(time),
                Reason = reason,
                CreatedAt = time.GetUtcNow(),
            }
        );
    }

    internal static class Sql
    {
        public const string IsKnown = """
            SELECT EXISTS (SELECT 1
                             FROM notifications
                            WHERE notification_id = @NotificationId)
            """;

        public const string Note = """
            INSERT INTO notification_reports (report_hash, notification_id, kind, status, received_at)
            VALUES (@ReportHash, @NotificationId, @Kind, @Status, @ReceivedAt)
                ON CONFLICT (report_hash) DO NOTHING
            """;

        public const string Tell = """
            UPDATE notifications
               SET last_error = @Code
             WHERE notification_id = @NotificationId
               AND state = 'sent'
            """;

        // Of who was forgotten, and of a merchant's own address, there is nothing that could be suppressed.
        public const string Suppress = """
            INSERT INTO notification_suppressions (suppression_id, merchant_id, channel, address_hash, masked_address,
                   customer_id, reason, created_at)
            SELECT @SuppressionId, n.merchant_id, n.channel, n.address_hash, n.masked_address, h.customer_id, @Reason,
                   @CreatedAt
              FROM notifications n
              JOIN card_holders h
                ON h.gift_card_id = n.gift_card_id
             WHERE n.notification_id = @NotificationId
               AND n.channel = 'mail'
               AND n.address_hash IS NOT NULL
               AND n.masked_address IS NOT NULL
               AND h.customer_id IS NOT NULL
               AND NOT EXISTS (SELECT FROM forgotten_holders f WHERE f.customer_id = h.customer_id)
                ON CONFLICT (merchant_id, channel, address_hash) DO NOTHING
            """;

        public const string Forget = """
            DELETE FROM notification_reports
             WHERE report_hash IN (SELECT report_hash
                                     FROM notification_reports
                                    WHERE received_at <= @Before
                                    ORDER BY received_at
                                    LIMIT @Take
                                      FOR UPDATE SKIP LOCKED)
            """;
    }
}
