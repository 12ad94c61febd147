using System.ComponentModel.DataAnnotations;
using LocalPlus.Hosting;
using LocalPlus.Kernel;
using LocalPlus.Ledger.Books;

namespace LocalPlus.Ledger.Accounts;

/// <summary>
/// POST /v1/accounts: 201 with the account, also when one of that name and asset existed. Without a floor it never goes
/// below zero; unbounded takes the floor away. 400 invalid_request for a name, asset or policy that is none; 422
/// name_reserved for a name that a service's account has or would have.
/// </summary>
internal static class OpenAccount
{
    public static IEndpointRouteBuilder MapOpenAccount(this IEndpointRouteBuilder group)
    {
        group
            .MapPost("/accounts", HandleAsync)
            .RequireScope("ledger:write")
            .WithName(nameof(OpenAccount))
            .Produces<AccountView>(StatusCodes.Status201Created)
            .RequireIdempotencyKey()
            .Refuses(Faults.NameReserved, Faults.OwnedByService);
        return group;
    }

    private static Task<IResult> HandleAsync(
        Request request,
        HttpContext http,
        IdempotentRequests requests,
        TimeProvider time,
        CancellationToken cancel
    )
    {
        ReservedNames.RequireFree(request.Name, "/name");
        var unbounded = request.Unbounded is true || request.Striped is true;
        var account = new AccountToOpen(
            AccountId.New(time),
            request.Name,
            request.Asset,
            request.Floor ?? (unbounded ? null : 0),
            request.Ceiling,
            request.Striped is true
        ).Check("");
        return requests.ExecuteAsync(
            http,
            request,
            async db =>
            {
                var row = (
                    await AccountOpening.OpenAsync(
                        db,
                        http.GetMerchant().MerchantId,
                        [account],
                        Caller.Merchant,
                        time.GetUtcNow()
                    )
                )[0];
                return Answer.Created($"/v1/accounts/{row.AccountId}", AccountView.Of(row), row.Revision);
            },
            cancel
        );
    }

    internal sealed record Request(
        string Name,
        [property: RegularExpression(AccountToOpen.AssetPattern)] string Asset,
        bool? Unbounded = null,
        long? Floor = null,
        long? Ceiling = null,
        bool? Striped = null
    );
}
