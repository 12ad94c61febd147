using LocalPlus.Giftcard.Cards;
using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Giftcard.Redemptions;

[StoredAsText]
internal enum Mode
{
    /// <summary>Held now, captured or released when the till says so.</summary>
    TwoPhase,

    /// <summary>Captured at once.</summary>
    Immediate,
}

[StoredAsText]
internal enum Partial
{
    Refuse,
    Allow,
}

/// <summary>
/// One card to pay from, or a member's points. Without a maximum it gives all that is needed. Sources pay in the
/// order in which they are named.
/// </summary>
/// <param name="MaxAmount">Of a card.</param>
/// <param name="MemberId">Of a programme of the caller's own.</param>
internal sealed record SourceRequest(
    CardCredential? GiftCard = null,
    Money? MaxAmount = null,
    MemberId? MemberId = null,
    long? MaxPoints = null
);

/// <summary>What is asked for, the same for a redemption and its quote.</summary>
/// <param name="LocationId">One of the caller's own, which the merchant service has said.</param>
/// <param name="TerminalId">One of the caller's own tills, at the location if that is named too. Which till really
/// sends the request nobody has verified: it is never a reason to let anything through.</param>
internal sealed record RedemptionRequest(
    Mode Mode,
    Money Amount,
    IReadOnlyList<SourceRequest> Sources,
    Partial? Partial = null,
    LocationId? LocationId = null,
    TerminalId? TerminalId = null,
    int? HoldTtlSeconds = null,
    string? Reference = null,
    IReadOnlyDictionary<string, string>? Metadata = null
)
{
    /// <summary>The cards to pay from, in their order.</summary>
    public IReadOnlyList<SourceRequest> Cards() => [.. Sources.Where(s => s.GiftCard is not null)];

    public void Check()
    {
        var checks = new FieldChecks()
            .Positive(Amount, "/amount")
            .Require(Sources.Count is > 0 and <= GiftcardLimits.SourcesPerRedemption, "/sources")
            .Require(
                HoldTtlSeconds is null or (>= GiftcardLimits.HoldSecondsMin and <= GiftcardLimits.HoldSecondsMax),
                "/hold_ttl_seconds"
            )
            .Require(HoldTtlSeconds is null || Mode == Mode.TwoPhase, "/hold_ttl_seconds", "only_two_phase")
            .Text(Reference, "/reference", GiftcardLimits.ReferenceLength)
            .Metadata(Metadata);
        for (var i = 0; i < Sources.Count; i++)
        {
            var (card, max, member, maxPoints) = Sources[i];
            card?.Check(checks, $"/sources/{i}/gift_card");
            checks
                .Require((card is null) != (member is null), $"/sources/{i}", "exactly_one")
                .Positive(max, $"/sources/{i}/max_amount")
                .Require(max is null || card is not null, $"/sources/{i}/max_amount", "only_gift_card")
                .Require(maxPoints is null or (> 0 and < Money.Limit), $"/sources/{i}/max_points")
                .Require(maxPoints is null || member is not null, $"/sources/{i}/max_points", "only_member");
        }

        checks.Require(Sources.Count(s => s.MemberId is not null) <= 1, "/sources", "one_member");

        checks.ThrowIfAny();
        if (Sources.Any(s => s.MaxAmount is { } max && max.Currency != Amount.Currency))
        {
            throw new FaultException(Faults.CurrencyMismatch, "A source's maximum is in the redemption's currency.");
        }
    }
}

/// <summary>One value lot that may pay.</summary>
internal sealed record PlannedLeg(UsableCard Card, LotRow Lot, long MaxAmount);

/// <summary>The points that may pay.</summary>
/// <param name="Position">Before which of the legs.</param>
/// <param name="MaxAmount">What the sources before them leave open, in minor units.</param>
/// <param name="Offer">What that would come to now.</param>
internal sealed record PlannedPoints(int Position, long MaxAmount, long? MaxPoints, bool Live, PointsOffer Offer)
{
    public PointsPart ToPart() =>
        new(
            Offer.MemberId,
            Offer.ProgramId,
            Live,
            Position,
            MaxPoints,
            MaxAmount,
            PointsAccountId: null,
            Points: 0,
            PointsPays: 0,
            PointsHeld: 0,
            PointsCaptured: 0,
            PointsRefunded: 0
        );
}

/// <summary>
/// From which accounts, in which books, a redemption is paid. The ledger decides whether there is enough.
/// </summary>
internal sealed record RedemptionPlan(
    MerchantId Books,
    Partial Partial,
    IReadOnlyList<UsableCard> Cards,
    IReadOnlyList<PlannedLeg> Legs,
    PlannedPoints? Points = null
)
{
    /// <summary>
    /// Refuses a plan that nothing can come of: every lot is empty or over. The ledger is not asked, it takes no hold
    /// over nothing.
    /// </summary>
    public void RequireLegs(Currency currency)
    {
        if (Legs.Count == 0 && (Points?.Offer.Pays ?? 0) == 0)
        {
            throw new FaultException(Faults.InsufficientBalance, "The sources have nothing to give.")
            {
                Extensions = new Dictionary<string, object?> { ["available"] = new Money(0, currency) },
            };
        }
    }
}

/// <summary>
/// Turns a request into a plan, or refuses: who may pay is decided here, whether it suffices in the ledger.
/// </summary>
internal sealed class RedemptionPlanner(
    CardFinder finder,
    PastCards pastCards,
    CardReader cards,
    WalletPoints points,
    TimeProvider time
)
{
    /// <summary>
    /// The plan; without legs when the cards have nothing to give. With <paramref name="handedOverAt"/> the cards give
    /// what they had then, wherever it is now.
    /// </summary>
    public async Task<RedemptionPlan> PlanAsync(
        MerchantIdentity caller,
        RedemptionRequest request,
        CancellationToken cancel,
        DateTimeOffset? handedOverAt = null
    )
    {
        var sources = request.Cards();
        var found =
            sources.Count == 0
                ? []
                : await finder.FindForSpendingAsync(
                    new(caller, request.LocationId, handedOverAt),
                    [.. sources.Select(s => s.GiftCard!)],
                    cancel
                );
        await Failpoints.AnsweredAsync("Verify");
        if (handedOverAt is { } then)
        {
            found = await pastCards.FollowAsync(found, then, cancel);
        }

        if (found.Any(c => c.Row.Currency != request.Amount.Currency.Code))
        {
            throw new FaultException(Faults.CurrencyMismatch, $"A gift card is not in {request.Amount.Currency}.");
        }

        if (found.DistinctBy(c => c.Row.GiftCardId).Count() < found.Count)
        {
            throw Faults.Invalid("/sources", "A gift card is named twice.");
        }

        if (found.DistinctBy(c => c.Row.MerchantId).Count() > 1)
        {
            throw new FaultException(Faults.NotAcceptedHere, "The gift cards of one redemption come from one issuer.");
        }

        IReadOnlyList<PlannedLeg> legs = [];
        foreach (var (card, source) in found.Zip(sources))
        {
            legs =
            [
                .. legs,
                .. await LegsAsync(card, source.MaxAmount?.MinorUnits, handedOverAt ?? time.GetUtcNow(), cancel),
            ];
        }

        var isWithPoints = request.Sources.Count > sources.Count;
        var most = GiftcardLimits.LegsPerRedemption - (isWithPoints ? 1 : 0);
        if (legs.Count > most)
        {
            legs = await NeededAsync(request.Amount.MinorUnits, legs, most, cancel);
        }

        var partial =
            request.Partial
            ?? (found.Count > 0 && found.All(c => c.Partial == "allow") ? Partial.Allow : Partial.Refuse);
        var books = found.Count > 0 ? found[0].Row.MerchantId : caller.MerchantId;
        return new(
            books,
            partial,
            found,
            legs,
            isWithPoints ? await PointsAsync(caller, books, request, found, legs, cancel) : null
        );
    }

    /// <summary>
    /// What a member's points are to pay is said beforehand, for the wallet reserves them before the ledger holds: what
    /// the cards named before them do not have. A card that has less when the ledger looks leaves something open; one
    /// that has more leaves points, which come back.
    /// </summary>
    private async Task<PlannedPoints> PointsAsync(
        MerchantIdentity caller,
        MerchantId books,
        RedemptionRequest request,
        IReadOnlyList<UsableCard> found,
        IReadOnlyList<PlannedLeg> legs,
        CancellationToken cancel
    )
    {
        if (books != caller.MerchantId)
        {
            throw new FaultException(
                Faults.NotAcceptedHere,
                "The gift cards and points of one redemption come from one issuer."
            );
        }

        var place = request.Sources.TakeWhile(s => s.MemberId is null).Count();
        var earlier = found.Take(place).Select(card => card.Row.GiftCardId).ToHashSet();
        PlannedLeg[] before = [.. legs.TakeWhile(leg => earlier.Contains(leg.Card.Row.GiftCardId))];
        var open = request.Amount.MinorUnits;
        if (before.Length > 0)
        {
            var accounts = await cards.AccountsAsync(books, before.Select(l => l.Lot.AccountId), cancel);
            open -= SpendOrder
                .Fill(open, before.Select(leg => Usable(leg, accounts[leg.Lot.AccountId].Available)))
                .Sum();
        }

        var (_, _, member, max) = request.Sources[place];
        var offer = await points.QuoteAsync(caller, member!.Value, open, max, cancel);
        return offer.Currency == request.Amount.Currency
            ? new(before.Length, open, max, caller.Live, offer)
            : throw new FaultException(Faults.CurrencyMismatch, $"The points are worth {offer.Currency}.");
    }

    private static long Usable(PlannedLeg leg, long available) =>
        Math.Max(0, leg.MaxAmount == 0 ? available : Math.Min(leg.MaxAmount, available));

    /// <summary>
    /// The lots that it takes to pay the amount. Empty ones do not count against the ledger's bound, and neither does
    /// what is left when the amount is paid.
    /// </summary>
    private async Task<IReadOnlyList<PlannedLeg>> NeededAsync(
        long amount,
        IReadOnlyList<PlannedLeg> legs,
        int most,
        CancellationToken cancel
    )
    {
        var accounts = await cards.AccountsAsync(
            legs[0].Card.Row.MerchantId,
            legs.Select(l => l.Lot.AccountId),
            cancel
        );
        var takes = SpendOrder.Fill(
            amount,
            legs.Select(l =>
                l.MaxAmount == 0
                    ? accounts[l.Lot.AccountId].Available
                    : Math.Min(l.MaxAmount, accounts[l.Lot.AccountId].Available)
            )
        );
        PlannedLeg[] needed = [.. legs.Zip(takes).Where(l => l.Second > 0).Select(l => l.First)];
        return needed.Length <= most
            ? needed
            : throw new FaultException(
                Faults.LimitExceeded,
                "The gift cards have too many value lots for one redemption."
            );
    }

    private async Task<IEnumerable<PlannedLeg>> LegsAsync(
        UsableCard card,
        long? max,
        DateTimeOffset at,
        CancellationToken cancel
    )
    {
        var lots = SpendOrder.Of(card.Lots, at).ToList();
        if (max is not { } limit)
        {
            return lots.Select(lot => new PlannedLeg(card, lot, 0));
        }

        if (lots.Count == 1)
        {
            return [new PlannedLeg(card, lots[0], limit)];
        }

        // The card's maximum has to be split over its lots beforehand: the ledger knows only accounts.
        var accounts = await cards.AccountsAsync(card.Row.MerchantId, lots.Select(l => l.AccountId), cancel);
        var parts = SpendOrder.Fill(limit, lots.Select(l => accounts[l.AccountId].Available));
        return lots.Zip(parts, (lot, part) => new PlannedLeg(card, lot, part)).Where(leg => leg.MaxAmount > 0);
    }
}
