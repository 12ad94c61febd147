using LocalPlus.Hosting;

namespace LocalPlus.Merchant;

/// <summary>
/// POST /v1/merchants/me/submit: a draft asks to be reviewed; until an operator has decided nothing of it changes.
/// Refusals: merchant_state.
/// </summary>
internal static class SubmitMerchant
{
    public static IEndpointRouteBuilder MapSubmitMerchant(this IEndpointRouteBuilder group)
    {
        group
            .MapPost("/merchants/me/submit", HandleAsync)
            .RequireScope("merchants:write")
            .OpenTo(MerchantStatus.Draft, MerchantStatus.Review)
            .RequireIdempotencyKey()
            .Refuses(Faults.MerchantState)
            .WithName(nameof(SubmitMerchant))
            .Produces<MerchantView>();
        return group;
    }

    private static Task<IResult> HandleAsync(
        HttpContext http,
        IdempotentRequests idempotent,
        ILogger<ServiceIdentity> log,
        CancellationToken cancel
    )
    {
        var merchantId = http.GetMerchant().MerchantId;
        return idempotent.ExecuteAsync(
            http,
            new { },
            async db =>
            {
                var merchant = await MerchantLifeCycle.TakeAsync(
                    db,
                    merchantId,
                    MerchantLifeCycle.Submit,
                    Actor.MerchantOf(http),
                    reason: null,
                    log
                );
                return Answer.Ok(merchant.ToView(), merchant.Version);
            },
            cancel
        );
    }
}
