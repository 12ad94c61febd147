using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Ledger.Accounts;

/// <summary>
/// POST /v1/accounts: 201 with the account, also when one of that name and asset existed. Without a floor it never goes
/// below zero; unbounded takes the floor away. 400 invalid_request for a name, asset or policy that is none.
/// </summary>
internal static class OpenAccount
{
    public static IEndpointRouteBuilder MapOpenAccount(this IEndpointRouteBuilder group)
    {
        group.MapPost("/accounts", Handle).RequireScope("ledger:write");
        return group;
    }

    private static Task<IResult> Handle(Request request, HttpContext http, IdempotentRequests requests, TimeProvider time, CancellationToken cancel)
    {
        var unbounded = request.Unbounded is true || request.Striped is true;
        var account = new AccountToOpen(
            AccountId.New(time), request.Name, request.Asset, request.Floor ?? (unbounded ? null : 0), request.Ceiling, request.Striped is true).Check("");
        return requests.ExecuteAsync(http, request, async db =>
        {
            var row = (await AccountOpening.OpenAsync(db, http.GetMerchant().MerchantId, [account], time.GetUtcNow()))[0];
            return Answer.Created($"/v1/accounts/{row.AccountId}", AccountView.Of(row), row.Revision);
        }, cancel);
    }

    private sealed record Request(
        string Name, string Asset, bool? Unbounded = null, long? Floor = null, long? Ceiling = null, bool? Striped = null);
}
