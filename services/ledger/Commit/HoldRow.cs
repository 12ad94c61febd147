using LocalPlus.Kernel;
using LocalPlus.Ledger.Books;
using Npgsql;

namespace LocalPlus.Ledger.Commit;

/// <summary>The columns of a hold, in the order that every reader of holds selects them.</summary>
internal static class HoldRow
{
    public const string Columns =
        "hold_id, merchant_id, reference, state, asset, requested, transaction_id, metadata::text, placed_at, expires_at, version";

    /// <summary>The hold of the current row, once its items are there.</summary>
    public static Func<HoldItem[], Hold> Read(NpgsqlDataReader row)
    {
        var (id, merchant, reference, asset, requested) = (
            row.GetGuid(0),
            row.GetGuid(1),
            row.GetString(2),
            row.GetString(4),
            row.GetInt64(5)
        );
        var state = Enum.Parse<HoldState>(row.GetString(3), ignoreCase: true);
        TransactionId? transaction = row.IsDBNull(6) ? null : new TransactionId(row.GetGuid(6));
        var metadata = row.IsDBNull(7) ? null : Metadata.Parse(row.GetString(7));
        var (placed, expires, version) = (row.GetDateTime(8), row.GetDateTime(9), row.GetInt64(10));
        return items => new Hold(
            new HoldProgress(state, new DateTimeOffset(expires, TimeSpan.Zero), transaction, version, items),
            isNew: false
        )
        {
            Id = new HoldId(id),
            MerchantId = new MerchantId(merchant),
            Reference = reference,
            Asset = asset,
            Requested = requested,
            Metadata = metadata,
            PlacedAt = new DateTimeOffset(placed, TimeSpan.Zero),
        };
    }
}
