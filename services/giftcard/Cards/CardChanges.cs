using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Giftcard.Cards;

/// <summary>
/// What becomes of one card: its activity and event (with the amount, or with what was drained), and the columns that
/// change; null leaves them. With <paramref name="Drained"/> the amount is what the drains of an operation's plan gave
/// the card less what they took from it.
/// </summary>
internal sealed record CardChange(
    GiftCardId GiftCardId,
    string Activity,
    long Amount,
    string EventType,
    string? Status = null,
    DateTimeOffset? ExpiresAt = null,
    GiftCardId? ReplacedBy = null,
    bool Drained = false
);

/// <summary>Writes changes of cards down: the row, its activity and its event, in one transaction.</summary>
internal sealed class CardChanges(TimeProvider time)
{
    /// <summary>
    /// Changes a card, with its activity and event, in the caller's transaction. Lots that live as long as the card
    /// follow its expiry.
    /// </summary>
    public async Task<CardRow> ApplyAsync(DbSession db, CardChange card, long moved, ActivityCause cause)
    {
        var row = await db.QuerySingleAsync<CardRow>(
            Sql.Change,
            new
            {
                card.GiftCardId,
                card.Status,
                card.ExpiresAt,
                card.ReplacedBy,
                Now = time.GetUtcNow(),
            }
        );
        if (card.ExpiresAt is not null)
        {
            await db.ExecuteAsync(Sql.MoveExpiry, new { card.GiftCardId, card.ExpiresAt });
        }

        await CardActivities.AddAsync(db, card.Activity, [(card.GiftCardId, moved)], cause, time);
        // A present is no surprise if its mail comes before its time: until it is sent, the card belongs to nobody.
        var holder =
            row.CustomerId is { } customer && !await db.QuerySingleAsync<bool>(Sql.IsOnItsWay, new { card.GiftCardId })
                ? customer
                : (CustomerId?)null;
        await db.PublishAsync(
            CardEvents.Topic,
            card.EventType,
            card.GiftCardId.ToString(),
            row.Version,
            row.MerchantId,
            new CardEventData(
                row.GiftCardId,
                row.ProgramId,
                row.Last4,
                moved == 0 ? null : Math.Abs(moved),
                row.Currency,
                holder,
                moved == 0 ? null : card.Activity,
                cause.Till?.LocationId,
                cause.Till?.TerminalId
            )
        );
        return row;
    }

    private static class Sql
    {
        public const string Change = """
            UPDATE gift_cards
               SET status = coalesce(@Status, status),
                   expires_at = coalesce(@ExpiresAt::timestamptz, expires_at),
                   replaced_by = coalesce(@ReplacedBy::uuid, replaced_by),
                   activated_at = CASE WHEN @Status = 'active' THEN coalesce(activated_at, @Now) ELSE activated_at END,
                   version = version + 1
             WHERE gift_card_id = @GiftCardId
            RETURNING gift_card_id, merchant_id, program_id, last4, status, currency, customer_id, expires_at,
                   replaced_by, reference, metadata::text AS metadata, version, created_at, activated_at,
                   pin_locked_until
            """;

        public const string IsOnItsWay = """
            SELECT EXISTS (SELECT 1
                             FROM card_deliveries
                            WHERE gift_card_id = @GiftCardId
                              AND state = 'scheduled')
            """;

        public const string MoveExpiry = """
            UPDATE gift_card_lots
               SET expires_at = @ExpiresAt, expired_at = NULL
             WHERE gift_card_id = @GiftCardId
               AND kind IN ('paid', 'refund')
            """;
    }
}
