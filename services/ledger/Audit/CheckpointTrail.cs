using LocalPlus.Hosting;
using LocalPlus.Ledger.Proof;

namespace LocalPlus.Ledger.Audit;

/// <summary>
/// Compares the tree, while it is built again, with all that was signed: in the table, and in the file that is kept
/// elsewhere.
/// </summary>
internal sealed class CheckpointTrail(AuditReport report)
{
    private IEnumerator<Checkpoint>? file;
    private bool fileEnded = true;
    private Checkpoint? lastKept;
    private string firstSince = "";
    private bool isBroken;

    public void Follow(IEnumerator<Checkpoint> kept)
    {
        file = kept;
        fileEnded = !kept.MoveNext();
    }

    /// <summary>A leaf was appended. Only the first difference is told: all later roots contain it.</summary>
    public void Passed(Frontier frontier, LoggedLeaf leaf, LogPage page)
    {
        firstSince = firstSince.Length == 0 ? leaf.Name : firstSince;
        var (compared, root) = (false, default(byte[]));
        for (; !fileEnded && file!.Current.Size <= frontier.Size; fileEnded = !file.MoveNext())
        {
            lastKept = file.Current;
            if (lastKept.Size == frontier.Size)
            {
                compared = true;
                Compare(lastKept.Root, root ??= frontier.Root(), leaf, "kept in the file");
            }
        }

        if (page.Checkpoints.TryGetValue(frontier.Size, out var signed))
        {
            compared = true;
            Compare(signed, root ?? frontier.Root(), leaf, "in the database");
        }

        firstSince = compared ? "" : firstSince;
    }

    /// <summary>All leaves were seen.</summary>
    public void End(long leaves, LogHead head, string? keys)
    {
        while (!fileEnded)
        {
            lastKept = file!.Current;
            fileEnded = !file.MoveNext();
        }

        if (lastKept is not null && lastKept.Size > leaves)
        {
            report.Finding(
                $"the log was cut off: {lastKept.Size} transactions were signed, {leaves} are there; "
                    + $"leaves {leaves} to {lastKept.Size - 1} are gone"
            );
        }

        if (head.LastSigned != leaves)
        {
            report.Finding($"the last checkpoint in the database is of {head.LastSigned} leaves, the log has {leaves}");
        }

        if (keys is not null && lastKept?.IsSignedByOneOf(keys) == false)
        {
            report.Finding($"the last checkpoint of the file, of {lastKept.Size} leaves, is not signed by this key");
        }

        if (
            keys is not null
            && head.LastNote is not null
            && Checkpoint.Parse(head.LastNote)?.IsSignedByOneOf(keys) != true
        )
        {
            report.Finding(
                $"the last checkpoint in the database, of {head.LastSigned} leaves, is not signed by this key"
            );
        }
    }

    private void Compare(byte[] signed, byte[] root, LoggedLeaf leaf, string where)
    {
        if (!isBroken && !signed.AsSpan().SequenceEqual(root))
        {
            isBroken = true;
            report.Finding(
                $"from {firstSince} to {leaf.Name} something was edited, deleted or reordered: "
                    + $"the checkpoint {where} signed another tree"
            );
        }
    }
}
