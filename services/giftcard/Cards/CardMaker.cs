using System.Text.Json;
using LocalPlus.Giftcard.Programs;
using LocalPlus.Hosting;
using LocalPlus.Kernel;
using Npgsql;

namespace LocalPlus.Giftcard.Cards;

/// <summary>A card that is about to exist: its id and its secret.</summary>
internal sealed record NewCard(GiftCardId Id, string Code);

/// <summary>Whose card it is and how long it is good; metadata as JSON.</summary>
internal sealed record CardTerms(Guid? CustomerId, DateTimeOffset? ExpiresAt, string? Reference, string? Metadata, string? Pin = null);

/// <summary>Makes cards: a random code, kept only as a keyed hash and, for a day, sealed.</summary>
internal sealed class CardMaker(CardSecrets secrets, TimeProvider time)
{
    public NewCard New() => new(GiftCardId.New(time), CardCode.New());

    /// <summary>Adds the card, pending, in the caller's transaction. Refuses with reference_reused.</summary>
    public async Task InsertAsync(DbSession db, NewCard card, ProgramRow program, CardTerms terms)
    {
        var now = time.GetUtcNow();
        var pin = terms.Pin ?? (program.Pin == "required" ? CardSecrets.NewPin() : null);
        var salt = pin is null ? null : CardSecrets.NewSalt();
        var secret = JsonSerializer.Serialize(new HandOver.Secret(card.Code, pin), StrictJson.Options);
        try
        {
            await db.ExecuteAsync(Sql.Insert, new
            {
                GiftCardId = card.Id.Value,
                program.MerchantId,
                program.ProgramId,
                CodeHash = secrets.HashCode(card.Code),
                Last4 = CardCode.Last4(card.Code),
                PinSalt = salt,
                PinHash = salt is null ? null : secrets.HashPin(pin!, salt),
                program.Currency,
                terms.CustomerId,
                terms.ExpiresAt,
                terms.Reference,
                terms.Metadata,
                CreatedAt = now,
                Sealed = secrets.Seal(secret, card.Id.Value),
                SealedUntil = now + GiftcardLimits.SealedCodeLife,
            });
        }
        catch (PostgresException taken) when (taken.ConstraintName == "ix_gift_cards_merchant_id_reference")
        {
            throw new FaultException(CommonFaults.ReferenceReused, "Another gift card has this reference.");
        }
    }

    private static class Sql
    {
        public const string Insert =
            """
            INSERT INTO gift_cards (gift_card_id, merchant_id, program_id, code_hash, last4, pin_salt, pin_hash, status, currency,
                   customer_id, expires_at, reference, metadata, created_at)
            VALUES (@GiftCardId, @MerchantId, @ProgramId, @CodeHash, @Last4, @PinSalt, @PinHash, 'pending', @Currency,
                   @CustomerId, @ExpiresAt, @Reference, @Metadata::jsonb, @CreatedAt);
            INSERT INTO sealed_codes (gift_card_id, sealed, expires_at)
            VALUES (@GiftCardId, @Sealed, @SealedUntil)
            """;
    }
}
