using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Merchant;

/// <summary>
/// GET /v1/merchants/me and /v1/merchants/{id}: the merchant behind the API key. Another merchant's id is not found.
/// Refusals: not_found.
/// </summary>
internal static class GetMerchant
{
    public static IEndpointRouteBuilder MapGetMerchant(this IEndpointRouteBuilder group)
    {
        group
            .MapGet(
                "/merchants/me",
                (HttpContext http, Database database, CancellationToken cancel) =>
                    HandleAsync(http, http.GetMerchant().MerchantId, database, cancel)
            )
            .RequireScope("merchants:read")
            .WithName("GetOwnMerchant")
            .Produces<MerchantView>();
        group
            .MapGet("/merchants/{id}", HandleAsync)
            .RequireScope("merchants:read")
            .WithName(nameof(GetMerchant))
            .Produces<MerchantView>();
        return group;
    }

    private static async Task<IResult> HandleAsync(
        HttpContext http,
        MerchantId id,
        Database database,
        CancellationToken cancel
    )
    {
        var row =
            id == http.GetMerchant().MerchantId
                ? await database.QuerySingleOrDefaultAsync<MerchantRow>(Sql.Get, new { MerchantId = id }, cancel)
                : null;
        return row is null
            ? throw new FaultException(CommonFaults.NotFound, "There is no such merchant.")
            : Answer.Ok(row.ToView(), row.Version);
    }

    private static class Sql
    {
        public const string Get = $"{MerchantRow.Columns} WHERE m.merchant_id = @MerchantId";
    }
}
