using LocalPlus.Giftcard.Batches;
using LocalPlus.Giftcard.Imports;
using LocalPlus.Kernel;

namespace LocalPlus.Giftcard.Jobs;

/// <summary>
/// Something long that a merchant started, as every kind of it is shown: how far it is, and whether anybody has to do
/// something.
/// </summary>
/// <param name="Kind">gift_card_import or gift_card_batch.</param>
/// <param name="State">waiting (for the merchant), running, done or cancelled.</param>
/// <param name="Step">The kind's own word for where it stands.</param>
/// <param name="Done">Items that the step is through with, of <paramref name="Total"/>.</param>
/// <param name="Refused">Items that are left out; GET /v1/jobs/{id}/errors says which and why.</param>
/// <param name="LastError">Why it stands still for a while; it goes on by itself.</param>
internal sealed record JobView(
    JobId Id,
    string Kind,
    string State,
    string Step,
    int Total,
    int Done,
    int Refused,
    string? LastError,
    long Version,
    DateTimeOffset CreatedAt
)
{
    private const string Waiting = "waiting";
    private const string Running = "running";
    private const string Finished = "done";
    private const string Cancelled = "cancelled";

    public string Object { get; } = "job";

    public static JobView Of(ImportRow import)
    {
        var good = import.Progress.Rows - import.Progress.Refused;
        var (state, total, done) = import.State switch
        {
            ImportState.Uploading => (Waiting, import.Progress.Rows, 0),
            ImportState.Checking => (Running, import.Progress.Rows, import.Progress.Checked),
            ImportState.Checked => (Waiting, good, 0),
            ImportState.Committing => (Running, good, import.Progress.Imported),
            ImportState.Reverting => (Running, import.Progress.Imported, import.Progress.Reverted),
            ImportState.Reverted => (Finished, import.Progress.Imported, import.Progress.Reverted),
            ImportState.Committed => (Finished, good, import.Progress.Imported),
            _ => (Cancelled, good, import.Progress.Imported),
        };
        return new(
            import.ImportId,
            "gift_card_import",
            state,
            import.State,
            total,
            done,
            import.Progress.Refused,
            import.Progress.LastError,
            import.Progress.Version,
            import.Order.CreatedAt
        );
    }

    public static JobView Of(BatchRow batch) =>
        new(
            batch.BatchId,
            "gift_card_batch",
            batch.State switch
            {
                "making" => Running,
                Cancelled => Cancelled,
                _ => Finished,
            },
            batch.State,
            batch.Quantity,
            batch.Made,
            0,
            batch.ToView().LastError,
            batch.Version,
            batch.CreatedAt
        );
}
