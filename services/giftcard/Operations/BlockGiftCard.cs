using LocalPlus.Giftcard.Cards;
using LocalPlus.Giftcard.Ledger;
using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Giftcard.Operations;

/// <summary>
/// POST /v1/gift_cards/{id}/block and /unblock: a blocked card takes no new holds; holds it has may still be captured.
/// Works without the ledger, the answer then has no balance. Blocking what is blocked is done, not refused. Refusals:
/// not_found, gift_card_state.
/// </summary>
internal static class BlockGiftCard
{
    private static readonly Change Block = new("block", CardStatus.Active, CardStatus.Blocked, "gift_card.blocked");
    private static readonly Change Unblock = new(
        "unblock",
        CardStatus.Blocked,
        CardStatus.Active,
        "gift_card.unblocked"
    );

    public static IEndpointRouteBuilder MapBlockGiftCard(this IEndpointRouteBuilder group)
    {
        group
            .MapPost("/gift_cards/{id}/block", By(Block))
            .RequireScope("gift_cards:write")
            .OpenTo(MerchantStatus.Suspended)
            .RequireIdempotencyKey()
            .Refuses(Faults.GiftCardState)
            .WithName("BlockGiftCard")
            .Produces<CardView>();
        group
            .MapPost("/gift_cards/{id}/unblock", By(Unblock))
            .RequireScope("gift_cards:write")
            .RequireIdempotencyKey()
            .Refuses(Faults.GiftCardState)
            .WithName("UnblockGiftCard")
            .Produces<CardView>();
        return group;
    }

    internal sealed record Request(string? Reason = null);

    private sealed record Change(string Activity, string From, string To, string EventType);

    private static Delegate By(Change change) =>
        (
            HttpContext http,
            GiftCardId id,
            Request? request,
            IdempotentRequests requests,
            CardReader cards,
            CardChanges changes,
            TimeProvider time,
            CancellationToken cancel
        ) => HandleAsync(http, id, request ?? new(), change, requests, cards, changes, time, cancel);

    private static async Task<IResult> HandleAsync(
        HttpContext http,
        GiftCardId id,
        Request request,
        Change change,
        IdempotentRequests requests,
        CardReader cards,
        CardChanges changes,
        TimeProvider time,
        CancellationToken cancel
    )
    {
        new FieldChecks().Text(request.Reason, "/reason", GiftcardLimits.ReasonLength).ThrowIfAny();
        var merchant = http.GetMerchant().MerchantId;
        var balance = await BalanceAsync(await cards.GetAsync(merchant, id, cancel), cards, cancel);
        return await requests.ExecuteAsync(
            http,
            request,
            async db =>
            {
                var card = await db.QuerySingleAsync<CardRow>(Sql.Lock, new { GiftCardId = id });
                var status = card.StatusAt(time.GetUtcNow());
                if (status == change.From)
                {
                    card = await changes.ApplyAsync(
                        db,
                        new(id, change.Activity, 0, change.EventType, change.To),
                        0,
                        new(merchant, card.Currency, null, null, null, request.Reason)
                    );
                }
                else if (status != change.To)
                {
                    throw new FaultException(Faults.GiftCardState, $"The gift card is {status}.");
                }

                return Answer.Ok(card.ToView(balance, time.GetUtcNow()), card.Version);
            },
            cancel
        );
    }

    private static async Task<CardBalance?> BalanceAsync(CardRow card, CardReader cards, CancellationToken cancel)
    {
        try
        {
            return await cards.BalanceAsync(card, cancel);
        }
        catch (LedgerUnknownException)
        {
            // A stolen card is blocked now; its balance can be read later.
            return null;
        }
    }

    private static class Sql
    {
        public const string Lock = $"{CardRow.Columns} WHERE c.gift_card_id = @GiftCardId FOR NO KEY UPDATE";
    }
}
