using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Giftcard.Cards;

/// <summary>
/// GET /v1/gift_cards/{id}/lots: what the card's value is made of (paid, refund, promo, goodwill), in the order in
/// which it is spent; lots whose time is over come last, with what redemptions may still hold of them. Refusals:
/// not_found.
/// </summary>
internal static class ListCardLots
{
    public static IEndpointRouteBuilder MapListCardLots(this IEndpointRouteBuilder group)
    {
        group
            .MapGet("/gift_cards/{id}/lots", HandleAsync)
            .RequireScope("gift_cards:read")
            .WithName(nameof(ListCardLots))
            .Produces<View>();
        return group;
    }

    internal sealed record Lot(
        LotId Id,
        string Kind,
        AccountId AccountId,
        Money Balance,
        Money Held,
        bool Spendable,
        DateTimeOffset? ExpiresAt,
        DateTimeOffset CreatedAt
    )
    {
        public string Object { get; } = "lot";
    }

    internal sealed record View(GiftCardId GiftCardId, IReadOnlyList<Lot> Data);

    private static async Task<IResult> HandleAsync(
        HttpContext http,
        GiftCardId id,
        CardReader cards,
        CancellationToken cancel
    )
    {
        var file = await cards.SnapshotAsync(http.GetMerchant().MerchantId, id, cancel);
        var order = file.Good.ToList();
        return Answer.Ok(
            new View(
                id,
                [
                    .. order
                        .Concat(file.Lots.Except(order))
                        .Select(lot => new Lot(
                            lot.LotId,
                            lot.Kind,
                            lot.AccountId,
                            new(file.AvailableOf(lot), file.Currency),
                            new(file.Accounts[lot.AccountId].Held, file.Currency),
                            order.Contains(lot),
                            lot.ExpiresAt,
                            lot.CreatedAt
                        )),
                ]
            )
        );
    }
}
