using System.Text.Json;
using LocalPlus.Giftcard.Programs;
using LocalPlus.Hosting;
using LocalPlus.Kernel;
using Npgsql;

namespace LocalPlus.Giftcard.Cards;

/// <summary>A card that is about to exist: its id and its secret.</summary>
internal sealed record NewCard(GiftCardId Id, string Code);

/// <summary>Who may have a sealed code.</summary>
internal static class SealPurpose
{
    /// <summary>Whoever asked for the card, in the answer and its repeats.</summary>
    public const string HandOver = "hand_over";

    /// <summary>The printer of the card's batch.</summary>
    public const string Batch = "batch";

    /// <summary>Whom a digital card is sent to; not the one who sent it.</summary>
    public const string Delivery = "delivery";
}

/// <summary>Whose card it is and how long it is good; metadata as JSON.</summary>
internal sealed record CardTerms(
    CustomerId? CustomerId,
    DateTimeOffset? ExpiresAt,
    string? Reference,
    string? Metadata,
    string? Pin = null
)
{
    public JobId? BatchId { get; init; }

    /// <summary>Until when the code may be had again; without it a day.</summary>
    public DateTimeOffset? SealedUntil { get; init; }

    public string Purpose { get; init; } = SealPurpose.HandOver;
}

/// <summary>Makes cards: a random code, kept only as a keyed hash and, for a while, sealed.</summary>
internal sealed class CardMaker(Database database, CardSecrets secrets, TimeProvider time)
{
    public NewCard New() => new(GiftCardId.New(time), CardCode.New());

    /// <summary>
    /// Adds cards on the same terms, pending, in the caller's transaction. Refuses with reference_reused.
    /// </summary>
    public async Task InsertAsync(DbSession db, IReadOnlyList<NewCard> cards, ProgramRow program, CardTerms terms)
    {
        var now = time.GetUtcNow();
        var made = cards.Select(card => Secrets(card, program, terms)).ToList();
        try
        {
            await db.ExecuteAsync(
                Sql.Insert,
                new
                {
                    program.About.MerchantId,
                    program.About.ProgramId,
                    program.About.Currency,
                    terms.CustomerId,
                    terms.ExpiresAt,
                    terms.Reference,
                    terms.Metadata,
                    terms.BatchId,
                    terms.Purpose,
                    CreatedAt = now,
                    SealedUntil = terms.SealedUntil ?? now + GiftcardLimits.SealedCodeLife,
                    GiftCardIds = cards.Select(c => c.Id).ToArray(),
                    CodeHashes = cards.Select(c => secrets.HashCode(c.Code)).ToArray(),
                    LastFours = cards.Select(c => CardCode.Last4(c.Code)).ToArray(),
                    PinSalts = made.Select(m => m.PinSalt).ToArray(),
                    PinHashes = made.Select(m => m.PinHash).ToArray(),
                    Sealed = made.Select(m => m.Sealed).ToArray(),
                }
            );
        }
        catch (PostgresException taken) when (taken.ConstraintName == "ix_gift_cards_merchant_id_reference")
        {
            throw await References.ReusedAsync<GiftCardId>(
                database,
                References.Card,
                program.About.MerchantId,
                terms.Reference!,
                db.Cancel
            );
        }
    }

    private (byte[]? PinSalt, byte[]? PinHash, byte[] Sealed) Secrets(NewCard card, ProgramRow program, CardTerms terms)
    {
        var pin = terms.Pin ?? (program.Terms.Pin == "required" ? CardSecrets.NewPin() : null);
        var salt = pin is null ? null : CardSecrets.NewSalt();
        var secret = JsonSerializer.Serialize(new HandOver.Secret(card.Code, pin), StrictJson.Options);
        return (salt, salt is null ? null : secrets.HashPin(pin!, salt), secrets.Seal(secret, card.Id));
    }

    private static class Sql
    {
        public const string Insert = """
            INSERT INTO gift_cards (gift_card_id, merchant_id, program_id, code_hash, last4, pin_salt, pin_hash,
                   status, currency, customer_id, expires_at, reference, metadata, batch_id, created_at)
            SELECT n.gift_card_id, @MerchantId, @ProgramId, n.code_hash, n.last4, n.pin_salt, n.pin_hash, 'pending',
                   @Currency,
                   @CustomerId, @ExpiresAt, @Reference, @Metadata::jsonb, @BatchId, @CreatedAt
              FROM unnest(@GiftCardIds, @CodeHashes, @LastFours, @PinSalts, @PinHashes)
                AS n (gift_card_id, code_hash, last4, pin_salt, pin_hash);
            INSERT INTO sealed_codes (gift_card_id, sealed, expires_at, purpose)
            SELECT *, @SealedUntil, @Purpose
              FROM unnest(@GiftCardIds, @Sealed)
            """;
    }
}
