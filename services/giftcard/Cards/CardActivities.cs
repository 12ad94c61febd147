using LocalPlus.Giftcard.Redemptions;
using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Giftcard.Cards;

/// <summary>What the activities of one cause have in common. The merchant is the card's issuer.</summary>
internal sealed record ActivityCause(
    MerchantId MerchantId,
    string Currency,
    RedemptionId? RedemptionId,
    TransactionId? TransactionId,
    string? Reference,
    string? Reason,
    PointOfSale? Till = null
)
{
    /// <summary>
    /// How another merchant of a coalition calls its payment, and why it gave it back, is not the issuer's to
    /// read.
    /// </summary>
    public static ActivityCause OfRedemption(
        RedemptionRow row,
        TransactionId? transactionId,
        string? reference,
        string? reason = null
    )
    {
        return new(
            row.Books.BooksMerchantId,
            row.Order.Currency,
            row.Id,
            transactionId,
            row.IsAtIssuer ? reference : null,
            row.IsAtIssuer ? reason : null
        );
    }
}

/// <summary>An activity of one card. The amount is signed: what it changed on the card.</summary>
internal sealed record CardActivity(GiftCardId GiftCardId, string Kind, long Amount, ActivityCause Cause);

/// <summary>Adds to the cards' histories, in the transaction of their cause.</summary>
internal static class CardActivities
{
    public static Task AddAsync(
        DbSession db,
        string kind,
        IEnumerable<(GiftCardId GiftCardId, long Amount)> amounts,
        ActivityCause cause,
        TimeProvider time
    ) =>
        AddAsync(
            db,
            amounts.Select(amount => new CardActivity(amount.GiftCardId, kind, amount.Amount, cause)),
            time.GetUtcNow()
        );

    public static Task AddAsync(DbSession db, IEnumerable<CardActivity> activities, DateTimeOffset at)
    {
        var rows = activities.ToArray();
        return rows.Length == 0
            ? Task.CompletedTask
            : db.ExecuteAsync(
                Sql.Insert,
                new
                {
                    ActivityIds = Array.ConvertAll(rows, _ => new CardActivityId(Guid.CreateVersion7(at))),
                    GiftCardIds = Array.ConvertAll(rows, r => r.GiftCardId),
                    Kinds = Array.ConvertAll(rows, r => r.Kind),
                    Amounts = Array.ConvertAll(rows, r => r.Amount),
                    MerchantIds = Array.ConvertAll(rows, r => r.Cause.MerchantId),
                    Currencies = Array.ConvertAll(rows, r => r.Cause.Currency),
                    RedemptionIds = Array.ConvertAll(rows, r => r.Cause.RedemptionId),
                    TransactionIds = Array.ConvertAll(rows, r => r.Cause.TransactionId),
                    References = Array.ConvertAll(rows, r => r.Cause.Reference),
                    Reasons = Array.ConvertAll(rows, r => r.Cause.Reason),
                    OccurredAt = at,
                }
            );
    }

    private static class Sql
    {
        public const string Insert = """
            INSERT INTO gift_card_activities (activity_id, gift_card_id, merchant_id, kind, amount, currency,
                   redemption_id, transaction_id, reference, reason, occurred_at)
            SELECT *, @OccurredAt
              FROM unnest(@ActivityIds, @GiftCardIds, @MerchantIds, @Kinds, @Amounts, @Currencies, @RedemptionIds,
                          @TransactionIds, @References, @Reasons)
            """;
    }
}
