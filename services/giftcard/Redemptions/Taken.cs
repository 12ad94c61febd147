using LocalPlus.Contracts.Ledger.V1;
using LocalPlus.Kernel;

namespace LocalPlus.Giftcard.Redemptions;

/// <summary>What one account gives or gave, and what is left on it; null when the ledger did not say.</summary>
internal readonly record struct TakenPart(long Held, long Captured, long? AvailableAfter);

/// <summary>What the ledger took from a redemption's accounts, by a hold or spent at once.</summary>
/// <param name="Hold">Null: there was no hold, it was spent at once.</param>
/// <param name="Transaction">Null: it is held.</param>
/// <param name="Parts">By account; those that give nothing may be absent.</param>
/// <param name="IsFresh">The balances are those of that very moment; otherwise they are to be asked for.</param>
internal sealed record Taken(
    HoldId? Hold,
    TransactionId? Transaction,
    long Approved,
    long Captured,
    IReadOnlyDictionary<AccountId, TakenPart> Parts,
    bool IsFresh
)
{
    /// <summary>What the wallet had reserved for it; null: no points are among the sources, or that is
    /// written.</summary>
    public ReservedPoints? Points { get; init; }

    public static Taken Of(Hold hold) =>
        new(
            HoldId.Parse(hold.HoldId),
            hold.TransactionId.Length == 0 ? null : TransactionId.Parse(hold.TransactionId),
            hold.Held == 0 ? hold.Captured : hold.Held,
            hold.Captured,
            hold.Items.ToDictionary(
                i => AccountId.Parse(i.AccountId),
                i => new TakenPart(i.Held, i.Captured, i.AvailableAfter)
            ),
            IsFresh: true
        );

    public static Taken Of(Spent spent) =>
        new(
            Hold: null,
            TransactionId.Parse(spent.TransactionId),
            spent.Amount,
            spent.Amount,
            spent.Items.ToDictionary(
                i => AccountId.Parse(i.AccountId),
                i => new TakenPart(i.Amount, i.Amount, i.AvailableAfter)
            ),
            IsFresh: true
        );

    /// <summary>What was spent at once and only its transaction is known of: what came to the destination.</summary>
    public static Taken Of(Transaction transaction, AccountId destination)
    {
        var to = destination.ToString();
        var given = transaction.Postings.Where(p => p.DestinationAccountId == to).ToArray();
        var amount = given.Sum(p => p.Amount);
        return new(
            transaction.HoldId.Length == 0 ? null : HoldId.Parse(transaction.HoldId),
            TransactionId.Parse(transaction.TransactionId),
            amount,
            amount,
            given.ToDictionary(p => AccountId.Parse(p.SourceAccountId), p => new TakenPart(p.Amount, p.Amount, null)),
            IsFresh: false
        );
    }

    /// <summary>With the balances that the accounts have.</summary>
    public Taken With(IEnumerable<(AccountId Account, long Available)> balances)
    {
        var parts = Parts.ToDictionary();
        foreach (var (account, available) in balances)
        {
            parts[account] = parts.GetValueOrDefault(account) with { AvailableAfter = available };
        }

        return this with
        {
            Parts = parts,
        };
    }
}
