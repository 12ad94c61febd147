using LocalPlus.Hosting;
using LocalPlus.Kernel;
using LocalPlus.Ledger.Core;

namespace LocalPlus.Ledger.Accounts;

/// <summary>POST /v1/accounts: 201 with the account, also when it existed. 400 invalid_request for a name or asset that is none.</summary>
internal static class OpenAccount
{
    public static IEndpointRouteBuilder MapOpenAccount(this IEndpointRouteBuilder group)
    {
        group.MapPost("/accounts", Handle).RequireScope("ledger:write");
        return group;
    }

    private static Task<IResult> Handle(Request request, HttpContext http, IdempotentRequests requests, TimeProvider time, CancellationToken cancel) =>
        requests.ExecuteAsync(http, request, async db =>
        {
            var name = Wire.Text(request.Name, "name", AccountOpening.NameCharacters);
            if (!AccountOpening.IsAsset(request.Asset))
            {
                throw Wire.Invalid("asset", "is an ISO currency or PTS:programme");
            }

            var policy = request.Unbounded is true ? "unbounded" : "floor_zero";
            var opened = await AccountOpening.OpenAsync(db, http.GetMerchant().MerchantId.Value,
                [new AccountToOpen(AccountId.New(time).Value, name, request.Asset, policy)], time.GetUtcNow());
            var view = AccountView.Of(opened[0]);
            return Answer.Created($"/v1/accounts/{view.Id}", view, view.Version);
        }, cancel);

    private sealed record Request(string Name, string Asset, bool? Unbounded = null);
}
