using System.ComponentModel.DataAnnotations;
using LocalPlus.Kernel;
using LocalPlus.Ledger.Accounts;
using LocalPlus.Ledger.Books;

namespace LocalPlus.Ledger.Holds;

/// <param name="AvailableAfter">Available of the account right after the operation; only in its answer.</param>
internal sealed record HoldItemView(AccountId AccountId, long Held, long Captured, long? AvailableAfter);

/// <summary>A hold as merchants see it; amounts in minor units of its asset.</summary>
internal sealed record HoldView(
    HoldId Id,
    string Object,
    string Reference,
    HoldState State,
    [property: RegularExpression(AccountToOpen.AssetPattern)] string Asset,
    long Requested,
    long Held,
    long Captured,
    IReadOnlyList<HoldItemView> Items,
    DateTimeOffset PlacedAt,
    DateTimeOffset ExpiresAt,
    TransactionId? TransactionId,
    IReadOnlyDictionary<string, string>? Metadata,
    long Version
)
{
    /// <param name="hold">As it is now.</param>
    /// <param name="book">Where its accounts are, or null when it was only read.</param>
    public static HoldView Of(Hold hold, Book? book) =>
        new(
            hold.Id,
            "hold",
            hold.Reference,
            hold.Progress.State,
            hold.Asset,
            hold.Requested,
            hold.Held,
            hold.Captured,
            [
                .. hold.Progress.Items.Select(item => new HoldItemView(
                    item.AccountId,
                    item.Held,
                    item.Captured,
                    book?.Account(hold.MerchantId, item.AccountId).Available
                )),
            ],
            hold.PlacedAt,
            hold.Progress.ExpiresAt,
            hold.Progress.TransactionId,
            hold.Metadata,
            hold.Progress.Version
        );
}
