using LocalPlus.Hosting;
using LocalPlus.Kernel;
using LocalPlus.Ledger.Books;
using LocalPlus.Ledger.Commit;
using Npgsql;
using NpgsqlTypes;

namespace LocalPlus.Ledger.Holds;

/// <summary>Reads one hold with its items, without a lock. A foreign or absent one is not_found.</summary>
internal static class HoldReader
{
    public static Task<Hold> FindAsync(Database database, MerchantId merchant, HoldId id, CancellationToken cancel) =>
        FindAsync(database, merchant, id.Value, null, cancel);

    public static Task<Hold> FindAsync(
        Database database,
        MerchantId merchant,
        string reference,
        CancellationToken cancel
    ) => FindAsync(database, merchant, null, reference, cancel);

    private static Task<Hold> FindAsync(
        Database database,
        MerchantId merchant,
        Guid? id,
        string? reference,
        CancellationToken cancel
    ) => database.ReadAsync(connection => ReadAsync(connection, merchant, id, reference, cancel), cancel);

    private static async Task<Hold> ReadAsync(
        NpgsqlConnection connection,
        MerchantId merchant,
        Guid? id,
        string? reference,
        CancellationToken cancel
    )
    {
        await using var batch = new NpgsqlBatch(connection);
        foreach (var sql in new[] { Sql.Hold, Sql.Items })
        {
            batch
                .Add(sql)
                .With(NpgsqlDbType.Uuid, merchant.Value)
                .With(NpgsqlDbType.Uuid, id)
                .With(NpgsqlDbType.Text, reference);
        }

        await using var rows = await batch.ExecuteReaderAsync(cancel);
        if (!await rows.ReadAsync(cancel))
        {
            throw new FaultException(CommonFaults.NotFound, "There is no such hold.");
        }

        var make = HoldRow.Read(rows);
        await rows.NextResultAsync(cancel);
        var items = new List<HoldItem>();
        while (await rows.ReadAsync(cancel))
        {
            items.Add(new HoldItem(new AccountId(rows.GetGuid(0)), rows.GetInt64(1), rows.GetInt64(2)));
        }

        return make([.. items]);
    }

    private static class Sql
    {
        public const string Hold = $"""
            SELECT {HoldRow.Columns}
              FROM holds
             WHERE merchant_id = $1
               AND (hold_id = $2 OR reference = $3)
            """;

        public const string Items = """
            SELECT i.account_id, i.held, i.captured
              FROM holds h
              JOIN hold_items i USING (hold_id)
             WHERE h.merchant_id = $1
               AND (h.hold_id = $2 OR h.reference = $3)
             ORDER BY i.line
            """;
    }
}
