using LocalPlus.Hosting;

namespace LocalPlus.Giftcard.Batches;

/// <summary>
/// GET /v1/gift_cards/bulk: a merchant's batches, newest first. Refusals: invalid_request (limit,
/// cursor).
/// </summary>
internal static class ListBatches
{
    public static IEndpointRouteBuilder MapListBatches(this IEndpointRouteBuilder group)
    {
        group
            .MapGet("/gift_cards/bulk", HandleAsync)
            .RequireScope("gift_cards:read")
            .WithName(nameof(ListBatches))
            .Produces<Page<BatchView>>();
        return group;
    }

    private static async Task<IResult> HandleAsync(
        HttpContext http,
        Database database,
        CursorCodec cursors,
        CancellationToken cancel,
        int? limit = null,
        string? cursor = null
    )
    {
        const string filters = "batches";
        var merchant = http.GetMerchant().MerchantId;
        var take = CursorCodec.Limit(limit);
        var after = cursors.Read(cursor, merchant, filters);
        var rows = await database.QueryAsync<BatchRow>(
            Sql.List,
            new
            {
                MerchantId = merchant,
                after.CreatedAt,
                after.Id,
                Take = take + 1,
            },
            cancel
        );
        return Answer.Ok(
            Page<BatchView>.Of(
                [.. rows.Select(r => r.ToView())],
                take,
                b => cursors.Write(new(b.CreatedAt, b.Id.Value), merchant, filters)
            )
        );
    }

    private static class Sql
    {
        public const string List = $"""
            {BatchRow.Columns}
             WHERE b.merchant_id = @MerchantId
               AND (b.created_at, b.batch_id) < (@CreatedAt, @Id)
             ORDER BY b.created_at DESC, b.batch_id DESC
             LIMIT @Take
            """;
    }
}
