using LocalPlus.Giftcard.Cards;
using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Giftcard.Operations;

/// <summary>
/// POST /v1/gift_cards/{id}/transfer: moves value (all there is, without an amount) to another card of the same
/// merchant and currency; presents stay presents, with their expiry. Refusals: not_found (either card),
/// gift_card_state, gift_card_busy, currency_mismatch, insufficient_balance, limit_exceeded, reference_reused.
/// </summary>
internal static class TransferGiftCard
{
    public static IEndpointRouteBuilder MapTransferGiftCard(this IEndpointRouteBuilder group)
    {
        group
            .MapPost("/gift_cards/{id}/transfer", HandleAsync)
            .RequireScope("gift_cards:write")
            .RequireIdempotencyKey()
            .Refuses([.. Faults.OfCardOperations, Faults.CurrencyMismatch])
            .WithName(nameof(TransferGiftCard))
            .Produces<CardView>();
        return group;
    }

    internal sealed record Request(
        GiftCardId To,
        Money? Amount = null,
        string? Reference = null,
        string? Reason = null
    );

    private static Task<IResult> HandleAsync(
        HttpContext http,
        GiftCardId id,
        Request request,
        OperationRequests requests,
        CardReader cards,
        TimeProvider time,
        CancellationToken cancel
    )
    {
        new FieldChecks()
            .Require(request.To != id, "/to", "same_card")
            .Positive(request.Amount, "/amount")
            .Text(request.Reference, "/reference", GiftcardLimits.ReferenceLength)
            .Text(request.Reason, "/reason", GiftcardLimits.ReasonLength)
            .ThrowIfAny();
        return requests.RunAsync(
            http,
            id,
            request,
            async from =>
            {
                var to = (await cards.SnapshotAsync(http.GetMerchant().MerchantId, request.To, cancel)).Require(
                    CardStatus.Active
                );
                from.Require(CardStatus.Active);
                var amount = request.Amount is { } asked ? from.Amount(asked) : from.Balance;
                if (to.Card.Currency != from.Card.Currency)
                {
                    throw new FaultException(Faults.CurrencyMismatch, "The gift cards are in different currencies.");
                }

                if (amount == 0)
                {
                    throw new FaultException(Faults.InsufficientBalance, "There is nothing to transfer.");
                }

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

                plan.Card(new(id, "transfer_out", -amount, "gift_card.transferred"))
                    .Card(new(to.Id, "transfer_in", amount, "gift_card.transferred"));
                return new("transfer", plan.Plan(), amount, request.Reference, request.Reason, to);
            },
            cancel
        );
    }
}
