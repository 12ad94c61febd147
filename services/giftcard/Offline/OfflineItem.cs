using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using LocalPlus.Giftcard.Cards;
using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Giftcard.Offline;

/// <summary>
/// One payment that a till took while it was offline. The counter starts at 1 with each allowance and leaves no gap.
/// </summary>
internal sealed record OfflineItem(
    int Counter,
    CardCredential GiftCard,
    Money Amount,
    DateTimeOffset OccurredAt,
    string Hash,
    string? Reference = null
)
{
    public const int HashLength = 2 * SHA256.HashSizeInBytes;

    public void Check(FieldChecks checks, int index)
    {
        var pointer = $"/items/{index}";
        GiftCard.Check(checks, $"{pointer}/gift_card");
        checks
            .Require(Counter > 0, $"{pointer}/counter")
            .Positive(Amount, $"{pointer}/amount")
            .Require(Hash.Length == HashLength && Hash.All(char.IsAsciiHexDigitLower), $"{pointer}/hash", "sha256_hex")
            .Text(Reference, $"{pointer}/reference", GiftcardLimits.ReferenceLength);
    }

    /// <summary>
    /// The item's hash, linked to the one before it: SHA-256 over the previous hash in hexadecimal, counter, card (code
    /// without separators in capitals, or id), amount, currency, time (RFC 3339, UTC, milliseconds) and reference, a
    /// line each.
    /// </summary>
    public byte[] HashAfter(byte[] previous) =>
        SHA256.HashData(
            Encoding.UTF8.GetBytes(
                string.Join(
                    '\n',
                    Convert.ToHexStringLower(previous),
                    Counter.ToString(CultureInfo.InvariantCulture),
                    GiftCard.Code is { } code ? CardCode.Normalise(code) : GiftCard.Id.ToString(),
                    Amount.MinorUnits.ToString(CultureInfo.InvariantCulture),
                    Amount.Currency.Code,
                    OccurredAt.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ss.fffZ", CultureInfo.InvariantCulture),
                    Reference
                )
            )
        );

    /// <summary>What the first item of an allowance is linked to: the hash of the signed allowance itself.</summary>
    public static byte[] FirstLink(string token) => SHA256.HashData(Encoding.ASCII.GetBytes(token));
}

/// <summary>An item's row.</summary>
internal sealed record OfflineItemRow(
    Guid ItemId,
    OfflineAllowanceId AllowanceId,
    int Counter,
    MerchantId MerchantId,
    byte[] Hash,
    GiftCardId? GiftCardId,
    long Amount,
    string Currency,
    string State,
    RedemptionId? RedemptionId,
    long Captured,
    long Shortfall,
    TransactionId? ShortfallTransactionId,
    string? FaultCode,
    DateTimeOffset OccurredAt
)
{
    /// <summary>What a statement that writes an item returns of it.</summary>
    public const string Fields = """
        i.item_id, i.allowance_id, i.counter, i.merchant_id, i.hash, i.gift_card_id, i.amount, i.currency, i.state,
               i.redemption_id, i.captured, i.shortfall, i.shortfall_transaction_id, i.fault_code, i.occurred_at
        """;

    public const string Columns = $"""
        SELECT {Fields}
          FROM offline_items i
        """;

    public OfflineItemOutcome ToView()
    {
        var currency = Kernel.Currency.Parse(Currency);
        return new(
            Counter,
            State,
            new(Amount, currency),
            new(Captured, currency),
            new(Shortfall, currency),
            GiftCardId,
            RedemptionId,
            ShortfallTransactionId,
            FaultCode
        );
    }
}

/// <summary>What became of an item. pending: taken, and carried out soon; send the batch again to learn how.</summary>
/// <param name="Code">Why the card paid nothing, or why the item was refused.</param>
internal sealed record OfflineItemOutcome(
    int Counter,
    string State,
    Money Amount,
    Money Captured,
    Money Shortfall,
    GiftCardId? GiftCardId,
    RedemptionId? RedemptionId,
    TransactionId? ShortfallTransactionId,
    string? Code
);
