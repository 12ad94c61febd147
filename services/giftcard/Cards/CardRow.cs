using System.Text.Json;
using LocalPlus.Kernel;

namespace LocalPlus.Giftcard.Cards;

/// <summary>The states of a card. "Empty" is a balance, not a state.</summary>
internal static class CardStatus
{
    public const string Pending = "pending";
    public const string Active = "active";
    public const string Blocked = "blocked";
    public const string Expired = "expired";
    public const string Closed = "closed";
    public const string Replaced = "replaced";

    public static readonly string[] All = [Pending, Active, Blocked, Expired, Closed, Replaced];
}

/// <summary>A card's row, without its secrets.</summary>
internal sealed record CardRow(
    GiftCardId GiftCardId,
    MerchantId MerchantId,
    ProgramId ProgramId,
    string Last4,
    string Status,
    string Currency,
    CustomerId? CustomerId,
    DateTimeOffset? ExpiresAt,
    GiftCardId? ReplacedBy,
    string? Reference,
    string? Metadata,
    long Version,
    DateTimeOffset CreatedAt,
    DateTimeOffset? ActivatedAt,
    DateTimeOffset? PinLockedUntil
)
{
    public const string Fields = """
        c.gift_card_id, c.merchant_id, c.program_id, c.last4, c.status, c.currency, c.customer_id, c.expires_at,
               c.replaced_by, c.reference, c.metadata::text AS metadata, c.version, c.created_at, c.activated_at,
               c.pin_locked_until
        """;

    public const string Columns = $"""
        SELECT {Fields}
          FROM gift_cards c
        """;

    /// <summary>The clock decides when a card has expired; the job only books it.</summary>
    public string StatusAt(DateTimeOffset now) =>
        Status is CardStatus.Active or CardStatus.Blocked && ExpiresAt <= now ? CardStatus.Expired : Status;

    public CardView ToView(CardBalance? balance, DateTimeOffset now)
    {
        var currency = Kernel.Currency.Parse(Currency);
        return new(
            GiftCardId,
            ProgramId,
            StatusAt(now),
            Last4,
            Currency,
            balance is { } b ? new Money(b.Available, currency) : null,
            balance is { } h ? new Money(h.Held, currency) : null,
            ExpiresAt,
            CustomerId,
            ReplacedBy,
            Reference,
            Metadata is null ? null : JsonElement.Parse(Metadata),
            Version,
            CreatedAt,
            ActivatedAt,
            PinLockedUntil > now ? PinLockedUntil : null
        );
    }
}

/// <summary>Value of one provenance on a card: one account of the ledger.</summary>
internal sealed record LotRow(
    LotId LotId,
    GiftCardId GiftCardId,
    string Kind,
    AccountId AccountId,
    DateTimeOffset? ExpiresAt,
    DateTimeOffset? ExpiredAt,
    DateTimeOffset CreatedAt
)
{
    public const string Columns = """
        SELECT l.lot_id, l.gift_card_id, l.kind, l.account_id, l.expires_at, l.expired_at, l.created_at
          FROM gift_card_lots l
        """;
}

/// <summary>What is on a card: <paramref name="Available"/> can be spent, <paramref name="Held"/> is
/// reserved.</summary>
internal readonly record struct CardBalance(long Available, long Held);

/// <summary>
/// A card as the API shows it. Its code and PIN are shown once, in the answer to its sale; its balance is missing only
/// where the ledger could not be asked.
/// </summary>
/// <param name="PinLockedUntil">
/// The PIN was wrong too often: until then no till can take the card, not even with the right one. Absent: it was not.
/// </param>
internal sealed record CardView(
    GiftCardId Id,
    ProgramId ProgramId,
    string Status,
    string Last4,
    string Currency,
    Money? Balance,
    Money? Held,
    DateTimeOffset? ExpiresAt,
    CustomerId? CustomerId,
    GiftCardId? ReplacedBy,
    string? Reference,
    JsonElement? Metadata,
    long Version,
    DateTimeOffset CreatedAt,
    DateTimeOffset? ActivatedAt,
    DateTimeOffset? PinLockedUntil
)
{
    public string Object { get; } = "gift_card";

    /// <summary>
    /// What another merchant that takes the card sees of it: what it needs to be paid. Who holds the card, how it is
    /// called in the issuer's systems and what the issuer noted is the issuer's business.
    /// </summary>
    public CardView ForOtherMerchant() =>
        new(
            Id,
            ProgramId,
            Status,
            Last4,
            Currency,
            Balance,
            Held: null,
            ExpiresAt,
            CustomerId: null,
            ReplacedBy: null,
            Reference: null,
            Metadata: null,
            Version,
            CreatedAt,
            ActivatedAt: null,
            PinLockedUntil: null
        );

    /// <summary>Only in the answer that hands the card over.</summary>
    public string? Code { get; init; }

    /// <summary>Only in the answer that hands the card over.</summary>
    public string? Pin { get; init; }
}
