using LocalPlus.Giftcard.Imports;
using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Giftcard.Jobs;

/// <summary>
/// GET /v1/jobs/{id}/errors: the items that were left out and why, as CSV, streamed. Of a batch there are none.
/// Refusals: not_found.
/// </summary>
internal static class GetJobErrors
{
    public static IEndpointRouteBuilder MapGetJobErrors(this IEndpointRouteBuilder group)
    {
        group
            .MapGet("/jobs/{id}/errors", HandleAsync)
            .RequireScope("gift_cards:read")
            .WithName(nameof(GetJobErrors))
            .Produces<string>(StatusCodes.Status200OK, ImportParser.Csv);
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
        if (await database.QuerySingleOrDefaultAsync<ImportRow>(Sql.Import, asked, cancel) is not { } import)
        {
            return await database.QuerySingleOrDefaultAsync<bool>(Sql.IsBatch, asked, cancel)
                ? Results.Text(ImportReport.Head, $"{ImportParser.Csv}; charset=utf-8")
                : throw GetJob.NotFound();
        }

        await ImportReport.WriteAsync(http.Response, import, database, refusedOnly: true, cancel);
        return Results.Empty;
    }

    private static class Sql
    {
        public const string Import = $"""
            {ImportRow.Select}
             WHERE i.import_id = @Id
               AND i.merchant_id = @MerchantId
            """;

        public const string IsBatch = """
            SELECT EXISTS (SELECT 1
                             FROM card_batches
                            WHERE batch_id = @Id
                              AND merchant_id = @MerchantId)
            """;
    }
}
