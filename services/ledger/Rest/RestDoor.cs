using System.Diagnostics;
using LocalPlus.Hosting;
using LocalPlus.Kernel;
using LocalPlus.Ledger.Commit;
using LocalPlus.Ledger.Holds;
using LocalPlus.Ledger.Operations;
using LocalPlus.Ledger.Transactions;

namespace LocalPlus.Ledger.Rest;

/// <summary>REST: JSON and problem documents.</summary>
internal sealed class RestDoor(string path) : Door
{
    private readonly Activity? request = Activity.Current;

    public override string Name => "rest";

    public override Answer Write(Result result) =>
        result switch
        {
            Result.Posted posted => Answer.Created(
                $"/v1/transactions/{posted.Transaction.Id}",
                TransactionView.Of(posted.Transaction)
            ),
            Result.Held { Hold: { IsNew: true } hold, Book: var book } => Answer.Created(
                $"/v1/accounts/holds/{hold.Id}",
                HoldView.Of(hold, book)
            ),
            Result.Held held => Answer.Ok(HoldView.Of(held.Hold, held.Book)),
            Result.Many many => Answer.Ok(
                new BulkView([.. many.Results.Select((posted, i) => BulkItemView.Of(i, posted))], true)
            ),
            _ => throw new UnreachableException(),
        };

    public override Answer Refuse(FaultException refusal)
    {
        // The problem names the request it answers, not the batch that decided it.
        var batch = Activity.Current;
        Activity.Current = request;
        try
        {
            return Problems.Answer(refusal, path);
        }
        finally
        {
            Activity.Current = batch;
        }
    }
}
