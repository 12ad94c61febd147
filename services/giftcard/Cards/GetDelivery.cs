using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Giftcard.Cards;

/// <summary>
/// GET /internal/gift_cards/{id}/delivery, for notification, when it writes the mail: code, PIN and what the giver
/// wrote. To be had after the card was sent and until its sealed code goes. Refusals: no_such_object.
/// </summary>
internal static class GetDelivery
{
    public static IEndpointRouteBuilder MapGetDelivery(this IEndpointRouteBuilder intern)
    {
        intern
            .MapGet("/gift_cards/{id}/delivery", HandleAsync)
            .CalledBy("notification")
            .Refuses(CommonFaults.NoSuchObject)
            .WithName(nameof(GetDelivery))
            .Produces<CardDeliveries.Content>();
        return intern;
    }

    private static async Task<IResult> HandleAsync(
        GiftCardId id,
        CardDeliveries deliveries,
        CancellationToken cancel
    ) =>
        await deliveries.OpenAsync(id, cancel) is { } content
            ? Answer.Ok(content)
            : throw new FaultException(CommonFaults.NoSuchObject, "There is nothing to deliver.");
}
