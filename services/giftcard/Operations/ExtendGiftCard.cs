using LocalPlus.Giftcard.Cards;
using LocalPlus.Giftcard.Ledger;
using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Giftcard.Operations;

/// <summary>
/// POST /v1/gift_cards/{id}/extend: makes a card good for longer. One that has expired is active again and gets back
/// what its expiry took, but for presents, whose own time is over. Refusals: not_found, gift_card_state,
/// gift_card_busy, invalid_request (not later than now and the present expiry).
/// </summary>
internal static class ExtendGiftCard
{
    public static IEndpointRouteBuilder MapExtendGiftCard(this IEndpointRouteBuilder group)
    {
        group
            .MapPost("/gift_cards/{id}/extend", HandleAsync)
            .RequireScope("gift_cards:write")
            .RequireIdempotencyKey()
            .Refuses(Faults.OfCardOperations)
            .WithName(nameof(ExtendGiftCard))
            .Produces<CardView>();
        return group;
    }

    internal sealed record Request(DateTimeOffset ExpiresAt, string? Reason = null);

    private static Task<IResult> HandleAsync(
        HttpContext http,
        GiftCardId id,
        Request request,
        OperationRequests requests,
        LedgerAccounts accounts,
        Database database,
        TimeProvider time,
        CancellationToken cancel
    )
    {
        new FieldChecks()
            .Require(request.ExpiresAt > time.GetUtcNow(), "/expires_at", "past")
            .Text(request.Reason, "/reason", GiftcardLimits.ReasonLength)
            .ThrowIfAny();
        return requests.RunAsync(
            http,
            id,
            request,
            async file =>
            {
                file.Require(CardStatus.Active, CardStatus.Blocked, CardStatus.Expired);
                if (file.Card.ExpiresAt is null || request.ExpiresAt <= file.Card.ExpiresAt)
                {
                    throw Faults.Invalid("/expires_at", "The gift card is good for as long already.");
                }

                var plan = new PlanWriter(time);
                var back = 0L;
                if (file.Card.Status == CardStatus.Expired)
                {
                    var books = await accounts.BooksAsync(http.GetMerchant().MerchantId, file.Card.Currency, cancel);
                    foreach (var (account, amount) in await TakenAsync(database, file, cancel))
                    {
                        plan.Post(books.Breakage, account, amount);
                        back += amount;
                    }
                }

                var status = file.Card.Status == CardStatus.Expired ? CardStatus.Active : null;
                plan.Card(new(id, "extend", back, "gift_card.extended", status, request.ExpiresAt));
                return new("extend", plan.Plan(), back, null, request.Reason);
            },
            cancel
        );
    }

    /// <summary>
    /// What the card's expiry, and what came back after it, took from the lots that live as long as the card.
    /// </summary>
    private static async Task<IEnumerable<(AccountId Account, long Amount)>> TakenAsync(
        Database database,
        CardSnapshot file,
        CancellationToken cancel
    )
    {
        var taken = await TakenByExpiry.ReadAsync(database, file.Id, DateTimeOffset.MinValue, cancel);
        return file
            .Lots.Where(l => l.Kind is "paid" or "refund" && taken.ContainsKey(l.AccountId))
            .Select(l => (l.AccountId, taken[l.AccountId]));
    }
}
