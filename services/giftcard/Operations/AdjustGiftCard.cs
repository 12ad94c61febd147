using LocalPlus.Giftcard.Cards;
using LocalPlus.Giftcard.Ledger;
using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Giftcard.Operations;

/// <summary>
/// POST /v1/gift_cards/{id}/adjust: corrects a balance, up or down (a negative amount), against the programme's
/// adjustments account; needs a reason. Refusals: not_found, gift_card_state, gift_card_busy, currency_mismatch,
/// insufficient_balance, limit_exceeded, reference_reused.
/// </summary>
internal static class AdjustGiftCard
{
    public static IEndpointRouteBuilder MapAdjustGiftCard(this IEndpointRouteBuilder group)
    {
        group
            .MapPost("/gift_cards/{id}/adjust", HandleAsync)
            .RequireScope("gift_cards:write")
            .RequireIdempotencyKey()
            .Refuses([.. Faults.OfCardOperations, Faults.CurrencyMismatch])
            .WithName(nameof(AdjustGiftCard))
            .Produces<CardView>();
        return group;
    }

    internal sealed record Request(Money Amount, string Reason, string? Reference = null);

    private static Task<IResult> HandleAsync(
        HttpContext http,
        GiftCardId id,
        Request request,
        OperationRequests requests,
        LedgerAccounts accounts,
        TimeProvider time,
        CancellationToken cancel
    )
    {
        new FieldChecks()
            .Require(request.Amount.MinorUnits != 0, "/amount")
            .Text(request.Reason, "/reason", GiftcardLimits.ReasonLength)
            .Text(request.Reference, "/reference", GiftcardLimits.ReferenceLength)
            .ThrowIfAny();
        return requests.RunAsync(
            http,
            id,
            request,
            async file =>
            {
                var amount = file.Require(CardStatus.Active, CardStatus.Blocked).Amount(request.Amount);
                if (amount > 0 && file.Balance + file.Held + amount > file.Program.Terms.MaxBalance)
                {
                    throw new FaultException(
                        Faults.LimitExceeded,
                        $"The programme allows {file.Program.Terms.MaxBalance} on a card."
                    );
                }

                var books = await accounts.BooksAsync(http.GetMerchant().MerchantId, file.Card.Currency, cancel);
                var plan = new PlanWriter(time);
                if (amount > 0)
                {
                    plan.Post(books.Adjustments, plan.LotAccount(id, file.Lots, "paid", file.Card.ExpiresAt), amount);
                }
                else
                {
                    foreach (var (lot, part) in PlanWriter.Take(file, -amount))
                    {
                        plan.Post(lot.AccountId, books.Adjustments, part);
                    }
                }

                plan.Card(new(id, "adjust", amount, "gift_card.adjusted"));
                return new("adjust", plan.Plan(), amount, request.Reference, request.Reason);
            },
            cancel
        );
    }
}
