using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Ledger.Accounts;

/// <summary>
/// GET /v1/accounts/{id}: the account as it is now; the ETag changes with every entry, hold and change of status.
/// </summary>
internal static class GetAccount
{
    public static IEndpointRouteBuilder MapGetAccount(this IEndpointRouteBuilder group)
    {
        group
            .MapGet("/accounts/{id}", HandleAsync)
            .RequireScope("ledger:read")
            .WithName(nameof(GetAccount))
            .Produces<AccountView>();
        return group;
    }

    private static async Task<IResult> HandleAsync(
        AccountId id,
        HttpContext http,
        Database database,
        CancellationToken cancel
    )
    {
        var row = await AccountReader.FindAsync(database, http.GetMerchant().MerchantId, id, cancel);
        return Answer.Ok(AccountView.Of(row), row.Revision);
    }
}
