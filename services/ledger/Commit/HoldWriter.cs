using LocalPlus.Ledger.Books;
using Npgsql;

namespace LocalPlus.Ledger.Commit;

/// <summary>The part of a batch's effects that concerns holds.</summary>
internal static class HoldWriter
{
    public static void Add(NpgsqlBatch batch, Book book)
    {
        if (book.Holds.Count == 0)
        {
            return;
        }

        AddNew(batch, [.. book.Holds.Where(hold => hold.IsNew)]);
        AddChanged(batch, [.. book.Holds.Where(hold => hold.IsChanged).OrderBy(hold => hold.Id.Value)]);
    }

    private static void AddNew(NpgsqlBatch batch, Hold[] rows)
    {
        if (rows.Length == 0)
        {
            return;
        }

        batch
            .Add(Sql.New)
            .Ids(Array.ConvertAll(rows, h => h.Id.Value))
            .Ids(Array.ConvertAll(rows, h => h.MerchantId.Value))
            .Texts(Array.ConvertAll(rows, h => h.Reference))
            .Texts(Array.ConvertAll(rows, State))
            .Texts(Array.ConvertAll(rows, h => h.Asset))
            .Longs(Array.ConvertAll(rows, h => h.Requested))
            .Longs(Array.ConvertAll(rows, h => h.Captured))
            .Ids(Array.ConvertAll(rows, h => h.Progress.TransactionId?.Value))
            .Texts(Array.ConvertAll(rows, h => Metadata.ToJson(h.Metadata)))
            .Instants(Array.ConvertAll(rows, h => h.PlacedAt.UtcDateTime))
            .Instants(Array.ConvertAll(rows, h => h.Progress.ExpiresAt.UtcDateTime))
            .Longs(Array.ConvertAll(rows, h => h.Progress.Version));
        var items = Items(rows);
        batch
            .Add(Sql.NewItems)
            .Ids(Array.ConvertAll(items, i => i.Hold.Id.Value))
            .Shorts(Array.ConvertAll(items, i => i.Line))
            .Ids(Array.ConvertAll(items, i => i.Item.AccountId.Value))
            .Longs(Array.ConvertAll(items, i => i.Item.Held))
            .Longs(Array.ConvertAll(items, i => i.Item.Captured));
    }

    private static void AddChanged(NpgsqlBatch batch, Hold[] rows)
    {
        if (rows.Length == 0)
        {
            return;
        }

        batch
            .Add(Sql.Changed)
            .Ids(Array.ConvertAll(rows, h => h.Id.Value))
            .Texts(Array.ConvertAll(rows, State))
            .Longs(Array.ConvertAll(rows, h => h.Captured))
            .Ids(Array.ConvertAll(rows, h => h.Progress.TransactionId?.Value))
            .Instants(Array.ConvertAll(rows, h => h.Progress.ExpiresAt.UtcDateTime))
            .Longs(Array.ConvertAll(rows, h => h.Progress.Version));
        var captured = Array.FindAll(Items(rows), i => i.Item.Captured > 0);
        if (captured.Length > 0)
        {
            batch
                .Add(Sql.CapturedItems)
                .Ids(Array.ConvertAll(captured, i => i.Hold.Id.Value))
                .Shorts(Array.ConvertAll(captured, i => i.Line))
                .Longs(Array.ConvertAll(captured, i => i.Item.Captured));
        }
    }

    private static string State(Hold hold) =>
        hold.Progress.State switch
        {
            HoldState.Pending => "pending",
            HoldState.Captured => "captured",
            HoldState.Released => "released",
            _ => "expired",
        };

    private static (Hold Hold, short Line, HoldItem Item)[] Items(Hold[] holds) =>
        [.. holds.SelectMany(hold => hold.Progress.Items.Select((item, i) => (hold, (short)i, item)))];

    private static class Sql
    {
        public const string New = """
            INSERT INTO holds (hold_id, merchant_id, reference, state, asset, requested, captured, transaction_id, metadata,
                               placed_at, expires_at, version)
            SELECT hold_id, merchant_id, reference, state, asset, requested, captured, transaction_id, metadata::jsonb,
                   placed_at, expires_at, version
              FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
                AS h (hold_id, merchant_id, reference, state, asset, requested, captured, transaction_id, metadata,
                      placed_at, expires_at, version)
            """;

        public const string NewItems = """
            INSERT INTO hold_items (hold_id, line, account_id, held, captured)
            SELECT hold_id, line, account_id, held, captured
              FROM unnest($1, $2, $3, $4, $5) AS i (hold_id, line, account_id, held, captured)
            """;

        public const string Changed = """
            UPDATE holds h
               SET state = c.state, captured = c.captured, transaction_id = c.transaction_id, expires_at = c.expires_at,
                   version = c.version
              FROM unnest($1, $2, $3, $4, $5, $6) AS c (hold_id, state, captured, transaction_id, expires_at, version)
             WHERE h.hold_id = c.hold_id
            """;

        public const string CapturedItems = """
            UPDATE hold_items i
               SET captured = c.captured
              FROM unnest($1, $2, $3) AS c (hold_id, line, captured)
             WHERE i.hold_id = c.hold_id
               AND i.line = c.line
            """;
    }
}
