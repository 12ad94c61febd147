using LocalPlus.Hosting;
using LocalPlus.Kernel;
using LocalPlus.Wallet.Customers;

namespace LocalPlus.Wallet.Erasure;

/// <summary>
/// POST /v1/customers/{id}/erase: the person is forgotten, here at once and in the other services as soon as they are
/// told. It can not be undone. Who is forgotten stays so: the answer is that of the first time. Refusals: not_found,
/// customer_on_hold.
/// </summary>
internal static class EraseCustomer
{
    internal sealed record Request;

    public static IEndpointRouteBuilder MapEraseCustomer(this IEndpointRouteBuilder group)
    {
        group
            .MapPost("/customers/{id}/erase", HandleAsync)
            .RequireScope("privacy:write")
            .RequireIdempotencyKey()
            .Refuses(Faults.CustomerOnHold)
            .Audit("customer.erase")
            .WithName(nameof(EraseCustomer))
            .Produces<ErasureView>();
        return group;
    }

    private static Task<IResult> HandleAsync(
        HttpContext http,
        CustomerId id,
        Request request,
        IdempotentRequests requests,
        Eraser eraser,
        CancellationToken cancel
    )
    {
        var merchant = http.GetMerchant();
        return requests.ExecuteAsync(
            http,
            request,
            async db =>
            {
                var by = LegalHolds.Hand.OfMerchant(merchant).Actor;
                return Answer.Ok((await eraser.EraseAsync(db, merchant.MerchantId, id, by)).ToView());
            },
            cancel
        );
    }
}

/// <summary>
/// GET /v1/customers/{id}/erasure: that the person was forgotten, and when. Refusals: not_found, also while the person
/// is known.
/// </summary>
internal static class GetErasure
{
    public static IEndpointRouteBuilder MapGetErasure(this IEndpointRouteBuilder group)
    {
        group
            .MapGet("/customers/{id}/erasure", HandleAsync)
            .RequireScope("privacy:read")
            .WithName(nameof(GetErasure))
            .Produces<ErasureView>();
        return group;
    }

    private static async Task<IResult> HandleAsync(
        HttpContext http,
        CustomerId id,
        Database database,
        CancellationToken cancel
    )
    {
        await using var db = await database.BeginAsync(cancel);
        return await Eraser.FindAsync(db, http.GetMerchant().MerchantId, id) is { } erasure
            ? Answer.Ok(erasure.ToView())
            : throw CustomerStore.Absent();
    }
}
