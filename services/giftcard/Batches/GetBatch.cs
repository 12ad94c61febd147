using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Giftcard.Batches;

/// <summary>GET /v1/gift_cards/bulk/{id}: how far a batch is. Refusals: not_found.</summary>
internal static class GetBatch
{
    public static IEndpointRouteBuilder MapGetBatch(this IEndpointRouteBuilder group)
    {
        group
            .MapGet("/gift_cards/bulk/{id}", HandleAsync)
            .RequireScope("gift_cards:read")
            .WithName(nameof(GetBatch))
            .Produces<BatchView>();
        return group;
    }

    private static async Task<IResult> HandleAsync(
        HttpContext http,
        JobId id,
        Database database,
        CancellationToken cancel
    )
    {
        var row =
            await database.QuerySingleOrDefaultAsync<BatchRow>(
                Sql.Get,
                new { BatchId = id, http.GetMerchant().MerchantId },
                cancel
            ) ?? throw new FaultException(CommonFaults.NotFound, "There is no such batch.");
        return Answer.Ok(row.ToView(), row.Version);
    }

    private static class Sql
    {
        public const string Get = $"""
            {BatchRow.Columns}
             WHERE b.batch_id = @BatchId
               AND b.merchant_id = @MerchantId
            """;
    }
}
