using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Giftcard.Cards;

/// <summary>
/// GET /v1/gift_cards/{id}/activities: what moved a card's value, newest first, each with the balance after it. The
/// balance is the running sum of the amounts, so it can not disagree with them. Refusals: not_found, invalid_request.
/// </summary>
internal static class ListCardActivities
{
    public static IEndpointRouteBuilder MapListCardActivities(this IEndpointRouteBuilder group)
    {
        group
            .MapGet("/gift_cards/{id}/activities", HandleAsync)
            .RequireScope("gift_cards:read")
            .WithName(nameof(ListCardActivities))
            .Produces<Page<View>>();
        return group;
    }

    internal sealed record View(
        CardActivityId Id,
        GiftCardId GiftCardId,
        string Type,
        Money Amount,
        Money BalanceAfter,
        RedemptionId? RedemptionId,
        TransactionId? TransactionId,
        string? Reference,
        string? Reason,
        DateTimeOffset OccurredAt
    )
    {
        public string Object { get; } = "gift_card_activity";
    }

    private static async Task<IResult> HandleAsync(
        HttpContext http,
        GiftCardId id,
        CardReader cards,
        Database database,
        CursorCodec cursors,
        CancellationToken cancel,
        int? limit = null,
        string? cursor = null
    )
    {
        var merchant = http.GetMerchant().MerchantId;
        var card = await cards.GetAsync(merchant, id, cancel);
        var filters = $"activities|{id}";
        var take = CursorCodec.Limit(limit);
        var after = cursors.Read(cursor, merchant, filters);
        var rows = await database.QueryAsync<Row>(
            Sql.List,
            new
            {
                GiftCardId = id,
                after.CreatedAt,
                after.Id,
                Take = take + 1,
            },
            cancel
        );
        var currency = Currency.Parse(card.Currency);
        return Answer.Ok(
            Page<View>.Of(
                [
                    .. rows.Select(r => new View(
                        r.ActivityId,
                        id,
                        r.Kind,
                        new(r.Amount, currency),
                        new(r.BalanceAfter, currency),
                        r.RedemptionId,
                        r.TransactionId,
                        r.Reference,
                        r.Reason,
                        r.OccurredAt
                    )),
                ],
                take,
                v => cursors.Write(new(v.OccurredAt, v.Id.Value), merchant, filters)
            )
        );
    }

    private sealed record Row(
        CardActivityId ActivityId,
        string Kind,
        long Amount,
        long BalanceAfter,
        RedemptionId? RedemptionId,
        TransactionId? TransactionId,
        string? Reference,
        string? Reason,
        DateTimeOffset OccurredAt
    );

    private static class Sql
    {
        // The window runs over the whole life of one card: some hundred rows through the index.
        public const string List = """
            SELECT activity_id, kind, amount, balance_after, redemption_id, transaction_id, reference, reason,
                   occurred_at
              FROM (SELECT activity_id, kind, amount,
                           (sum(amount) OVER (ORDER BY occurred_at, activity_id))::bigint AS balance_after,
                           redemption_id, transaction_id, reference, reason, occurred_at
                      FROM gift_card_activities
                     WHERE gift_card_id = @GiftCardId) a
             WHERE (occurred_at, activity_id) < (@CreatedAt, @Id)
             ORDER BY occurred_at DESC, activity_id DESC
             LIMIT @Take
            """;
    }
}
