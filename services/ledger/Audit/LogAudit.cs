using LocalPlus.Hosting;
using LocalPlus.Ledger.Proof;
using Npgsql;

namespace LocalPlus.Ledger.Audit;

/// <summary>
/// Verifies every transaction against the log, the log against its stored nodes and all signed checkpoints. So an
/// edited, deleted, reordered or added row shows, and a cut tail does too, by the checkpoints that are kept outside the
/// database.
/// </summary>
internal sealed class LogAudit(NpgsqlDataSource source, AuditReport report)
{
    private const int PageSize = 4096;
    private readonly Frontier frontier = new();
    private readonly HashSet<Node> wrongNodes = [];
    private readonly CheckpointTrail trail = new(report);

    /// <param name="kept">The checkpoints from the file, in order; null: none is kept.</param>
    /// <param name="keys">The log's public keys in PEM; null: signatures are not checked.</param>
    public async Task RunAsync(IEnumerable<Checkpoint>? kept, string? keys, CancellationToken cancel)
    {
        await using var connection = await source.OpenConnectionAsync(cancel);
        RowSecurity.Tell(connection);
        await using var snapshot = await connection.BeginTransactionAsync(
            System.Data.IsolationLevel.RepeatableRead,
            cancel
        );
        using var file = (kept ?? []).GetEnumerator();
        trail.Follow(file);
        var pages = new LogPages(connection);
        var head = await pages.HeadAsync(cancel);
        report.Say($"verifying {head.Leaves} transactions in the log");
        var next = pages.ReadAsync(0, PageSize, cancel);
        for (var begin = 0L; begin < head.Leaves; begin += PageSize)
        {
            // The next page is fetched while this one is hashed.
            var page = await next;
            next = begin + PageSize < head.Leaves ? pages.ReadAsync(begin + PageSize, PageSize, cancel) : next;
            Check(page, begin, Math.Min(begin + PageSize, head.Leaves));
            report.Progress(() => $"{begin + PageSize} of {head.Leaves}");
        }

        trail.End(frontier.Size, head, keys);
        foreach (var stray in await pages.StraysAsync(cancel))
        {
            report.Finding(stray);
        }

        if (kept is null)
        {
            report.Say(
                "! without --checkpoints nothing tells whether the end of the log was cut off together with "
                    + "its checkpoints"
            );
        }

        report.Say(
            report.Findings == 0
                ? $"✓ {frontier.Size} transactions are as they were "
                    + $"signed{(keys is null ? ", signatures unchecked for want of --key" : "")}"
                : $"{report.Findings} findings"
        );
    }

    private void Check(LogPage page, long begin, long end)
    {
        var leaves = page.Leaves;
        var completed = new List<(Node Node, byte[] Hash)>();
        for (var (index, i) = (begin, 0); index < end; index++)
        {
            if (i == leaves.Count || leaves[i].Index != index)
            {
                report.Finding($"leaf {index} is missing from the log");
                // Its hash is gone; what follows is still compared among itself.
                wrongNodes.Add(new Node(0, index));
                frontier.Append(new byte[Merkle.HashBytes]);
                continue;
            }

            var leaf = leaves[i++];
            CheckContent(leaf, page.Entries[leaf.Transaction]);
            frontier.Append(
                leaf.Hash,
                (node, hash) =>
                {
                    if (LogTree.IsStored(node.Level))
                    {
                        completed.Add((node, hash));
                    }
                }
            );
            trail.Passed(frontier, leaf, page);
        }

        foreach (var (node, hash) in completed)
        {
            CheckNode(node, hash, page);
        }
    }

    private void CheckContent(LoggedLeaf leaf, IEnumerable<LoggedEntry> logged)
    {
        if (leaf.Row is null)
        {
            report.Finding($"{leaf.Name} was deleted");
            return;
        }

        var entries = logged.ToList();
        var hash = LeafReader.Of(leaf.Row, entries.ConvertAll(entry => entry.Content)).Hash();
        if (!hash.AsSpan().SequenceEqual(leaf.Hash))
        {
            report.Finding(
                $"{leaf.Name} was edited: with its {entries.Count} entries it no longer has the hash that is in the log"
            );
        }
        else if (!leaf.RowHash!.AsSpan().SequenceEqual(leaf.Hash))
        {
            report.Finding($"{leaf.Name} was edited: its leaf_hash is not that of its content");
        }

        // Copies that reading by time relies on; the leaf has them once.
        foreach (
            var entry in entries.Where(entry =>
                entry.EffectiveAt != leaf.Row.EffectiveAt || entry.RecordedAt != leaf.Row.RecordedAt
            )
        )
        {
            report.Finding($"{leaf.Name} was edited: line {entry.Line} says another time than its transaction");
        }
    }

    private void CheckNode(Node node, byte[] hash, LogPage page)
    {
        if (page.Nodes.TryGetValue(node, out var stored) && stored.AsSpan().SequenceEqual(hash))
        {
            return;
        }

        // A wrong leaf makes all nodes above it wrong; the lowest says where.
        var below = Enumerable
            .Range(0, 1 << LogTree.Stride)
            .Any(i => wrongNodes.Contains(new Node(node.Level - LogTree.Stride, (node.Index << LogTree.Stride) + i)));
        if (wrongNodes.Add(node) && !below)
        {
            var (first, last) = (node.Index << node.Level, ((node.Index + 1) << node.Level) - 1);
            report.Finding(
                $"leaves {first} to {last} ({page.NameOf(first)} to {page.NameOf(last)}) were edited or "
                    + "reordered: their node in the tree differs"
            );
        }
    }
}
