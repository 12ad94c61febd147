using LocalPlus.Kernel;
using LocalPlus.Ledger.Proof;
using LocalPlus.Ledger.Transactions;
using Npgsql;

namespace LocalPlus.Ledger.Audit;

/// <summary>A leaf and the transaction that it stands for; no row: the transaction is gone.</summary>
internal sealed record LoggedLeaf(long Index, Guid Transaction, byte[] Hash, byte[]? RowHash, TransactionRow? Row)
{
    public string Name => $"{new TransactionId(Transaction)} (leaf {Index})";
}

internal sealed record LoggedEntry(
    short Line,
    DateTimeOffset EffectiveAt,
    DateTimeOffset RecordedAt,
    LeafEntry Content
);

internal sealed record LogHead(long Leaves, long LastSigned, string? LastNote);

/// <summary>A stretch of the log and all that it is compared with.</summary>
internal sealed record LogPage(
    List<LoggedLeaf> Leaves,
    ILookup<Guid, LoggedEntry> Entries,
    Dictionary<Node, byte[]> Nodes,
    Dictionary<long, byte[]> Checkpoints
)
{
    /// <summary>The transaction at a leaf of this page; of another page only the number is known.</summary>
    public string NameOf(long index) => Leaves.Find(leaf => leaf.Index == index)?.Name ?? $"leaf {index}";
}

/// <summary>Reads the log page by page, each in one round trip, so that memory does not depend on its length.</summary>
internal sealed class LogPages(NpgsqlConnection connection)
{
    public async Task<LogHead> HeadAsync(CancellationToken cancel)
    {
        await using var command = new NpgsqlCommand(Sql.Head, connection);
        await using var reader = await command.ExecuteReaderAsync(cancel);
        await reader.ReadAsync(cancel);
        return new LogHead(reader.GetInt64(0), reader.GetInt64(1), reader.IsDBNull(2) ? null : reader.GetString(2));
    }

    public async Task<LogPage> ReadAsync(long begin, int count, CancellationToken cancel)
    {
        await using var batch = new NpgsqlBatch(connection);
        foreach (var sql in (string[])[Sql.Leaves, Sql.Entries, Sql.Nodes, Sql.Checkpoints])
        {
            batch.BatchCommands.Add(
                new NpgsqlBatchCommand(sql)
                {
                    Parameters =
                    {
                        new NpgsqlParameter<long> { TypedValue = begin },
                        new NpgsqlParameter<long> { TypedValue = begin + count },
                    },
                }
            );
        }

        await using var reader = await batch.ExecuteReaderAsync(cancel);
        var leaves = await AllAsync(reader, Leaf, cancel);
        await reader.NextResultAsync(cancel);
        var entries = await AllAsync(reader, Entry, cancel);
        await reader.NextResultAsync(cancel);
        var nodes = await AllAsync(
            reader,
            r => (Node: new Node(r.GetInt16(0), r.GetInt64(1)), Hash: r.GetFieldValue<byte[]>(2)),
            cancel
        );
        await reader.NextResultAsync(cancel);
        var checkpoints = await AllAsync(reader, r => (Size: r.GetInt64(0), Root: r.GetFieldValue<byte[]>(1)), cancel);
        return new LogPage(
            leaves,
            entries.ToLookup(e => e.Transaction, e => e.Entry),
            nodes.ToDictionary(n => n.Node, n => n.Hash),
            checkpoints.ToDictionary(c => c.Size, c => c.Root)
        );
    }

    /// <summary>What is in the books and not in the log, although the sequencer had its time.</summary>
    public async Task<List<string>> StraysAsync(CancellationToken cancel)
    {
        await using var command = new NpgsqlCommand(Sql.Strays, connection);
        await using var reader = await command.ExecuteReaderAsync(cancel);
        return await AllAsync(
            reader,
            r => $"{new TransactionId(r.GetGuid(0))} is not in the log: {r.GetString(1)}",
            cancel
        );
    }

    private static async Task<List<T>> AllAsync<T>(
        NpgsqlDataReader reader,
        Func<NpgsqlDataReader, T> read,
        CancellationToken cancel
    )
    {
        var rows = new List<T>();
        while (await reader.ReadAsync(cancel))
        {
            rows.Add(read(reader));
        }

        return rows;
    }

    private static LoggedLeaf Leaf(NpgsqlDataReader row)
    {
        var (index, transaction, hash) = (row.GetInt64(0), row.GetGuid(1), row.GetFieldValue<byte[]>(2));
        return row.IsDBNull(3)
            ? new LoggedLeaf(index, transaction, hash, null, null)
            : new LoggedLeaf(
                index,
                transaction,
                hash,
                row.GetFieldValue<byte[]>(3),
                new TransactionRow(
                    new TransactionId(transaction),
                    new MerchantId(row.GetGuid(4)),
                    row.IsDBNull(5) ? null : row.GetString(5),
                    row.GetString(6),
                    row.IsDBNull(7) ? null : new TransactionId(row.GetGuid(7)),
                    row.IsDBNull(8) ? null : new HoldId(row.GetGuid(8)),
                    row.IsDBNull(9) ? null : row.GetString(9),
                    row.GetFieldValue<DateTimeOffset>(10),
                    row.GetFieldValue<DateTimeOffset>(11)
                )
            );
    }

    private static (Guid Transaction, LoggedEntry Entry) Entry(NpgsqlDataReader row) =>
        (
            row.GetGuid(0),
            new LoggedEntry(
                row.GetInt16(1),
                row.GetFieldValue<DateTimeOffset>(8),
                row.GetFieldValue<DateTimeOffset>(9),
                new LeafEntry(
                    new AccountId(row.GetGuid(2)),
                    row.GetInt16(3),
                    row.GetInt64(4),
                    row.GetString(5),
                    row.GetInt64(6),
                    row.GetInt64(7)
                )
            )
        );

    private static class Sql
    {
        public const string Head = """
            SELECT (SELECT COALESCE(max(leaf_index) + 1, 0) FROM log_leaves),
                   COALESCE((SELECT max(size) FROM log_checkpoints), 0),
                   (SELECT note FROM log_checkpoints ORDER BY size DESC LIMIT 1)
            """;

        public const string Leaves = """
            SELECT l.leaf_index, l.transaction_id, l.leaf_hash, t.leaf_hash, t.merchant_id, t.reference, t.kind,
                   t.reverses, t.hold_id, t.metadata::text, t.effective_at, t.recorded_at
              FROM log_leaves l
              LEFT JOIN transactions t USING (transaction_id)
             WHERE l.leaf_index >= $1
               AND l.leaf_index < $2
             ORDER BY l.leaf_index
            """;

        public const string Entries = """
            SELECT l.transaction_id, e.line, e.account_id, e.stripe, e.sequence, e.asset, e.amount, e.balance_after,
                   e.effective_at, e.recorded_at
              FROM log_leaves l
              JOIN ledger_entries e USING (transaction_id)
             WHERE l.leaf_index >= $1
               AND l.leaf_index < $2
             ORDER BY l.leaf_index, e.line
            """;

        // Those that become full between two sizes.
        public const string Nodes = """
            SELECT n.level, n.node_index, n.hash
              FROM generate_series(4, 60, 4) AS kept (level)
              JOIN log_nodes n ON n.level = kept.level AND n.node_index >= $1 >> kept.level
                  AND n.node_index < $2 >> kept.level
            """;

        public const string Checkpoints = "SELECT size, root FROM log_checkpoints WHERE size > $1 AND size <= $2";

        public const string Strays = """
            SELECT transaction_id, 'the transaction was added behind the sequencer''s back, or it does not run'
              FROM transactions t
             WHERE recorded_at < now() - interval '1 minute'
               AND NOT EXISTS (SELECT FROM log_leaves l WHERE l.transaction_id = t.transaction_id)
             UNION ALL
            SELECT transaction_id,
                   'line ' || line || ' of account ' || account_id || ' belongs to no transaction that is'
              FROM ledger_entries e
             WHERE recorded_at < now() - interval '1 minute'
               AND NOT EXISTS (SELECT FROM log_leaves l WHERE l.transaction_id = e.transaction_id)
            """;
    }
}
