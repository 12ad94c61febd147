using LocalPlus.Hosting;
using LocalPlus.Kernel;
using LocalPlus.Wallet.Customers;
using Microsoft.AspNetCore.Mvc;

namespace LocalPlus.Wallet.Erasure;

/// <summary>Why a hold is set or lifted.</summary>
internal sealed record HoldReason(string Reason)
{
    public void Check() =>
        new FieldChecks()
            .Require(Reason is not null, "/reason", "missing")
            .Text(Reason, "/reason", LegalHolds.ReasonLength)
            .ThrowIfAny();
}

/// <summary>
/// POST /v1/customers/{id}/legal_hold and /lift; GET /v1/customers/{id}/legal_holds: the merchant has to keep the
/// person's data, for a dispute or an authority, and until when. Refusals: not_found, invalid_request.
/// </summary>
internal static class MerchantLegalHolds
{
    /// <param name="Data">Newest first.</param>
    internal sealed record Response(IReadOnlyList<LegalHoldView> Data);

    public static IEndpointRouteBuilder MapMerchantLegalHolds(this IEndpointRouteBuilder group)
    {
        group
            .MapPost("/customers/{id}/legal_hold", SetAsync)
            .RequireScope("privacy:write")
            .RequireIdempotencyKey()
            .Audit("customer.hold", withReason: false)
            .WithName("SetLegalHold")
            .Produces<LegalHoldView>();
        group
            .MapPost("/customers/{id}/legal_hold/lift", LiftAsync)
            .RequireScope("privacy:write")
            .RequireIdempotencyKey()
            .Audit("customer.lift_hold", withReason: false)
            .WithName("LiftLegalHold")
            .Produces<LegalHoldView>();
        group
            .MapGet("/customers/{id}/legal_holds", ListAsync)
            .RequireScope("privacy:read")
            .WithName("ListLegalHolds")
            .Produces<Response>();
        return group;
    }

    private static Task<IResult> SetAsync(
        HttpContext http,
        CustomerId id,
        HoldReason request,
        IdempotentRequests requests,
        LegalHolds holds,
        CancellationToken cancel
    )
    {
        request.Check();
        var merchant = http.GetMerchant();
        return requests.ExecuteAsync(
            http,
            request,
            async db =>
            {
                var customer = await CustomerStore.LockAsync(db, merchant.MerchantId, id);
                var hand = LegalHolds.Hand.OfMerchant(merchant);
                return Answer.Ok(await holds.SetAsync(db, customer, merchant.MerchantId, hand, request.Reason));
            },
            cancel
        );
    }

    private static Task<IResult> LiftAsync(
        HttpContext http,
        CustomerId id,
        HoldReason request,
        IdempotentRequests requests,
        LegalHolds holds,
        CancellationToken cancel
    )
    {
        request.Check();
        var merchant = http.GetMerchant();
        return requests.ExecuteAsync(
            http,
            request,
            async db =>
            {
                var customer = await CustomerStore.LockAsync(db, merchant.MerchantId, id);
                var hand = LegalHolds.Hand.OfMerchant(merchant);
                return Answer.Ok(await holds.LiftAsync(db, customer, hand, request.Reason));
            },
            cancel
        );
    }

    private static async Task<IResult> ListAsync(
        HttpContext http,
        CustomerId id,
        Database database,
        LegalHolds holds,
        CancellationToken cancel
    )
    {
        await using var db = await database.BeginAsync(cancel);
        var customer = await CustomerStore.GetAsync(db, http.GetMerchant().MerchantId, id);
        http.ForThisReaderOnly();
        return Answer.Ok(new Response(await holds.ReadAsync(db, customer)));
    }
}

/// <summary>
/// POST /ops/v1/wallet/customers/{id}/legal_hold?merchant_id= and /lift, for operators whom an authority asks: a hold
/// that the merchant can not lift. Refusals: not_found, invalid_request.
/// </summary>
internal static class OperatorLegalHolds
{
    public static IEndpointRouteBuilder MapOperatorLegalHolds(this IEndpointRouteBuilder group)
    {
        group
            .MapPost("/wallet/customers/{id}/legal_hold", SetAsync)
            .RequireRole("operator")
            .RequireIdempotencyKey()
            .Audit("customer.hold", withReason: false)
            .WithName("SetLegalHoldAsOperator")
            .Produces<LegalHoldView>();
        group
            .MapPost("/wallet/customers/{id}/legal_hold/lift", LiftAsync)
            .RequireRole("operator")
            .RequireIdempotencyKey()
            .Audit("customer.lift_hold", withReason: false)
            .WithName("LiftLegalHoldAsOperator")
            .Produces<LegalHoldView>();
        return group;
    }

    private static Task<IResult> SetAsync(
        HttpContext http,
        CustomerId id,
        [FromQuery(Name = "merchant_id")] MerchantId merchantId,
        HoldReason request,
        IdempotentRequests requests,
        LegalHolds holds,
        CancellationToken cancel
    )
    {
        request.Check();
        var hand = LegalHolds.Hand.OfOperator(http.GetOperator());
        AuditNote.Current?.Of(merchantId);
        return requests.ExecuteAsync(
            http,
            request,
            async db =>
            {
                var customer = await CustomerStore.LockAsync(db, merchantId, id);
                return Answer.Ok(await holds.SetAsync(db, customer, merchantId, hand, request.Reason));
            },
            cancel
        );
    }

    private static Task<IResult> LiftAsync(
        HttpContext http,
        CustomerId id,
        [FromQuery(Name = "merchant_id")] MerchantId merchantId,
        HoldReason request,
        IdempotentRequests requests,
        LegalHolds holds,
        CancellationToken cancel
    )
    {
        request.Check();
        var hand = LegalHolds.Hand.OfOperator(http.GetOperator());
        AuditNote.Current?.Of(merchantId);
        return requests.ExecuteAsync(
            http,
            request,
            async db =>
            {
                var customer = await CustomerStore.LockAsync(db, merchantId, id);
                return Answer.Ok(await holds.LiftAsync(db, customer, hand, request.Reason));
            },
            cancel
        );
    }
}
