using LocalPlus.Hosting;

namespace LocalPlus.Giftcard.Cards;

/// <summary>
/// POST /v1/gift_cards/lookup: a card and its balance from its code, in the body so that it stays out of URLs and logs.
/// Moves nothing, so it needs no Idempotency-Key. Refusals: gift_card_not_usable, gift_card_state (expired).
/// </summary>
internal static class LookupGiftCard
{
    public static IEndpointRouteBuilder MapLookupGiftCard(this IEndpointRouteBuilder group)
    {
        group
            .MapPost("/gift_cards/lookup", HandleAsync)
            .RequireScope("gift_cards:read")
            .Limited(RateLimit.Lookup)
            .OpenTo(MerchantStatus.Suspended, MerchantStatus.Closed)
            .Refuses(Faults.GiftCardNotUsable, Faults.GiftCardState)
            .WithName(nameof(LookupGiftCard))
            .Produces<CardView>();
        return group;
    }

    internal sealed record Request(string Code, string? Pin = null);

    private static async Task<IResult> HandleAsync(
        HttpContext http,
        Request request,
        CardFinder finder,
        CardReader cards,
        CancellationToken cancel
    )
    {
        var credential = new CardCredential(request.Code, request.Pin);
        var checks = new FieldChecks();
        credential.Check(checks, "");
        checks.ThrowIfAny();
        var caller = http.GetMerchant();
        var found = (await finder.FindAsync(caller, [credential], cancel))[0];
        var view = await cards.ViewAsync(found.Row, found.Lots, cancel);
        return Answer.Ok(found.Row.MerchantId == caller.MerchantId ? view : view.ForOtherMerchant());
    }
}
