using LocalPlus.Giftcard.Cards;
using LocalPlus.Giftcard.Ledger;
using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Giftcard.Operations;

/// <summary>
/// POST /v1/gift_cards/{id}/close: ends a card for good. Its value has to be spent, moved or paid out before, and no
/// hold may be open; what ran out on it becomes breakage. Refusals: not_found, gift_card_state, gift_card_busy (also
/// while a refund to it is under way).
/// </summary>
internal static class CloseGiftCard
{
    public static IEndpointRouteBuilder MapCloseGiftCard(this IEndpointRouteBuilder group)
    {
        group
            .MapPost("/gift_cards/{id}/close", HandleAsync)
            .RequireScope("gift_cards:write")
            .RequireIdempotencyKey()
            .Refuses(Faults.OfCardOperations)
            .WithName(nameof(CloseGiftCard))
            .Produces<CardView>();
        return group;
    }

    internal sealed record Request(string? Reason = null);

    private static Task<IResult> HandleAsync(
        HttpContext http,
        GiftCardId id,
        Request? request,
        OperationRequests requests,
        LedgerAccounts accounts,
        TimeProvider time,
        CancellationToken cancel
    )
    {
        request ??= new Request();
        new FieldChecks().Text(request.Reason, "/reason", GiftcardLimits.ReasonLength).ThrowIfAny();
        return requests.RunAsync(
            http,
            id,
            request,
            async file =>
            {
                file.Require(CardStatus.Pending, CardStatus.Active, CardStatus.Blocked, CardStatus.Expired);
                if (file.Balance != 0 || file.Held != 0)
                {
                    throw new FaultException(
                        Faults.GiftCardState,
                        $"There are {file.Balance + file.Held} {file.Card.Currency} on the gift card."
                    );
                }

                var plan = new PlanWriter(time);
                if (file.Unbooked.Any())
                {
                    plan.ExpireUnbooked(
                        file,
                        (await accounts.BooksAsync(http.GetMerchant().MerchantId, file.Card.Currency, cancel)).Breakage
                    );
                }

                plan.Card(new(id, "close", 0, "gift_card.closed", CardStatus.Closed));
                return new("close", plan.Plan(), Reason: request.Reason);
            },
            cancel
        );
    }
}
