using System.Buffers.Binary;
using System.Globalization;
using LocalPlus.Hosting;
using LocalPlus.Kernel;
using LocalPlus.Ledger.Commit;
using Npgsql;
using NpgsqlTypes;

namespace LocalPlus.Ledger.Proof;

/// <summary>
/// Gives committed transactions their places in the log, signs the grown tree and hands the checkpoint to the outbox:
/// one database transaction a round, twice a second, by whichever replica gets the round's advisory lock (ADR 0012).
/// Posting knows nothing of it. It never signs a tree that contradicts what was signed before: then it stops and says
/// so.
/// </summary>
internal sealed class Sequencer(
    Database database,
    LogTree tree,
    LogKey key,
    CheckpointFile file,
    TimeProvider time,
    ILogger<Sequencer> log
) : BackgroundService
{
    public const long LockKey = 0x4C50_4C4F_47;
    private Frontier? frontier;
    private bool isSettled;
    private bool isBehind;

    /// <summary>One round; the number of leaves it added. For the loop below, and for tests.</summary>
    public async Task<int> SequenceAsync(CancellationToken cancel)
    {
        isBehind = false;
        await using var db = await database.BeginAsync(cancel);
        if (!await db.QuerySingleAsync<bool>(Sql.TryLead, new { LockKey }))
        {
            return 0;
        }

        // In this order: what is not visible below must have a number that is not below this one.
        var (running, cursor) = await db.QuerySingleAsync<(long Running, long Cursor)>(Sql.Where);
        var (rows, complete) = await NextAsync(db, cursor);
        if (rows.Count == 0 && isSettled)
        {
            return 0;
        }

        await db.ExecuteAsync(Sql.MoveCursor, new { Consumed = Text(Math.Min(running, complete)) });
        if (rows.Count > 0)
        {
            await AppendAsync(db, rows, cancel);
        }

        await db.CommitAsync();
        isSettled = rows.Count == 0;
        isBehind = complete < long.MaxValue;
        return rows.Count;
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(LedgerLimits.SequencePace, time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                do
                {
                    await SequenceAsync(stoppingToken);
                } while (isBehind);

                await file.CatchUpAsync(stoppingToken);
            }
            catch (LogBrokenException broken)
            {
                frontier = null;
                log.LogBroken(broken.Message);
                await Task.Delay(LedgerLimits.BrokenLogPause, time, stoppingToken);
            }
            catch (Exception exception) when (!stoppingToken.IsCancellationRequested)
            {
                frontier = null;
                log.WorkerStumbled("the sequencer", LedgerLimits.SequencePace.TotalMilliseconds, exception);
            }
        }
    }

    /// <summary>
    /// The next transactions to log, and the number below which, with them, all that is visible is logged. Looks at so
    /// many at a time: however far the log is behind, a round costs the same.
    /// </summary>
    private static async Task<(IReadOnlyList<WrittenRow> Rows, long Complete)> NextAsync(DbSession db, long from)
    {
        while (true)
        {
            var window = new { From = Text(from), Limit = LedgerLimits.LeavesPerRound };
            var last = (await db.SearchAsync<long?>(Sql.WindowEnd, window)).SingleOrDefault();
            var rows = await db.QueryAsync<WrittenRow>(
                Sql.Written,
                new
                {
                    window.From,
                    Last = Text(last ?? long.MaxValue),
                    window.Limit,
                }
            );
            if (rows.Count == LedgerLimits.LeavesPerRound)
            {
                // It may have ended amidst what one database transaction wrote.
                return (rows, rows[^1].WrittenBy);
            }

            if (rows.Count > 0 || last is null)
            {
                return (rows, last + 1 ?? long.MaxValue);
            }

            from = last.Value + 1;
        }
    }

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);

    private async Task AppendAsync(DbSession db, IReadOnlyList<WrittenRow> rows, CancellationToken cancel)
    {
        var grown = await FrontierAsync(db, cancel);
        var first = grown.Size;
        var nodes = new List<(Node Node, byte[] Hash)>();
        // Until the commit is known the tree that is kept may not be trusted.
        frontier = null;
        foreach (var row in rows)
        {
            grown.Append(
                row.LeafHash,
                (node, hash) =>
                {
                    if (LogTree.IsStored(node.Level))
                    {
                        nodes.Add((node, hash));
                    }
                }
            );
        }

        var root = grown.Root();
        var now = time.GetUtcNow();
        var note = key.Sign(grown.Size, root);
        await using var batch = new NpgsqlBatch(db.Connection, db.Transaction);
        batch
            .Add(Sql.Leaves)
            .Ids([.. rows.Select(row => row.TransactionId.Value)])
            .Bytes([.. rows.Select(row => row.LeafHash)])
            .With(NpgsqlDbType.Bigint, first);
        batch
            .Add(Sql.Nodes)
            .Shorts([.. nodes.Select(n => (short)n.Node.Level)])
            .Longs([.. nodes.Select(n => n.Node.Index)])
            .Bytes([.. nodes.Select(n => n.Hash)]);
        batch
            .Add(Sql.Checkpoint)
            .With(NpgsqlDbType.Bigint, grown.Size)
            .With(NpgsqlDbType.Bytea, root)
            .With(NpgsqlDbType.Text, note)
            .Instant(now);
        await batch.ExecuteNonQueryAsync(cancel);
        await db.PublishAsync(
            CheckpointSigned.Topic,
            CheckpointSigned.Type,
            key.Origin,
            grown.Size,
            null,
            new CheckpointSigned(key.Origin, grown.Size, root, note, now)
        );
        frontier = grown;
        Telemetry.LogSize = grown.Size;
        Telemetry.SealDelay.Record((now - OldestOf(rows)).TotalSeconds);
    }

    /// <summary>
    /// The tree as it was left, or read anew when another replica grew it; checked against all that was signed.
    /// </summary>
    private async Task<Frontier> FrontierAsync(DbSession db, CancellationToken cancel)
    {
        var head = await db.QuerySingleAsync<Head>(Sql.Head);
        if (frontier?.Size == head.Leaves)
        {
            return frontier;
        }

        if (head.Leaves != (head.Size ?? 0))
        {
            throw new LogBrokenException($"The log has {head.Leaves} leaves, its last checkpoint {head.Size ?? 0}.");
        }

        var read = await tree.FrontierAsync(head.Leaves, cancel);
        if (head.Leaves > 0 && !read.Root().AsSpan().SequenceEqual(head.Root))
        {
            throw new LogBrokenException($"The log's root at {head.Leaves} leaves is not the one that was signed.");
        }

        if (
            file.Last() is { } kept
            && (
                kept.Size > head.Leaves
                || !(await tree.HashesAsync([new LeafRange(0, kept.Size)], cancel))[0].AsSpan().SequenceEqual(kept.Root)
            )
        )
        {
            throw new LogBrokenException(
                $"The checkpoint file knows a tree of {kept.Size} leaves that this log, with {head.Leaves}, "
                    + "does not contain."
            );
        }

        return read;
    }

    /// <summary>A transaction's id begins with the millisecond in which it was decided.</summary>
    private static DateTimeOffset OldestOf(IEnumerable<WrittenRow> rows) =>
        DateTimeOffset.FromUnixTimeMilliseconds(
            rows.Min(row =>
                (long)(BinaryPrimitives.ReadUInt64BigEndian(row.TransactionId.Value.ToByteArray(bigEndian: true)) >> 16)
            )
        );

    private sealed record WrittenRow(TransactionId TransactionId, byte[] LeafHash, long WrittenBy);

    private sealed record Head(long Leaves, long? Size, byte[]? Root);

    private static class Sql
    {
        // Ends with the round's transaction: a leader that dies or loses its connection has resigned.
        public const string TryLead = "SELECT pg_try_advisory_xact_lock(@LockKey)";

        public const string Where = """
            SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS running,
                   consumed_below::text::bigint AS cursor
              FROM log_cursor
            """;

        // Planned for the number that it gets, which is most often at the table's end: planned for any, it would read
        // all.
        public const string WindowEnd = """
            SELECT written_by::text::bigint
              FROM transactions
             WHERE written_by >= CAST(@From AS text)::xid8
             ORDER BY written_by
            OFFSET @Limit
             LIMIT 1
            """;

        // Some are in the log already: those that were visible before an older transaction ended.
        public const string Written = """
            SELECT t.transaction_id, t.leaf_hash, t.written_by::text::bigint AS written_by
              FROM transactions t
             WHERE t.written_by BETWEEN CAST(@From AS text)::xid8 AND CAST(@Last AS text)::xid8
               AND NOT EXISTS (SELECT FROM log_leaves l WHERE l.transaction_id = t.transaction_id)
             ORDER BY t.written_by, t.transaction_id
             LIMIT @Limit
            """;

        public const string MoveCursor = """
            UPDATE log_cursor
               SET consumed_below = CAST(@Consumed AS text)::xid8
             WHERE consumed_below <> CAST(@Consumed AS text)::xid8
            """;

        public const string Head = """
            SELECT (SELECT COALESCE(max(leaf_index) + 1, 0) FROM log_leaves) AS leaves, c.size, c.root
              FROM (VALUES (1)) AS one
              LEFT JOIN (SELECT size, root FROM log_checkpoints ORDER BY size DESC LIMIT 1) AS c ON true
            """;

        public const string Leaves = """
            INSERT INTO log_leaves (leaf_index, transaction_id, leaf_hash)
            SELECT $3 + place - 1, transaction_id, leaf_hash
              FROM unnest($1, $2) WITH ORDINALITY AS l (transaction_id, leaf_hash, place)
            """;

        public const string Nodes = """
            INSERT INTO log_nodes (level, node_index, hash)
            SELECT level, node_index, hash
              FROM unnest($1, $2, $3) AS n (level, node_index, hash)
            """;

        public const string Checkpoint =
            "INSERT INTO log_checkpoints (size, root, note, signed_at) VALUES ($1, $2, $3, $4)";
    }
}
