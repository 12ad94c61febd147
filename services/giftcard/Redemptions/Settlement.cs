using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Giftcard.Redemptions;

/// <summary>
/// Keeps what is owed between a card's issuer and another merchant of its coalition, in the transaction of its cause.
/// At the issuer's own tills nobody owes anybody, and nothing is written.
/// </summary>
internal static class Settlement
{
    public static Task CapturedAsync(DbSession db, RedemptionRow row, long commission) =>
        AddAsync(db, row, "capture", row.Progress.Captured, commission, null, row.Books.TransactionId);

    public static Task RefundedAsync(DbSession db, RedemptionRow row, RefundRow refund) =>
        AddAsync(db, row, "refund", refund.Order.Amount, refund.Order.Commission, refund.Id, refund.End.TransactionId);

    private static Task AddAsync(
        DbSession db,
        RedemptionRow row,
        string kind,
        long amount,
        long commission,
        RefundId? refundId,
        TransactionId? transactionId
    ) =>
        row.IsAtIssuer || amount == 0
            ? Task.CompletedTask
            : db.ExecuteAsync(
                Sql.Add,
                new
                {
                    EntryId = Guid.CreateVersion7(row.Progress.UpdatedAt),
                    IssuerId = row.Books.BooksMerchantId,
                    row.Order.MerchantId,
                    Kind = kind,
                    row.Order.RedemptionId,
                    RefundId = refundId,
                    Amount = amount,
                    Commission = commission,
                    row.Order.Currency,
                    TransactionId = transactionId,
                    OccurredAt = row.Progress.UpdatedAt,
                }
            );

    private static class Sql
    {
        public const string Add = """
            INSERT INTO settlement_entries (entry_id, issuer_id, merchant_id, kind, redemption_id, refund_id, amount,
                   commission, currency, transaction_id, occurred_at)
            VALUES (@EntryId, @IssuerId, @MerchantId, @Kind, @RedemptionId, @RefundId, @Amount, @Commission,
                   @Currency, @TransactionId, @OccurredAt)
            """;
    }
}
