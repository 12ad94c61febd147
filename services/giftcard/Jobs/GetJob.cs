using LocalPlus.Giftcard.Batches;
using LocalPlus.Giftcard.Imports;
using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Giftcard.Jobs;

/// <summary>GET /v1/jobs/{id}: how far something long is that a merchant started. Refusals: not_found.</summary>
internal static class GetJob
{
    public static IEndpointRouteBuilder MapGetJob(this IEndpointRouteBuilder group)
    {
        group
            .MapGet("/jobs/{id}", HandleAsync)
            .RequireScope("gift_cards:read")
            .WithName(nameof(GetJob))
            .Produces<JobView>();
        return group;
    }

    private static async Task<IResult> HandleAsync(
        HttpContext http,
        JobId id,
        Database database,
        CancellationToken cancel
    )
    {
        var asked = new { Id = id, http.GetMerchant().MerchantId };
        var view =
            await database.QuerySingleOrDefaultAsync<ImportRow>(Sql.Import, asked, cancel) is { } import
                ? JobView.Of(import)
            : await database.QuerySingleOrDefaultAsync<BatchRow>(Sql.Batch, asked, cancel) is { } batch
                ? JobView.Of(batch)
            : throw NotFound();
        return Answer.Ok(view, view.Version);
    }

    public static FaultException NotFound() => new(CommonFaults.NotFound, "There is no such job.");

    private static class Sql
    {
        public const string Import = $"""
            {ImportRow.Select}
             WHERE i.import_id = @Id
               AND i.merchant_id = @MerchantId
            """;

        public const string Batch = $"""
            {BatchRow.Columns}
             WHERE b.batch_id = @Id
               AND b.merchant_id = @MerchantId
            """;
    }
}
