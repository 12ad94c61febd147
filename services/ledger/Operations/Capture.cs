using LocalPlus.Kernel;
using LocalPlus.Ledger.Books;

namespace LocalPlus.Ledger.Operations;

/// <summary>Where captured value goes, and further postings of the same transaction such as a commission.</summary>
internal sealed record Capture(AccountId Destination, IReadOnlyList<Posting> Further)
{
    public const string Kind = "capture";

    public void Collect(Needs needs)
    {
        needs.Accounts.Add(Destination.Value);
        needs.Add(Further);
    }

    /// <summary>
    /// Ends the hold as captured and posts the amount, which is no more than it holds; sources are used in the order of
    /// the hold.
    /// </summary>
    public void Apply(
        Book book,
        Hold hold,
        long amount,
        string? reference,
        IReadOnlyDictionary<string, string>? metadata
    )
    {
        var items = hold.Progress.Items.ToArray();
        var postings = new List<Posting>();
        for (var (i, left) = (0, amount); left > 0; i++)
        {
            if (items[i].AccountId == Destination)
            {
                throw new FaultException(
                    CommonFaults.InvalidRequest,
                    "The destination is one of the hold's sources.",
                    new FieldError("/capture/destination_account_id", "invalid")
                );
            }

            items[i] = items[i] with { Captured = Math.Min(items[i].Held, left) };
            left -= items[i].Captured;
            postings.Add(new Posting(items[i].AccountId, Destination, items[i].Captured));
        }

        foreach (var further in Further)
        {
            // A frozen account gives what was reserved before, and not a cent beside it.
            book.Account(hold.MerchantId, further.Source).RequireOpen();
            postings.Add(further);
        }

        // First free, then spend: within its policy an account is again once both are done.
        var pending = hold.Progress;
        if (!hold.IsNew)
        {
            book.Change(hold, pending with { State = HoldState.Captured });
        }

        var transaction = book.Post(hold.MerchantId, new Header(reference, Kind, metadata), postings, hold: hold);
        hold.Progress = hold.Progress with
        {
            State = HoldState.Captured,
            TransactionId = transaction.Id,
            Items = items,
        };
    }
}
