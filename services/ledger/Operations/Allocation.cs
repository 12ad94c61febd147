using LocalPlus.Kernel;
using LocalPlus.Ledger.Books;

namespace LocalPlus.Ledger.Operations;

/// <summary>An account to take from, and the most to take; null: as much as is needed.</summary>
internal readonly record struct HoldSource(AccountId AccountId, long? Max);

/// <summary>Fills an amount from several accounts, in their order.</summary>
internal static class Allocation
{
    /// <summary>
    /// What each source gives, those that give nothing left out, and the asset they share. insufficient_balance when it
    /// is not enough; with <paramref name="allowPartial"/> only when there is nothing. No source at all has nothing to
    /// give.
    /// </summary>
    public static (HoldItem[] Items, string Asset) Of(
        Book book,
        MerchantId merchant,
        IReadOnlyList<HoldSource> sources,
        long amount,
        bool allowPartial
    )
    {
        var items = new List<HoldItem>(sources.Count);
        var (left, asset) = (amount, (string?)null);
        foreach (var (id, max) in sources)
        {
            var account = book.Account(merchant, id);
            account.RequireOpen();
            if ((asset ??= account.Asset) != account.Asset)
            {
                throw new FaultException(Faults.CurrencyMismatch, $"{asset} and {account.Asset} do not mix.");
            }

            if (account.Striped)
            {
                throw new FaultException(
                    CommonFaults.InvalidRequest,
                    $"Account {id} is striped: nothing can be held on it.",
                    new FieldError("/sources", "striped")
                );
            }

            var usable = account.Floor is { } floor ? Math.Max(0, account.Available - floor) : left;
            var part = Math.Min(left, Math.Min(usable, max ?? left));
            if (part > 0)
            {
                items.Add(new HoldItem(id, part, 0));
                left -= part;
            }
        }

        // Where something is missing, every source has given all it may.
        var found = amount - left;
        return left == 0 || (allowPartial && items.Count > 0)
            ? ([.. items], asset!)
            : throw Account.Insufficient(
                asset,
                found,
                asset is null ? "There is no account to take from." : $"{found} {asset} available."
            );
    }
}
