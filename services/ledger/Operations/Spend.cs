using LocalPlus.Kernel;
using LocalPlus.Ledger.Books;

namespace LocalPlus.Ledger.Operations;

/// <summary>
/// An account to spend from, the most to take of it, and the basis points of what it gives that are
/// shared.
/// </summary>
internal readonly record struct SpendSource(AccountId AccountId, long? Max, int ShareBasisPoints);

/// <summary>What one source gave, and what was available on it right after.</summary>
internal readonly record struct SpentItem(AccountId AccountId, long Amount, long AvailableAfter);

/// <summary>
/// Takes value of several accounts to one destination, at once: what a hold and its capture would come to, in one
/// transaction and without a hold, for there is no moment in which it could be looked at. Of what arrives a share goes
/// on.
/// </summary>
/// <param name="Sources">Tried in their order until the amount is reached.</param>
/// <param name="ShareTo">
/// Who gets the share: per rate the basis points of what the sources with that rate gave, rounded down. Null: nobody.
/// </param>
internal sealed record Spend(
    MerchantId MerchantId,
    Header Header,
    long Amount,
    IReadOnlyList<SpendSource> Sources,
    bool AllowPartial,
    AccountId Destination,
    AccountId? ShareTo
) : Operation(MerchantId)
{
    public const int WholeBasisPoints = 10_000;

    public override string Name => "spend";

    public override void Collect(Needs needs)
    {
        foreach (var source in Sources)
        {
            needs.Accounts.Add(source.AccountId.Value);
        }

        needs.Accounts.Add(Destination.Value);
        if (ShareTo is { } share)
        {
            needs.Accounts.Add(share.Value);
        }

        needs.AddReference(MerchantId, Header.Reference);
    }

    public override Result Apply(Book book)
    {
        book.RequireFreshTransaction(MerchantId, Header.Reference);
        HoldSource[] sources = [.. Sources.Select(source => new HoldSource(source.AccountId, source.Max))];
        var (items, _) = Allocation.Of(book, MerchantId, sources, Amount, AllowPartial);
        var given = items.ToDictionary(item => item.AccountId, item => item.Held);
        var postings = items.Select(item => new Posting(item.AccountId, Destination, item.Held)).ToList();
        var share = Share(given);
        if (share > 0)
        {
            postings.Add(new Posting(Destination, ShareTo!.Value, share));
        }

        var transaction = book.Post(MerchantId, Header, postings);
        return new Result.Spent(
            transaction,
            Amount,
            share,
            [
                .. Sources.Select(source => new SpentItem(
                    source.AccountId,
                    given.GetValueOrDefault(source.AccountId),
                    book.Account(MerchantId, source.AccountId).Available
                )),
            ]
        );
    }

    private long Share(Dictionary<AccountId, long> given) =>
        ShareTo is null
            ? 0
            : Sources
                .GroupBy(source => source.ShareBasisPoints, source => given.GetValueOrDefault(source.AccountId))
                .Sum(rate => (long)((Int128)rate.Sum() * rate.Key / WholeBasisPoints));
}
