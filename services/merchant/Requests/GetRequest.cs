using LocalPlus.Hosting;
using LocalPlus.Kernel;
using Microsoft.AspNetCore.Mvc;

namespace LocalPlus.Merchant.Requests;

/// <summary>
/// GET /v1/requests/{request_id}: what became of a request of the last 30 days, by the id that its answer named; of
/// several with that id the newest. A request is there some seconds after it was answered. Refusals: not_found.
/// </summary>
internal static class GetRequest
{
    public static IEndpointRouteBuilder MapGetRequest(this IEndpointRouteBuilder group)
    {
        group
            .MapGet("/requests/{request_id}", HandleAsync)
            .RequireScope("requests:read")
            .WithName(nameof(GetRequest))
            .Produces<RequestView>();
        return group;
    }

    private static async Task<IResult> HandleAsync(
        HttpContext http,
        [FromRoute(Name = "request_id")] string requestId,
        Database database,
        TimeProvider time,
        CancellationToken cancel
    ) =>
        await database.QuerySingleOrDefaultAsync<RequestRow>(
            Sql.Get,
            new
            {
                http.GetMerchant().MerchantId,
                requestId,
                FirstId = LoggedTime.FirstId(time.GetUtcNow() - LoggedTime.Life),
            },
            cancel
        )
            is { } row
            ? Answer.Ok(row.ToView())
            : throw new FaultException(CommonFaults.NotFound, "There is no such request in the log.");

    private static class Sql
    {
        public const string Get = $"""
            {RequestRow.Columns}
             WHERE merchant_id = @MerchantId
               AND request_id = @RequestId
               AND entry_id >= @FirstId
             ORDER BY entry_id DESC
             LIMIT 1
            """;
    }
}
