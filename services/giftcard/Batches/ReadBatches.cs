using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Giftcard.Batches;

/// <summary>GET /v1/gift_cards/bulk/{id}: how far a batch is. Refusals: not_found.</summary>
internal static class GetBatch
{
    public static void MapGetBatch(this IEndpointRouteBuilder group) =>
        group.MapGet("/gift_cards/bulk/{id}", HandleAsync).RequireScope("gift_cards:read").WithName(nameof(GetBatch))
            .Produces<BatchView>();

    private static async Task<IResult> HandleAsync(HttpContext http, JobId id, Database database, CancellationToken cancel)
    {
        var row = await database.QuerySingleOrDefaultAsync<BatchRow>(
            Sql.Get, new { BatchId = id.Value, MerchantId = http.GetMerchant().MerchantId.Value }, cancel)
            ?? throw new FaultException(CommonFaults.NotFound, "There is no such batch.");
        return Answer.Ok(row.ToView(), row.Version);
    }

    private static class Sql
    {
        public const string Get =
            $"""
             {BatchRow.Columns}
              WHERE b.batch_id = @BatchId
                AND b.merchant_id = @MerchantId
             """;
    }
}

/// <summary>GET /v1/gift_cards/bulk: a merchant's batches, newest first. Refusals: invalid_request (limit, cursor).</summary>
internal static class ListBatches
{
    public static void MapListBatches(this IEndpointRouteBuilder group) =>
        group.MapGet("/gift_cards/bulk", HandleAsync).RequireScope("gift_cards:read").WithName(nameof(ListBatches))
            .Produces<Page<BatchView>>();

    private static async Task<IResult> HandleAsync(
        HttpContext http, Database database, CursorCodec cursors, CancellationToken cancel, int? limit = null, string? cursor = null)
    {
        const string filters = "batches";
        var merchant = http.GetMerchant().MerchantId;
        var take = CursorCodec.Limit(limit);
        var after = cursors.Read(cursor, merchant, filters);
        var rows = await database.QueryAsync<BatchRow>(
            Sql.List, new { MerchantId = merchant.Value, after.CreatedAt, after.Id, Take = take + 1 }, cancel);
        return Answer.Ok(Page<BatchView>.Of(
            [.. rows.Select(r => r.ToView())], take, b => cursors.Write(new(b.CreatedAt, b.Id.Value), merchant, filters)));
    }

    private static class Sql
    {
        public const string List =
            $"""
             {BatchRow.Columns}
              WHERE b.merchant_id = @MerchantId
                AND (b.created_at, b.batch_id) < (@CreatedAt, @Id)
              ORDER BY b.created_at DESC, b.batch_id DESC
              LIMIT @Take
             """;
    }
}
