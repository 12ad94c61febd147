using LocalPlus.Hosting;
using LocalPlus.Kernel;
using LocalPlus.Ledger.Entries;

namespace LocalPlus.Ledger.Transactions;

/// <summary>
/// GET /v1/transactions: the merchant's transactions, newest first. Filters: reference, kind, reverses, hold_id,
/// recorded from (inclusive) and to (exclusive).
/// </summary>
internal static class ListTransactions
{
    public static IEndpointRouteBuilder MapListTransactions(this IEndpointRouteBuilder group)
    {
        group
            .MapGet("/transactions", HandleAsync)
            .RequireScope("ledger:read")
            .WithName(nameof(ListTransactions))
            .Produces<Page<TransactionView>>();
        return group;
    }

    private static async Task<IResult> HandleAsync(
        [AsParameters] Filter filter,
        int? limit,
        string? cursor,
        HttpContext http,
        Database database,
        CursorCodec cursors,
        CancellationToken cancel
    )
    {
        var (merchant, size) = (http.GetMerchant().MerchantId, CursorCodec.Limit(limit));
        var filters = $"transactions\n{filter}";
        var after = cursors.Read(cursor, merchant, filters);
        var args = new
        {
            merchant,
            filter.Reference,
            filter.Kind,
            filter.Reverses,
            HoldId = filter.Hold_id,
            From = filter.From?.Value ?? DateTimeOffset.UnixEpoch,
            To = filter.To?.Value ?? DateTimeOffset.MaxValue,
            after.CreatedAt,
            after.Id,
            Limit = size + 1,
        };
        var rows = await database.SearchAsync<TransactionRow>(Sql.List, args, cancel);
        var page = Page<TransactionRow>.Of(
            rows,
            size,
            row => cursors.Write(new Keyset(row.RecordedAt, row.TransactionId.Value), merchant, filters)
        );
        return Answer.Ok(
            new Page<TransactionView>(
                await TransactionReader.WithPostingsAsync(database, page.Data, cancel),
                page.NextCursor,
                page.HasMore
            )
        );
    }

    internal sealed record Filter
    {
        public string? Reference { get; init; }

        public string? Kind { get; init; }

        public TransactionId? Reverses { get; init; }

        public HoldId? Hold_id { get; init; }

        public Instant? From { get; init; }

        public Instant? To { get; init; }
    }

    private static class Sql
    {
        public const string List = $"""
            SELECT {TransactionRow.Columns}
              FROM transactions
             WHERE merchant_id = @Merchant
               AND (@Reference::text IS NULL OR reference = @Reference)
               AND (@Kind::text IS NULL OR kind = @Kind)
               AND (@Reverses::uuid IS NULL OR reverses = @Reverses)
               AND (@HoldId::uuid IS NULL OR hold_id = @HoldId)
               AND recorded_at >= @From
               AND recorded_at < @To
               AND (recorded_at, transaction_id) < (@CreatedAt, @Id)
             ORDER BY recorded_at DESC, transaction_id DESC
             LIMIT @Limit
            """;
    }
}
