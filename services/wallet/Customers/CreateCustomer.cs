using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Wallet.Customers;

/// <summary>
/// POST /v1/customers: a holder and an empty wallet. The answer is kept for repeats of the request, so it carries no
/// personal data; GET shows it. Refusals: invalid_request, customer_exists (with the customer's id).
/// </summary>
internal static class CreateCustomer
{
    /// <param name="Locale">en (default) or fr: the language this person is written to in.</param>
    internal sealed record Request(string Email, string? Name = null, string? Phone = null, string? Locale = null);

    internal sealed record Response(CustomerId Id, string Object);

    public static IEndpointRouteBuilder MapCreateCustomer(this IEndpointRouteBuilder group)
    {
        group
            .MapPost("/customers", HandleAsync)
            .RequireScope("customers:write")
            .RequireIdempotencyKey()
            .Refuses(Faults.CustomerExists)
            .WithName(nameof(CreateCustomer))
            .Produces<Response>(StatusCodes.Status201Created);
        return group;
    }

    private static Task<IResult> HandleAsync(
        HttpContext http,
        Request request,
        IdempotentRequests idempotent,
        CustomerStore customers,
        CancellationToken cancel
    )
    {
        CustomerStore.Check(request.Email, request.Name, request.Phone, request.Locale);
        var merchant = http.GetMerchant().MerchantId;
        return idempotent.ExecuteAsync(http, request, db => AddAsync(db, merchant, request, customers), cancel);
    }

    private static async Task<Answer> AddAsync(
        DbSession db,
        MerchantId merchant,
        Request request,
        CustomerStore customers
    )
    {
        var data = PersonalData.Of(request.Email, request.Name, request.Phone);
        var (id, added) = await customers.FindOrAddAsync(db, merchant, data, request.Locale);
        return added
            ? Answer.Created($"/v1/customers/{id}", new Response(id, "customer"), version: 1)
            : throw CustomerStore.Exists(id);
    }
}
