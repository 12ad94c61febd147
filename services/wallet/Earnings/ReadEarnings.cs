using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Wallet.Earnings;

/// <summary>
/// GET /v1/earnings/{id}, for the merchant where it was earned and for the programme's. Refusals: not_found.
/// </summary>
internal static class GetEarning
{
    public static IEndpointRouteBuilder MapGetEarning(this IEndpointRouteBuilder group)
    {
        group
            .MapGet("/earnings/{id}", HandleAsync)
            .RequireScope("earnings:read")
            .WorksAcrossMerchants()
            .WithName(nameof(GetEarning))
            .Produces<EarningView>();
        return group;
    }

    private static async Task<IResult> HandleAsync(
        HttpContext http,
        EarningId id,
        Database database,
        CancellationToken cancel
    )
    {
        var merchant = http.GetMerchant();
        var row = await database.QuerySingleOrDefaultAsync<EarningRow>(
            Sql.Get,
            new
            {
                EarningId = id,
                merchant.MerchantId,
                merchant.Live,
            },
            cancel
        );
        return row is null
            ? throw new FaultException(CommonFaults.NotFound, "There is no such earning.")
            : Answer.Ok(row.ToView());
    }

    private static class Sql
    {
        public const string Get = $"{EarningRow.Visible} AND e.earning_id = @EarningId";
    }
}
