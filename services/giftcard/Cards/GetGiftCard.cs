using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Giftcard.Cards;

/// <summary>GET /v1/gift_cards/{id}: a card with its balance. Refusals: not_found.</summary>
internal static class GetGiftCard
{
    public static IEndpointRouteBuilder MapGetGiftCard(this IEndpointRouteBuilder group)
    {
        group
            .MapGet("/gift_cards/{id}", HandleAsync)
            .RequireScope("gift_cards:read")
            .WithName(nameof(GetGiftCard))
            .Produces<CardView>();
        return group;
    }

    private static async Task<IResult> HandleAsync(
        HttpContext http,
        GiftCardId id,
        CardReader cards,
        CancellationToken cancel
    )
    {
        // No ETag on reads: a balance moves without the card's version.
        var card = await cards.GetAsync(http.GetMerchant().MerchantId, id, cancel);
        return Answer.Ok(await cards.ViewAsync(card, cancel));
    }
}
