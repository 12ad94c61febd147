using LocalPlus.Hosting;
using LocalPlus.Kernel;
using LocalPlus.Notification.Mails;

namespace LocalPlus.Notification.Readers;

/// <summary>Keeps messages from an address, once, whoever asks for it first.</summary>
internal static class Suppressions
{
    /// <summary>
    /// The row that keeps the messages away, this one or the one that was there; null for who was forgotten.
    /// </summary>
    public static Task<SuppressionRow?> AddAsync(
        DbSession db,
        Outgoing message,
        CustomerId customer,
        string address,
        string reason,
        TimeProvider time,
        int? smtpStatus = null
    ) =>
        db.QuerySingleOrDefaultAsync<SuppressionRow>(
            Sql.Add,
            new
            {
                SuppressionId = SuppressionId.New(time),
                message.MerchantId,
                message.Channel,
                message.AddressHash,
                MaskedAddress = MaskedAddress.Of(address),
                CustomerId = customer,
                Reason = reason,
                SmtpStatus = (short?)smtpStatus,
                CreatedAt = time.GetUtcNow(),
            }
        );

    private static class Sql
    {
        // The update changes nothing and has the row answer.
        public const string Add = $"""
            INSERT INTO notification_suppressions AS s (suppression_id, merchant_id, channel, address_hash,
                   masked_address, customer_id, reason, smtp_status, created_at)
            SELECT @SuppressionId, @MerchantId, @Channel, @AddressHash, @MaskedAddress, @CustomerId, @Reason,
                   @SmtpStatus, @CreatedAt
             WHERE NOT EXISTS (SELECT FROM forgotten_holders f WHERE f.customer_id = @CustomerId)
                ON CONFLICT (merchant_id, channel, address_hash) DO UPDATE
               SET reason = s.reason
            RETURNING {SuppressionRow.Columns}
            """;
    }
}
