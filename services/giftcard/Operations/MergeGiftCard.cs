using LocalPlus.Giftcard.Cards;
using LocalPlus.Giftcard.Ledger;
using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Giftcard.Operations;

/// <summary>
/// POST /v1/gift_cards/{id}/merge: moves everything from another card of the same merchant and currency to this one and
/// closes the other for good; what is refunded to it later follows. The other is named by its code (and PIN), as its
/// holder would, or by its id. Presents stay presents, with their expiry; what ran out becomes breakage. Refusals:
/// not_found, gift_card_not_usable (the other), gift_card_state (also while a redemption holds value of the other),
/// gift_card_busy, currency_mismatch, limit_exceeded, reference_reused.
/// </summary>
internal static class MergeGiftCard
{
    public static IEndpointRouteBuilder MapMergeGiftCard(this IEndpointRouteBuilder group)
    {
        group
            .MapPost("/gift_cards/{id}/merge", HandleAsync)
            .RequireScope("gift_cards:write")
            .RequireIdempotencyKey()
            .Refuses([.. Faults.OfCardOperations, Faults.GiftCardNotUsable, Faults.CurrencyMismatch])
            .WithName(nameof(MergeGiftCard))
            .Produces<CardView>();
        return group;
    }

    internal sealed record Request(CardCredential From, string? Reference = null, string? Reason = null);

    private static Task<IResult> HandleAsync(
        HttpContext http,
        GiftCardId id,
        Request request,
        OperationRequests requests,
        CardReader cards,
        CardFinder finder,
        LedgerAccounts accounts,
        TimeProvider time,
        CancellationToken cancel
    )
    {
        var checks = new FieldChecks()
            .Require(request.From.Id != id, "/from", "same_card")
            .Text(request.Reference, "/reference", GiftcardLimits.ReferenceLength)
            .Text(request.Reason, "/reason", GiftcardLimits.ReasonLength);
        request.From.Check(checks, "/from");
        checks.ThrowIfAny();
        return requests.RunAsync(
            http,
            id,
            request,
            async to =>
            {
                var merchant = http.GetMerchant().MerchantId;
                var found = (await finder.FindAsync(http.GetMerchant(), [request.From], cancel))[0];
                if (found.Row.GiftCardId == id)
                {
                    throw Faults.Invalid("/from", "A gift card is not merged into itself.");
                }

                var from = await cards.SnapshotAsync(merchant, found.Row.GiftCardId, cancel);
                var books = await accounts.BooksAsync(merchant, from.Card.Currency, cancel);
                return Plan(
                    from.Require(CardStatus.Active),
                    to.Require(CardStatus.Active),
                    request,
                    books.Breakage,
                    time
                );
            },
            cancel
        );
    }

    private static PlannedOperation Plan(
        CardSnapshot from,
        CardSnapshot to,
        Request request,
        AccountId breakage,
        TimeProvider time
    )
    {
        if (to.Card.Currency != from.Card.Currency)
        {
            throw new FaultException(Faults.CurrencyMismatch, "The gift cards are in different currencies.");
        }

        if (from.Held > 0)
        {
            throw new FaultException(
                Faults.GiftCardState,
                $"{from.Held} {from.Card.Currency} of the other gift card are held."
            );
        }

        var amount = from.Balance;
        if (to.Balance + to.Held + amount > to.Program.Terms.MaxBalance)
        {
            throw new FaultException(
                Faults.LimitExceeded,
                $"The programme allows {to.Program.Terms.MaxBalance} on a card."
            );
        }

        var plan = new PlanWriter(time);
        foreach (var (lot, part) in PlanWriter.Take(from, amount))
        {
            var expiry = lot.Kind is "promo" or "goodwill" ? lot.ExpiresAt : to.Card.ExpiresAt;
            plan.Post(lot.AccountId, plan.LotAccount(to.Id, to.Lots, lot.Kind, expiry), part);
        }

        plan.ExpireUnbooked(from, breakage)
            .Card(
                new(
                    from.Card.GiftCardId,
                    "transfer_out",
                    -amount,
                    "gift_card.closed",
                    CardStatus.Closed,
                    ReplacedBy: to.Card.GiftCardId
                )
            )
            .Card(new(to.Card.GiftCardId, "transfer_in", amount, "gift_card.transferred"));
        return new("merge", plan.Plan(), amount, request.Reference, request.Reason, from);
    }
}
