using System.Text.Json;
using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Giftcard.Cards;

/// <summary>How a digital card reaches whom it is for: by mail, at once or later, with what the giver wrote.</summary>
internal sealed record Delivery(DateTimeOffset? DeliverAt = null, string? From = null, string? Message = null)
{
    public void Check(FieldChecks checks, DateTimeOffset now) =>
        checks
            .Require(DeliverAt is null || DeliverAt > now, "/delivery/deliver_at", "past")
            .Require(
                DeliverAt is null || DeliverAt <= now + GiftcardLimits.DeliveryAhead,
                "/delivery/deliver_at",
                "too_far"
            )
            .Text(From, "/delivery/from", GiftcardLimits.NameLength)
            .Message(Message, "/delivery/message", GiftcardLimits.MessageLength);
}

/// <summary>
/// Keeps what a digital card carries on its way. Note and code are sealed here and leave only on the internal route,
/// when the mail is being written; the event that starts it names ids.
/// </summary>
internal sealed class CardDeliveries(Database database, CardChanges changes, CardSecrets secrets, TimeProvider time)
{
    private const int Batch = 100;

    internal sealed record Note(string? From, string? Message);

    /// <summary>What the mail says beside the code.</summary>
    internal sealed record Content(
        string Code,
        string? Pin,
        Money Amount,
        string? From,
        string? Message,
        DateTimeOffset? ExpiresAt
    );

    /// <summary>Schedules a delivery in the transaction that makes the card.</summary>
    public Task ScheduleAsync(DbSession db, MerchantId merchant, GiftCardId card, Money amount, Delivery delivery)
    {
        var now = time.GetUtcNow();
        var note = JsonSerializer.Serialize(new Note(delivery.From, delivery.Message), StrictJson.Options);
        return db.ExecuteAsync(
            Sql.Schedule,
            new
            {
                GiftCardId = card,
                MerchantId = merchant,
                DeliverAt = delivery.DeliverAt ?? now,
                Amount = amount.MinorUnits,
                SealedNote = secrets.Seal(note, card),
                Now = now,
            }
        );
    }

    /// <summary>
    /// Sends what is due: its event tells notification to write, in the transaction that marks it. A card that is not
    /// active (yet) waits; one that is over is not sent. The number looked at.
    /// </summary>
    public async Task<int> SendDueAsync(CancellationToken cancel)
    {
        await using var db = await database.BeginAsync(cancel);
        var now = time.GetUtcNow();
        var due = await db.QueryAsync<Due>(Sql.TakeDue, new { Now = now, Take = Batch });
        // In the order in which operations on several cards lock them too.
        foreach (var card in due.OrderBy(c => c.GiftCardId.Value))
        {
            var isActive = card.Status == CardStatus.Active && !(card.ExpiresAt <= now);
            await db.ExecuteAsync(
                Sql.Finish,
                new
                {
                    card.GiftCardId,
                    State = isActive ? "sent" : "revoked",
                    SentAt = isActive ? now : (DateTimeOffset?)null,
                }
            );
            if (isActive)
            {
                await changes.ApplyAsync(
                    db,
                    new(card.GiftCardId, "deliver", 0, "gift_card.delivery_due"),
                    0,
                    new(card.MerchantId, card.Currency, null, null, null, null)
                );
            }
        }

        await db.CommitAsync();
        return due.Count;
    }

    /// <summary>What a mail about a sent card says; null when it may not be had any more.</summary>
    public async Task<Content?> OpenAsync(GiftCardId card, CancellationToken cancel)
    {
        var found = await database.QuerySingleOrDefaultAsync<Sealed>(
            Sql.Open,
            new { GiftCardId = card, Now = time.GetUtcNow() },
            cancel
        );
        if (found is null)
        {
            return null;
        }

        var secret = JsonSerializer.Deserialize<HandOver.Secret>(secrets.Open(found.Code, card), StrictJson.Lenient)!;
        var note = found.SealedNote is null ? new Note(null, null) : OpenNote(found.SealedNote, card, secrets);
        return new(
            secret.Code,
            secret.Pin,
            new(found.Amount, Currency.Parse(found.Currency)),
            note.From,
            note.Message,
            found.ExpiresAt
        );
    }

    /// <summary>What the giver wrote.</summary>
    public static Note OpenNote(byte[] sealedNote, GiftCardId card, CardSecrets secrets) =>
        JsonSerializer.Deserialize<Note>(secrets.Open(sealedNote, card), StrictJson.Lenient)!;

    private sealed record Due(
        GiftCardId GiftCardId,
        MerchantId MerchantId,
        string Status,
        string Currency,
        DateTimeOffset? ExpiresAt
    );

    private sealed record Sealed(
        byte[] Code,
        byte[]? SealedNote,
        long Amount,
        string Currency,
        DateTimeOffset? ExpiresAt
    );

    private static class Sql
    {
        public const string Schedule = """
            INSERT INTO card_deliveries (gift_card_id, merchant_id, state, deliver_at, amount, sealed_note, created_at)
            VALUES (@GiftCardId, @MerchantId, 'scheduled', @DeliverAt, @Amount, @SealedNote, @Now)
            """;

        public const string TakeDue = """
            SELECT d.gift_card_id, d.merchant_id, c.status, c.currency, c.expires_at
              FROM card_deliveries d
              JOIN gift_cards c
                ON c.gift_card_id = d.gift_card_id
             WHERE d.state = 'scheduled'
               AND d.deliver_at <= @Now
               AND c.status NOT IN ('pending', 'blocked')
             ORDER BY d.deliver_at
             LIMIT @Take
               FOR UPDATE OF d SKIP LOCKED
            """;

        public const string Finish = """
            UPDATE card_deliveries
               SET state = @State, sent_at = @SentAt, sealed_note = CASE WHEN @State = 'sent' THEN sealed_note END
             WHERE gift_card_id = @GiftCardId
            """;

        public const string Open = """
            SELECT s.sealed AS code, d.sealed_note, d.amount, c.currency, c.expires_at
              FROM card_deliveries d
              JOIN gift_cards c
                ON c.gift_card_id = d.gift_card_id
              JOIN sealed_codes s
                ON s.gift_card_id = d.gift_card_id
             WHERE d.gift_card_id = @GiftCardId
               AND d.state = 'sent'
               AND s.purpose = 'delivery'
               AND s.expires_at > @Now
            """;
    }
}
