using LocalPlus.Hosting;

namespace LocalPlus.Giftcard.Cards;

/// <summary>What the activities of one cause have in common. The merchant is the card's issuer.</summary>
internal sealed record ActivityCause(
    Guid MerchantId, string Currency, Guid? RedemptionId, Guid? TransactionId, string? Reference, string? Reason);

/// <summary>Adds to the cards' histories, in the transaction of their cause.</summary>
internal static class CardActivities
{
    public static Task AddAsync(
        DbSession db, string kind, IEnumerable<(Guid GiftCardId, long Amount)> amounts, ActivityCause cause, TimeProvider time)
    {
        var rows = amounts.ToList();
        var now = time.GetUtcNow();
        return rows.Count == 0 ? Task.CompletedTask : db.ExecuteAsync(Sql.Insert, new
        {
            ActivityIds = rows.Select(_ => Guid.CreateVersion7(now)).ToArray(),
            GiftCardIds = rows.Select(r => r.GiftCardId).ToArray(),
            Amounts = rows.Select(r => r.Amount).ToArray(),
            Kind = kind,
            cause.MerchantId,
            cause.Currency,
            cause.RedemptionId,
            cause.TransactionId,
            cause.Reference,
            cause.Reason,
            OccurredAt = now,
        });
    }

    private static class Sql
    {
        public const string Insert =
            """
            INSERT INTO gift_card_activities (activity_id, gift_card_id, merchant_id, kind, amount, currency, redemption_id,
                   transaction_id, reference, reason, occurred_at)
            SELECT a.activity_id, a.gift_card_id, @MerchantId, @Kind, a.amount, @Currency, @RedemptionId,
                   @TransactionId, @Reference, @Reason, @OccurredAt
              FROM unnest(@ActivityIds, @GiftCardIds, @Amounts) AS a (activity_id, gift_card_id, amount)
            """;
    }
}
