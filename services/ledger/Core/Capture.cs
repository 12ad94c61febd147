using LocalPlus.Kernel;
using Proto = LocalPlus.Contracts.Ledger.V1;

namespace LocalPlus.Ledger.Core;

/// <summary>Where captured value goes, and further postings of the same transaction such as a commission.</summary>
internal sealed class Capture(Proto.HoldCapture capture)
{
    private readonly Guid destination = Wire.Id<AccountId>(capture.DestinationAccountId, "capture/destination_account_id");
    private readonly Posting[] further = Wire.Postings(capture.Postings, "capture/postings", least: 0);

    public IEnumerable<Guid> AccountIds => further.SelectMany(posting => new[] { posting.Source, posting.Destination }).Append(destination);

    /// <summary>Whether the capture may happen; <paramref name="reserved"/> says that the hold's value is held already.</summary>
    public void Check(Book book, Hold hold, long amount, bool reserved)
    {
        var releasing = hold.Items.ToDictionary(item => item.AccountId, item => reserved ? item.Held : 0);
        book.Check(hold.MerchantId, Postings(hold, amount), releasing);
    }

    /// <summary>Ends the hold as captured and posts what <see cref="Check"/> let pass; sources are used in hold order.</summary>
    public void Post(Book book, Hold hold, long amount, string reference, string metadata)
    {
        var postings = Postings(hold, amount);
        book.End(hold, "captured");
        foreach (var item in hold.Items)
        {
            item.Captured = postings.Where(posting => posting.Source == item.AccountId && posting.Destination == destination).Sum(posting => posting.Amount);
        }

        hold.Captured = amount;
        hold.TransactionId = book.Post(hold.MerchantId, reference, "capture", postings, metadata, holdId: hold.HoldId).TransactionId;
    }

    private List<Posting> Postings(Hold hold, long amount)
    {
        var postings = new List<Posting>(hold.Items.Count + further.Length);
        foreach (var item in hold.Items)
        {
            if (item.AccountId == destination)
            {
                throw Wire.Invalid("capture/destination_account_id", "is one of the hold's sources");
            }

            var part = Math.Min(item.Held, amount);
            if (part > 0)
            {
                postings.Add(new Posting(item.AccountId, destination, part));
                amount -= part;
            }
        }

        postings.AddRange(further);
        return postings;
    }
}
