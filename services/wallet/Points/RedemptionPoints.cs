using LocalPlus.Hosting;
using LocalPlus.Kernel;
using LocalPlus.Wallet.Pools;

namespace LocalPlus.Wallet.Points;

/// <summary>
/// POST /internal/point_quotes, for giftcard before it plans a redemption: what a member could pay with now. Reserves
/// nothing. Refusals: no_such_object (also of another merchant, another mode, or no member any more).
/// </summary>
internal static class QuotePoints
{
    /// <param name="MaxAmount">As of a hold; zero asks only whose the points are.</param>
    internal sealed record Request(
        MerchantId MerchantId,
        bool Live,
        MemberId MemberId,
        long MaxAmount,
        long? MaxPoints = null
    );

    /// <param name="Points">So many would be taken.</param>
    /// <param name="Pays">In minor units.</param>
    internal sealed record Response(MemberId MemberId, ProgramId ProgramId, Currency Currency, long Points, long Pays);

    public static IEndpointRouteBuilder MapQuotePoints(this IEndpointRouteBuilder intern)
    {
        intern
            .MapPost("/point_quotes", HandleAsync)
            .CalledBy("giftcard")
            .Refuses(CommonFaults.NoSuchObject)
            .WithName(nameof(QuotePoints))
            .Produces<Response>();
        return intern;
    }

    private static async Task<IResult> HandleAsync(
        Request request,
        Database database,
        TimeProvider time,
        CancellationToken cancel
    )
    {
        new FieldChecks()
            .Require(request.MaxAmount is >= 0 and < Money.Limit, "/max_amount")
            .Require(request.MaxPoints is null or (> 0 and < Money.Limit), "/max_points")
            .ThrowIfAny();
        await using var db = await database.BeginAsync(cancel);
        var (member, program) = await PointHolds.PayingAsync(db, request.MerchantId, request.Live, request.MemberId);
        var available = await PooledPoints.AvailableAsync(db, request.MemberId, time.GetUtcNow());
        var rate = program.ToTerms().PointValue;
        var points = rate.Paying(Math.Min(available, request.MaxPoints ?? long.MaxValue), request.MaxAmount);
        var currency = Currency.Parse(program.Currency);
        return Answer.Ok(new Response(member.MemberId, program.ProgramId, currency, points, rate.Of(points)));
    }
}

/// <summary>
/// POST /internal/point_holds, for giftcard before it places a redemption's hold: reserves a member's points and puts
/// what they pay on an account that the hold is placed on. A repeat with the redemption gets what the first one got.
/// Refusals: no_such_object, busy (the ledger has not booked it: repeat).
/// </summary>
internal static class HoldPoints
{
    /// <param name="MaxPoints">The holder's own bound.</param>
    /// <param name="MaxAmount">What they may pay at most, in minor units.</param>
    internal sealed record Request(
        RedemptionId RedemptionId,
        MerchantId MerchantId,
        bool Live,
        MemberId MemberId,
        long MaxAmount,
        long? MaxPoints = null
    );

    /// <param name="Points">Reserved; zero: there is nothing that would pay.</param>
    /// <param name="Pays">In minor units, never more than was asked for.</param>
    internal sealed record Response(RedemptionId RedemptionId, long Points, long Pays, AccountId? AccountId);

    public static IEndpointRouteBuilder MapHoldPoints(this IEndpointRouteBuilder intern)
    {
        intern
            .MapPost("/point_holds", HandleAsync)
            .CalledBy("giftcard")
            .Refuses(CommonFaults.NoSuchObject)
            .WithName(nameof(HoldPoints))
            .Produces<Response>();
        return intern;
    }

    private static async Task<IResult> HandleAsync(Request request, PointHolds holds, CancellationToken cancel)
    {
        new FieldChecks()
            .Require(request.MaxAmount is > 0 and < Money.Limit, "/max_amount")
            .Require(request.MaxPoints is null or (> 0 and < Money.Limit), "/max_points")
            .ThrowIfAny();
        var (hold, account) = await holds.HoldAsync(
            new(
                request.RedemptionId,
                request.MerchantId,
                request.Live,
                request.MemberId,
                request.MaxPoints,
                request.MaxAmount
            ),
            cancel
        );
        return Answer.Ok(new Response(hold.RedemptionId, hold.Points, hold.Pays, account));
    }
}

/// <summary>
/// POST /internal/point_holds/{id}/settle, for giftcard once a redemption is settled: of what the points pay so much
/// was taken, the rest comes back to its lots. What was never reserved will not be. May be repeated. Refusals:
/// no_such_object, invalid_request (another amount than before), busy.
/// </summary>
internal static class SettlePoints
{
    internal sealed record Request(MerchantId MerchantId, long Captured);

    /// <param name="Spent">Points; one that was spent in part is spent.</param>
    /// <param name="Back">Points that came back so far.</param>
    internal sealed record Response(RedemptionId RedemptionId, long Spent, long Back);

    public static IEndpointRouteBuilder MapSettlePoints(this IEndpointRouteBuilder intern)
    {
        intern
            .MapPost("/point_holds/{id}/settle", HandleAsync)
            .CalledBy("giftcard")
            .Refuses(CommonFaults.NoSuchObject)
            .WithName(nameof(SettlePoints))
            .Produces<Response>();
        return intern;
    }

    private static async Task<IResult> HandleAsync(
        RedemptionId id,
        Request request,
        PointHolds holds,
        CancellationToken cancel
    )
    {
        new FieldChecks().Require(request.Captured is >= 0 and < Money.Limit, "/captured").ThrowIfAny();
        var hold = await holds.SettleAsync(id, request.MerchantId, request.Captured, cancel);
        return Answer.Ok(new Response(id, hold.Points - hold.PointsBack, hold.PointsBack));
    }
}

/// <summary>
/// POST /internal/point_holds/{id}/refunds, for giftcard once a refund's money is back on the member's account: the
/// points come back to the lots that they came from. A repeat with the refund gets what the first one got. Refusals:
/// no_such_object, invalid_request (more than was captured), busy.
/// </summary>
internal static class RefundPoints
{
    internal sealed record Request(RefundId RefundId, long Amount);

    internal sealed record Response(RefundId RefundId, long Points);

    public static IEndpointRouteBuilder MapRefundPoints(this IEndpointRouteBuilder intern)
    {
        intern
            .MapPost("/point_holds/{id}/refunds", HandleAsync)
            .CalledBy("giftcard")
            .Refuses(CommonFaults.NoSuchObject)
            .WithName(nameof(RefundPoints))
            .Produces<Response>();
        return intern;
    }

    private static async Task<IResult> HandleAsync(
        RedemptionId id,
        Request request,
        PointHolds holds,
        CancellationToken cancel
    )
    {
        new FieldChecks().Require(request.Amount is > 0 and < Money.Limit, "/amount").ThrowIfAny();
        var points = await holds.RefundAsync(id, request.RefundId, request.Amount, cancel);
        return Answer.Ok(new Response(request.RefundId, points));
    }
}

/// <summary>
/// GET /internal/points_liability?merchant_id=&amp;as_of=, for giftcard's report: the points of each programme that
/// were not spent, held ones included, and what they are owed as in the books.
/// </summary>
internal static class PointsLiability
{
    internal sealed record Line(
        ProgramId ProgramId,
        string Name,
        Currency Currency,
        long Points,
        long Owed,
        long Members
    );

    internal sealed record Response(IReadOnlyList<Line> Data);

    public static IEndpointRouteBuilder MapPointsLiability(this IEndpointRouteBuilder intern)
    {
        intern
            .MapGet("/points_liability", HandleAsync)
            .CalledBy("giftcard")
            .WithName(nameof(PointsLiability))
            .Produces<Response>();
        return intern;
    }

    private static async Task<IResult> HandleAsync(
        MerchantId merchant_id,
        DateTimeOffset as_of,
        Database database,
        CancellationToken cancel
    ) =>
        Answer.Ok(
            new Response([
                .. (
                    await database.QueryAsync<Row>(
                        Sql.Liability,
                        new { MerchantId = merchant_id, AsOf = as_of },
                        cancel
                    )
                ).Select(r => new Line(r.ProgramId, r.Name, Currency.Parse(r.Currency), r.Points, r.Owed, r.Members)),
            ])
        );

    private sealed record Row(ProgramId ProgramId, string Name, string Currency, long Points, long Owed, long Members);

    private static class Sql
    {
        public const string Liability = """
            SELECT p.program_id, p.name, p.currency, coalesce(sum(b.points), 0)::bigint AS points,
                   coalesce(sum(b.value), 0)::bigint AS owed,
                   count(*) FILTER (WHERE b.points > 0) AS members
              FROM loyalty_programs p
              LEFT JOIN (SELECT m.program_id, sum(v.points + v.held)::bigint AS points, sum(v.value)::bigint AS value
                           FROM members m
                           JOIN member_movements v
                             ON v.member_id = m.member_id
                          WHERE m.merchant_id = @MerchantId
                            AND v.recorded_at <= @AsOf
                          GROUP BY m.member_id) b
                ON b.program_id = p.program_id
             WHERE p.merchant_id = @MerchantId
               AND p.created_at <= @AsOf
             GROUP BY p.program_id
             ORDER BY p.program_id
            """;
    }
}
