using LocalPlus.Hosting;
using LocalPlus.Kernel;
using LocalPlus.Wallet.Members;
using LocalPlus.Wallet.Programs;
using LocalPlus.Wallet.Rules;

namespace LocalPlus.Wallet.Earnings;

/// <summary>
/// POST /v1/earnings/quote: what a basket would earn and by which rule, for a member or for somebody who is none yet.
/// Nothing is written, and nothing promised: a campaign's budget may be spent before the purchase is. Refusals:
/// not_found, program_state, not_earned_here, currency_mismatch, invalid_request.
/// </summary>
internal static class QuoteEarning
{
    /// <param name="MemberId">Absent: somebody new, of the programme that is named then.</param>
    internal sealed record Request(
        Money Amount,
        MemberId? MemberId = null,
        ProgramId? ProgramId = null,
        IReadOnlyList<BasketLine>? Lines = null,
        LocationId? LocationId = null,
        DateTimeOffset? OccurredAt = null
    );

    /// <param name="Lines">The points of each line, in the order of the request.</param>
    internal sealed record Response(
        string Object,
        ProgramId ProgramId,
        long Points,
        Money Value,
        IReadOnlyList<AwardView> Awards,
        IReadOnlyList<long> Lines
    );

    public static IEndpointRouteBuilder MapQuoteEarning(this IEndpointRouteBuilder group)
    {
        group
            .MapPost("/earnings/quote", HandleAsync)
            .RequireScope("earnings:read")
            .WorksAcrossMerchants()
            .Refuses(
                CommonFaults.NotFound,
                Faults.CurrencyMismatch,
                Faults.MemberState,
                Faults.NotEarnedHere,
                Faults.ProgramState
            )
            .WithName(nameof(QuoteEarning))
            .Produces<Response>();
        return group;
    }

    private static async Task<IResult> HandleAsync(
        HttpContext http,
        Request request,
        Database database,
        EarningRules rules,
        TimeProvider time,
        CancellationToken cancel
    )
    {
        var merchant = http.GetMerchant();
        var now = time.GetUtcNow();
        new FieldChecks()
            .Purchase(request.Amount, request.Lines)
            .Occurred(request.OccurredAt, now)
            .Require(request.MemberId is null != request.ProgramId is null, "", "exactly_one")
            .ThrowIfAny();
        var at = request.OccurredAt ?? now;
        await using var db = await database.BeginAsync(cancel);
        var (member, program) = request.MemberId is { } id
            ? await MemberStore.GetAsync(db, merchant, id, at)
            : ((MemberRow?)null, await LoyaltyPrograms.TakenPartInAsync(db, merchant, request.ProgramId!.Value, at));
        if (member is not null)
        {
            MemberStore.RequireActive(member);
        }

        var terms = program.ToTerms();
        Basket.RequireEarns(program, terms, merchant.MerchantId, request.Amount, request.LocationId);
        var purchase = Purchase.At(
            Basket.Lines(request.Amount, request.Lines),
            request.LocationId,
            at,
            terms.ZoneOf(request.LocationId)
        );
        var inForce = await rules.InForceAsync(db, [new(program, member?.MemberId, purchase.DayNumber, at)]);
        var judged = Judgement.Of(
            program,
            terms,
            inForce[0],
            purchase,
            new(member?.Tier, member is null or { Purchases: 0 }, member?.BirthMonth)
        );
        return Answer.Ok(
            new Response(
                "earning_quote",
                program.ProgramId,
                judged.Points,
                new(terms.PointValue.Of(judged.Points), request.Amount.Currency),
                [.. judged.Awards.Select(AwardView.Of)],
                judged.Lines
            )
        );
    }
}
