using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Merchant;

/// <summary>
/// POST /v1/merchants/me/submit: a draft asks to be reviewed; until an operator has decided nothing of it changes.
/// A live merchant has said before who it is in law and where its money goes. Refusals: merchant_state,
/// merchant_incomplete (with what is missing).
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
            .Refuses(Faults.MerchantState, Faults.MerchantIncomplete)
            .Audit("merchant.submit")
            .WithName(nameof(SubmitMerchant))
            .Produces<MerchantView>();
        return group;
    }

    private static Task<IResult> HandleAsync(
        HttpContext http,
        IdempotentRequests idempotent,
        MerchantCopies copies,
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
                RequireComplete(merchant.ToView());
                copies.DropWith(db, merchant);
                return Answer.Ok(merchant.ToView(), merchant.Version);
            },
            cancel
        );
    }

    private static void RequireComplete(MerchantView merchant)
    {
        (string Pointer, object? Said)[] needed =
        [
            ("/legal_name", merchant.LegalName),
            ("/address", merchant.Address),
            ("/iban", merchant.Iban),
            ("/support_email", merchant.SupportEmail),
        ];
        FieldError[] missing =
        [
            .. needed.Where(field => field.Said is null).Select(field => new FieldError(field.Pointer, "required")),
        ];
        if (merchant.Mode == Modes.Live && missing.Length > 0)
        {
            throw new FaultException(
                Faults.MerchantIncomplete,
                "Say who the merchant is before it is reviewed.",
                missing
            );
        }
    }
}
