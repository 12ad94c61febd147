using LocalPlus.Giftcard.Cards;
using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Giftcard.Redemptions;

/// <summary>
/// POST /v1/redemptions/quote: what a redemption would take from each card if it came now. Reserves nothing, promises
/// nothing, needs no Idempotency-Key. Refusals: as a redemption, but a shortage is an answer: would_be says approved,
/// partially_approved or refused.
/// </summary>
internal static class QuoteRedemption
{
    public static void MapQuoteRedemption(this IEndpointRouteBuilder group) =>
        group.MapPost("/redemptions/quote", HandleAsync).RequireScope("redemptions:read").WithName(nameof(QuoteRedemption))
            .Produces<View>();

    internal sealed record SourceQuote(GiftCardId GiftCardId, string Last4, Money Available, Money Take);

    internal sealed record View(
        string WouldBe, Money Requested, Money Approved, Money RemainingDue, IReadOnlyList<SourceQuote> Sources)
    {
        public string Object { get; } = "redemption_quote";
    }

    private static async Task<IResult> HandleAsync(
        HttpContext http, RedemptionRequest request, RedemptionPlanner planner, CardReader cards, CancellationToken cancel)
    {
        request.Check();
        var plan = await planner.PlanAsync(http.GetMerchant().MerchantId, request, cancel);
        var accounts = await cards.AccountsAsync(plan.Books, plan.Legs.Select(l => l.Lot.AccountId), cancel);
        return Answer.Ok(Quote(request, plan, leg => accounts[leg.Lot.AccountId].Available));
    }

    internal static View Quote(RedemptionRequest request, RedemptionPlan plan, Func<PlannedLeg, long> availableOf)
    {
        var currency = request.Amount.Currency;
        var available = plan.Legs.Select(leg => Math.Max(0, availableOf(leg))).ToList();
        var takes = SpendOrder.Fill(
            request.Amount.MinorUnits,
            plan.Legs.Zip(available, (leg, left) => leg.MaxAmount == 0 ? left : Math.Min(left, leg.MaxAmount)));
        var total = takes.Sum();
        var covered = total == request.Amount.MinorUnits;
        var approved = covered || plan.Partial == "allow" ? total : 0;
        var sources = plan.Legs.Select((leg, i) => (leg.Card, Available: available[i], Take: approved == 0 ? 0 : takes[i]))
            .GroupBy(l => l.Card)
            .Select(g => new SourceQuote(
                new(g.Key.Row.GiftCardId), g.Key.Row.Last4, new(g.Sum(l => l.Available), currency), new(g.Sum(l => l.Take), currency)));
        return new(
            covered ? "approved" : approved > 0 ? "partially_approved" : "refused", request.Amount, new(approved, currency),
            new(request.Amount.MinorUnits - approved, currency), [.. sources]);
    }
}
