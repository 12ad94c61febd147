using LocalPlus.Giftcard.Cards;
using LocalPlus.Giftcard.Ledger;
using LocalPlus.Giftcard.Operations;
using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Giftcard.Rewards;

/// <summary>
/// POST /v1/rewards/{id}/redeem: puts the reward onto a card as a present, once a card. Refusals: not_found (reward or
/// card), reward_gone (closed, or none left), gift_card_state, gift_card_busy, currency_mismatch, limit_exceeded,
/// reference_reused (the card has had it).
/// </summary>
internal static class RedeemReward
{
    public static IEndpointRouteBuilder MapRedeemReward(this IEndpointRouteBuilder group)
    {
        group
            .MapPost("/rewards/{id}/redeem", HandleAsync)
            .RequireScope("gift_cards:write")
            .RequireIdempotencyKey()
            .Refuses([.. Faults.OfCardOperations, Faults.CurrencyMismatch, Faults.RewardGone])
            .WithName(nameof(RedeemReward))
            .Produces<CardView>();
        return group;
    }

    internal sealed record Request(GiftCardId GiftCardId);

    private static Task<IResult> HandleAsync(
        HttpContext http,
        RewardId id,
        Request request,
        OperationRequests requests,
        LedgerAccounts accounts,
        Database database,
        TimeProvider time,
        CancellationToken cancel
    )
    {
        var key = new { RewardId = id, http.GetMerchant().MerchantId };
        return requests.RunAsync(
            http,
            request.GiftCardId,
            request,
            async file =>
            {
                var reward =
                    await database.QuerySingleOrDefaultAsync<RewardRow>(Sql.Get, key, cancel)
                    ?? throw new FaultException(CommonFaults.NotFound, "There is no such reward.");
                return await PlanAsync(file, reward, accounts, time, cancel);
            },
            cancel,
            async db =>
            {
                // Counted in the transaction that intends it: two cards at once do not share the last one.
                if (await db.ExecuteAsync(Sql.Grant, key) == 0)
                {
                    throw new FaultException(Faults.RewardGone, "The reward is closed, or none are left.");
                }
            }
        );
    }

    private static async Task<PlannedOperation> PlanAsync(
        CardSnapshot file,
        RewardRow reward,
        LedgerAccounts accounts,
        TimeProvider time,
        CancellationToken cancel
    )
    {
        var amount = file.Require(CardStatus.Active).Amount(new(reward.Amount, Currency.Parse(reward.Currency)));
        if (file.Balance + file.Held + amount > file.Program.Terms.MaxBalance)
        {
            throw new FaultException(
                Faults.LimitExceeded,
                $"The programme allows {file.Program.Terms.MaxBalance} on a card."
            );
        }

        var own = reward.ValidityDays is { } days ? time.GetUtcNow().AddDays(days) : (DateTimeOffset?)null;
        var expiry = own is null || file.Card.ExpiresAt < own ? file.Card.ExpiresAt : own;
        var books = await accounts.BooksAsync(file.Card.MerchantId, file.Card.Currency, cancel);
        var plan = new PlanWriter(time);
        plan.Post(books.PromoExpense, plan.LotAccount(file.Id, file.Lots, "promo", expiry), amount)
            .Card(new(file.Card.GiftCardId, "load", amount, "gift_card.loaded"));
        return new("reward", plan.Plan(), amount, $"{reward.RewardId}:{file.Id}", reward.Name);
    }

    private static class Sql
    {
        public const string Get = $"""
            {RewardRow.Columns}
             WHERE r.reward_id = @RewardId
               AND r.merchant_id = @MerchantId
            """;

        public const string Grant = """
            UPDATE rewards
               SET granted = granted + 1
             WHERE reward_id = @RewardId
               AND merchant_id = @MerchantId
               AND status = 'active'
               AND (quantity IS NULL OR granted < quantity)
            """;
    }
}
