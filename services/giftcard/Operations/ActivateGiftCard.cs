using LocalPlus.Giftcard.Cards;
using LocalPlus.Giftcard.Programs;
using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Giftcard.Operations;

/// <summary>
/// POST /v1/gift_cards/{id}/activate: gives a card that was made without value its first one. Refusals: not_found,
/// gift_card_state (not pending), gift_card_busy, currency_mismatch, limit_exceeded, program_state, reference_reused,
/// terminal_blocked.
/// </summary>
internal static class ActivateGiftCard
{
    public static IEndpointRouteBuilder MapActivateGiftCard(this IEndpointRouteBuilder group)
    {
        group
            .MapPost("/gift_cards/{id}/activate", HandleAsync)
            .RequireScope("gift_cards:write")
            .RequireIdempotencyKey()
            .Refuses([.. Faults.OfCardOperations, Faults.CurrencyMismatch, Faults.ProgramState, Faults.TerminalBlocked])
            .WithName(nameof(ActivateGiftCard))
            .Produces<CardView>();
        return group;
    }

    internal sealed record Request(
        Money Amount,
        string? Reference = null,
        LocationId? LocationId = null,
        TerminalId? TerminalId = null
    );

    private static Task<IResult> HandleAsync(
        HttpContext http,
        GiftCardId id,
        Request request,
        OperationRequests requests,
        SellGiftCard.Intake sales,
        TimeProvider time,
        CancellationToken cancel
    )
    {
        new FieldChecks()
            .Positive(request.Amount, "/amount")
            .Text(request.Reference, "/reference", GiftcardLimits.ReferenceLength)
            .ThrowIfAny();
        return requests.RunAsync(
            http,
            id,
            request,
            async file =>
            {
                file.Require(CardStatus.Pending);
                ProgramTerms.CheckSale(file.Program, request.Amount);
                var merchant = http.GetMerchant().MerchantId;
                var till = await sales.TillAsync(merchant, request.LocationId, request.TerminalId, cancel);
                var expiry = file.Program.Terms.ValidityDays is { } days
                    ? time.GetUtcNow().AddDays(days)
                    : (DateTimeOffset?)null;
                var plan = await sales.ActivationPlanAsync(
                    merchant,
                    id,
                    request.Amount,
                    expiry,
                    cancel,
                    StatusCodes.Status200OK
                );
                return new("activate", plan with { Till = till }, request.Amount.MinorUnits, request.Reference);
            },
            cancel
        );
    }
}
