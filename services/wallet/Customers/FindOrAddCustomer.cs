using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Wallet.Customers;

/// <summary>
/// POST /internal/customers, for giftcard when a card is sold to an address: the merchant's customer with that address,
/// added if there is none. Repeating it is harmless. Refusals: invalid_request.
/// </summary>
internal static class FindOrAddCustomer
{
    internal sealed record Request(MerchantId MerchantId, string Email, string? Name = null, string? Locale = null);

    internal sealed record Response(CustomerId CustomerId, bool Added);

    public static IEndpointRouteBuilder MapFindOrAddCustomer(this IEndpointRouteBuilder intern)
    {
        intern
            .MapPost("/customers", HandleAsync)
            .CalledBy("giftcard")
            .WithName(nameof(FindOrAddCustomer))
            .Produces<Response>();
        return intern;
    }

    private static async Task<IResult> HandleAsync(
        Request request,
        Database database,
        CustomerStore customers,
        CancellationToken cancel
    )
    {
        CustomerStore.Check(request.Email, request.Name, phone: null, request.Locale);
        var data = PersonalData.Of(request.Email, request.Name);
        await using var db = await database.BeginAsync(cancel);
        var (id, added) = await customers.FindOrAddAsync(db, request.MerchantId, data, request.Locale);
        await db.CommitAsync();
        return Answer.Ok(new Response(id, added));
    }
}
