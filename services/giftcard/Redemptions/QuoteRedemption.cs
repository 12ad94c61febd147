using LocalPlus.Giftcard.Cards;
using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Giftcard.Redemptions;

/// <summary>
/// POST /v1/redemptions/quote: what a redemption would take from each card, and of a member's points, if it came now.
/// Reserves nothing, promises nothing, needs no Idempotency-Key. Refusals: as a redemption, but a shortage is an
/// answer: would_be says approved, partially_approved or refused.
/// </summary>
internal static class QuoteRedemption
{
    public static IEndpointRouteBuilder MapQuoteRedemption(this IEndpointRouteBuilder group)
    {
        group
            .MapPost("/redemptions/quote", HandleAsync)
            .RequireScope("redemptions:read")
            .Limited(RateLimit.Lookup)
            .Refuses(
                Faults.GiftCardNotUsable,
                Faults.MemberNotUsable,
                Faults.GiftCardState,
                Faults.NotAcceptedHere,
                Faults.CurrencyMismatch,
                Faults.LimitExceeded,
                Faults.TerminalBlocked
            )
            .WithName(nameof(QuoteRedemption))
            .Produces<View>();
        return group;
    }

    /// <param name="Available">Of points: what they would pay of what the sources before them leave open.</param>
    /// <param name="Points">That would be spent.</param>
    internal sealed record SourceQuote(
        GiftCardId? GiftCardId,
        string? Last4,
        Money Available,
        Money Take,
        MemberId? MemberId = null,
        long? Points = null
    );

    /// <param name="Commission">What of it the till's merchant leaves to the issuer of the cards; absent at the
    /// issuer's own till.</param>
    internal sealed record View(
        string WouldBe,
        Money Requested,
        Money Approved,
        Money RemainingDue,
        Money? Commission,
        IReadOnlyList<SourceQuote> Sources
    )
    {
        public string Object { get; } = "redemption_quote";
    }

    private static async Task<IResult> HandleAsync(
        HttpContext http,
        RedemptionRequest asked,
        RedemptionPlanner planner,
        Terminals terminals,
        CardReader cards,
        CancellationToken cancel
    )
    {
        asked.Check();
        var request = MerchantRules.Of(http.GetMerchant()).Complete(asked);
        await terminals.RequireAsync(http.GetMerchant().MerchantId, request.TerminalId, request.LocationId, cancel);
        var plan = await planner.PlanAsync(http.GetMerchant(), request, cancel);
        var accounts = await cards.AccountsAsync(plan.Books, plan.Legs.Select(l => l.Lot.AccountId), cancel);
        var isForeign = plan.Books != http.GetMerchant().MerchantId;
        return Answer.Ok(Quote(request, plan, isForeign, leg => accounts[leg.Lot.AccountId].Available));
    }

    internal static View Quote(
        RedemptionRequest request,
        RedemptionPlan plan,
        bool isForeign,
        Func<PlannedLeg, long> availableOf
    )
    {
        var currency = request.Amount.Currency;
        var available = plan.Legs.Select(leg => Math.Max(0, availableOf(leg))).ToList();
        List<long> usable =
        [
            .. plan.Legs.Zip(available, (leg, left) => leg.MaxAmount == 0 ? left : Math.Min(left, leg.MaxAmount)),
        ];
        if (plan.Points is { } paying)
        {
            usable.Insert(paying.Position, paying.Offer.Pays);
        }

        List<long> takes = [.. SpendOrder.Fill(request.Amount.MinorUnits, usable)];
        var total = takes.Sum();
        var ofPoints = 0L;
        if (plan.Points is { } taken)
        {
            ofPoints = takes[taken.Position];
            takes.RemoveAt(taken.Position);
        }

        var rates = plan.Legs.Select(leg => leg.Card.CommissionBasisPoints).ToList();
        var covered = total == request.Amount.MinorUnits;
        var approved = covered || plan.Partial == Partial.Allow ? total : 0;
        var parts = plan
            .Legs.Select((leg, i) => (leg.Card, Available: available[i], Take: approved == 0 ? 0 : takes[i]))
            .ToLookup(l => l.Card);
        List<SourceQuote> sources =
        [
            .. plan.Cards.Select(card => new SourceQuote(
                card.Row.GiftCardId,
                card.Row.Last4,
                new(parts[card].Sum(l => l.Available), currency),
                new(parts[card].Sum(l => l.Take), currency)
            )),
        ];
        if (plan.Points is { } points)
        {
            sources.Insert(
                request.Sources.TakeWhile(s => s.MemberId is null).Count(),
                Quote(points, approved, ofPoints)
            );
        }

        return new(
            covered ? "approved"
                : approved > 0 ? "partially_approved"
                : "refused",
            request.Amount,
            new(approved, currency),
            new(request.Amount.MinorUnits - approved, currency),
            isForeign ? new Money(approved == 0 ? 0 : Redemptions.Commission.Of(rates, takes), currency) : null,
            sources
        );

        SourceQuote Quote(PlannedPoints of, long all, long take) =>
            new(
                null,
                null,
                new(of.Offer.Pays, currency),
                new(all == 0 ? 0 : take, currency),
                of.Offer.MemberId,
                all == 0 || take == 0 ? 0 : of.Offer.Points
            );
    }
}
