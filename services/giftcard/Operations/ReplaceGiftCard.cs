using LocalPlus.Giftcard.Cards;
using LocalPlus.Giftcard.Ledger;
using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Giftcard.Operations;

/// <summary>
/// POST /v1/gift_cards/{id}/replace: a lost or broken card's value moves to a new card with a code of its own, which is
/// in this answer only; the old one is good for nothing any more. Value that redemptions hold stays theirs; what they
/// give back later follows to the new card. Refusals: not_found, gift_card_state, gift_card_busy.
/// </summary>
internal static class ReplaceGiftCard
{
    public static IEndpointRouteBuilder MapReplaceGiftCard(this IEndpointRouteBuilder group)
    {
        group
            .MapPost("/gift_cards/{id}/replace", HandleAsync)
            .RequireScope("gift_cards:write")
            .RequireIdempotencyKey()
            .Refuses(Faults.OfCardOperations)
            .WithName(nameof(ReplaceGiftCard))
            .Produces<CardView>(StatusCodes.Status201Created);
        return group;
    }

    internal sealed record Request(string? Reason = null);

    private static Task<IResult> HandleAsync(
        HttpContext http,
        GiftCardId id,
        Request? request,
        OperationRequests requests,
        CardMaker maker,
        LedgerAccounts accounts,
        TimeProvider time,
        CancellationToken cancel
    )
    {
        request ??= new Request();
        new FieldChecks().Text(request.Reason, "/reason", GiftcardLimits.ReasonLength).ThrowIfAny();
        var heir = maker.New();
        CardSnapshot? old = null;
        return requests.RunAsync(
            http,
            id,
            request,
            async file =>
            {
                old = file.Require(CardStatus.Active, CardStatus.Blocked);
                var books = await accounts.BooksAsync(http.GetMerchant().MerchantId, file.Card.Currency, cancel);
                return Plan(file, heir.Id, request.Reason, books.Breakage, time);
            },
            cancel,
            db =>
                maker.InsertAsync(
                    db,
                    [heir],
                    old!.Program,
                    new(old.Card.CustomerId, old.Card.ExpiresAt, null, old.Card.Metadata)
                )
        );
    }

    private static PlannedOperation Plan(
        CardSnapshot old,
        GiftCardId heir,
        string? reason,
        AccountId breakage,
        TimeProvider time
    )
    {
        var plan = new PlanWriter(time);
        // The new card has its paid lot even when there is nothing to move: what comes back later needs a place.
        plan.LotAccount(heir, [], "paid", old.Card.ExpiresAt);
        foreach (var lot in old.Good)
        {
            plan.Drain(old.Id, lot.AccountId, plan.LotAccount(heir, [], lot.Kind, lot.ExpiresAt), heir);
        }

        plan.ExpireUnbooked(old, breakage)
            .Card(new(heir, "transfer_in", 0, "gift_card.activated", CardStatus.Active, Drained: true))
            .Card(
                new(
                    old.Card.GiftCardId,
                    "transfer_out",
                    0,
                    "gift_card.replaced",
                    CardStatus.Replaced,
                    ReplacedBy: heir,
                    Drained: true
                )
            );
        return new("replace", plan.Plan(StatusCodes.Status201Created), Reason: reason, Heir: heir);
    }
}
