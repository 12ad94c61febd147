using LocalPlus.Giftcard.Cards;
using LocalPlus.Giftcard.Ledger;
using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Giftcard.Operations;

/// <summary>
/// POST /v1/gift_cards/{id}/cash_out: pays what the holder paid for back in money, if it is below the programme's
/// limit; presents stay on the card. Refusals: not_found, gift_card_state, gift_card_busy, limit_exceeded,
/// insufficient_balance (nothing to pay out), reference_reused.
/// </summary>
internal static class CashOutGiftCard
{
    public static IEndpointRouteBuilder MapCashOutGiftCard(this IEndpointRouteBuilder group)
    {
        group
            .MapPost("/gift_cards/{id}/cash_out", HandleAsync)
            .RequireScope("gift_cards:write")
            .RequireIdempotencyKey()
            .Refuses(Faults.OfCardOperations)
            .WithName(nameof(CashOutGiftCard))
            .Produces<CardView>();
        return group;
    }

    internal sealed record Request(string? Reference = null, string? Reason = null);

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
        new FieldChecks()
            .Text(request.Reference, "/reference", GiftcardLimits.ReferenceLength)
            .Text(request.Reason, "/reason", GiftcardLimits.ReasonLength)
            .ThrowIfAny();
        return requests.RunAsync(
            http,
            id,
            request,
            async file =>
            {
                file.Require(CardStatus.Active);
                var paid = file.Good.Where(l => l.Kind is "paid" or "refund").ToList();
                var amount = paid.Sum(file.AvailableOf);
                if (amount == 0)
                {
                    throw new FaultException(Faults.InsufficientBalance, "There is nothing to pay out.");
                }

                if (amount >= file.Program.Terms.CashOutBelow)
                {
                    throw new FaultException(
                        Faults.LimitExceeded,
                        $"The programme pays out below {file.Program.Terms.CashOutBelow} {file.Card.Currency}; "
                            + $"{amount} are on the card."
                    );
                }

                var books = await accounts.BooksAsync(http.GetMerchant().MerchantId, file.Card.Currency, cancel);
                var plan = new PlanWriter(time);
                foreach (var lot in paid.Where(l => file.AvailableOf(l) > 0))
                {
                    plan.Post(lot.AccountId, books.Clearing, file.AvailableOf(lot));
                }

                plan.Card(new(id, "cash_out", -amount, "gift_card.cashed_out"));
                return new("cash_out", plan.Plan(), amount, request.Reference, request.Reason);
            },
            cancel
        );
    }
}
