using LocalPlus.Hosting;
using LocalPlus.Kernel;
using LocalPlus.Wallet.Ledger;
using LocalPlus.Wallet.Points;

namespace LocalPlus.Wallet.Earnings;

/// <summary>
/// POST /v1/earnings/{id}/refund: lines of the purchase come back, or so much money of it, and with it the points that
/// it earned, to the last point with the last cent. What still waits is taken first of all; what was spent already is
/// owed, or makes the member's account negative, as the programme says. Refusals: not_found, refund_exceeds_purchase,
/// currency_mismatch, reference_reused, invalid_request.
/// </summary>
internal static class RefundEarning
{
    /// <param name="Line">Its place in the purchase, from 0.</param>
    internal sealed record RefundedLine(int Line, Money Amount);

    /// <param name="Lines">Which lines, and how much of each.</param>
    /// <param name="Amount">So much of the lines in their order; absent as well as lines: all that is left.</param>
    internal sealed record Request(string Reference, IReadOnlyList<RefundedLine>? Lines = null, Money? Amount = null);

    /// <param name="Points">Taken back by this refund.</param>
    internal sealed record Response(
        EarningRefundId Id,
        string Object,
        string Reference,
        Money Amount,
        long Points,
        EarningView Earning
    );

    public static IEndpointRouteBuilder MapRefundEarning(this IEndpointRouteBuilder group)
    {
        group
            .MapPost("/earnings/{id}/refund", HandleAsync)
            .RequireScope("earnings:write")
            .WorksAcrossMerchants()
            .RequireIdempotencyKey()
            .Refuses(CommonFaults.ReferenceReused, Faults.CurrencyMismatch, Faults.RefundExceedsPurchase)
            .WithName(nameof(RefundEarning))
            .Produces<Response>(StatusCodes.Status201Created);
        return group;
    }

    private static async Task<IResult> HandleAsync(
        HttpContext http,
        EarningId id,
        Request request,
        IdempotentRequests requests,
        LedgerCommands commands,
        TimeProvider time,
        CancellationToken cancel
    )
    {
        var checks = new FieldChecks()
            .Text(request.Reference, "/reference", LoyaltyLimits.ReferenceLength)
            .Positive(request.Amount, "/amount")
            .Require(request.Lines is null || request.Amount is null, "/amount", "with_lines")
            .Require(request.Lines is null or { Count: > 0 and <= LoyaltyLimits.LinesPerPurchase }, "/lines");
        foreach (var (n, line) in (request.Lines ?? []).Take(LoyaltyLimits.LinesPerPurchase).Index())
        {
            checks.Positive(line.Amount, $"/lines/{n}/amount").Require(line.Line >= 0, $"/lines/{n}/line");
        }

        checks.ThrowIfAny();
        IReadOnlyList<MovementId> unbooked = [];
        var answer = await requests.ExecuteAsync(
            http,
            request,
            async db =>
            {
                var (refunded, movements) = await RefundAsync(db, http.GetMerchant(), id, request, time);
                unbooked = movements;
                return refunded;
            },
            cancel
        );
        await commands.TryAsync(unbooked, cancel);
        return answer;
    }

    private static async Task<(Answer Answer, IReadOnlyList<MovementId> Unbooked)> RefundAsync(
        DbSession db,
        MerchantIdentity merchant,
        EarningId id,
        Request request,
        TimeProvider time
    )
    {
        var args = new
        {
            EarningId = id,
            merchant.MerchantId,
            merchant.Live,
        };
        var found =
            await db.QuerySingleOrDefaultAsync<EarningRow>(Sql.Find, args)
            ?? throw new FaultException(CommonFaults.NotFound, "There is no such earning.");
        var points = await MemberPoints.LockAsync(db, found.MemberId, time);

        // As it is under the member's lock.
        var earning = await db.QuerySingleAsync<EarningRow>(Sql.Find, args);
        var before = earning.ToPurchase();
        var after = before with { Lines = Refunded(before, request, earning.Currency) };
        var amount = after.Lines.Sum(line => line.Refunded) - before.Lines.Sum(line => line.Refunded);
        var taken = before
            .Lines.Zip(after.Lines, (was, now) => now.TakenBackAt(now.Refunded) - was.TakenBackAt(was.Refunded))
            .Sum();
        var refund = EarningRefundId.New(time);
        await AddAsync(db, refund, earning, request, amount, taken, after, time.GetUtcNow());
        if (taken > 0)
        {
            var movement =
                earning.State == EarningRow.Pending
                    ? points.Account.TakeBackPending(taken)
                    : points.Account.TakeBack(taken, id);
            await points.WriteAsync(db, movement, new(time.GetUtcNow(), id));
        }

        var row = await db.QuerySingleAsync<EarningRow>(Sql.Find, args);
        var money = new Money(amount, Currency.Parse(row.Currency));
        var response = new Response(refund, "earning_refund", request.Reference, money, taken, row.ToView());
        return (Answer.Created($"/v1/earnings/{id}", response), points.Unbooked);
    }

    private static async Task AddAsync(
        DbSession db,
        EarningRefundId refund,
        EarningRow earning,
        Request request,
        long amount,
        long points,
        StoredPurchase after,
        DateTimeOffset now
    )
    {
        var added = await db.ExecuteAsync(
            Sql.Add,
            new
            {
                RefundId = refund,
                earning.EarningId,
                earning.MerchantId,
                request.Reference,
                Amount = amount,
                Points = points,
                CreatedAt = now,
            }
        );
        if (added == 0)
        {
            throw CommonFaults.ReferenceReusedBy(
                await db.QuerySingleAsync<EarningRefundId>(Sql.Holder, new { earning.MerchantId, request.Reference })
            );
        }

        await db.ExecuteAsync(
            Sql.Write,
            new
            {
                earning.EarningId,
                Purchase = StoredJson.Write(after),
                Points = points,
            }
        );
    }

    /// <summary>The lines with what comes back of each. Pure.</summary>
    internal static StoredLine[] Refunded(StoredPurchase purchase, Request request, string currency)
    {
        var lines = purchase.Lines.ToArray();
        if (
            (request.Amount is { } money && money.Currency.Code != currency)
            || (request.Lines ?? []).Any(line => line.Amount.Currency.Code != currency)
        )
        {
            throw new FaultException(Faults.CurrencyMismatch, $"The purchase was in {currency}.");
        }

        if (request.Lines is { } named)
        {
            foreach (var line in named)
            {
                Refund(line.Line, line.Amount.MinorUnits);
            }

            return lines;
        }

        var all = lines.Sum(line => line.Amount - line.Refunded);
        var left = request.Amount?.MinorUnits ?? all;
        if (left > all || all == 0)
        {
            throw Exceeded(all);
        }

        for (var i = 0; left > 0; i++)
        {
            var part = Math.Min(left, lines[i].Amount - lines[i].Refunded);
            Refund(i, part);
            left -= part;
        }

        return lines;

        void Refund(int at, long amount)
        {
            if (at >= lines.Length || amount > lines[at].Amount - lines[at].Refunded)
            {
                throw Exceeded(at < lines.Length ? lines[at].Amount - lines[at].Refunded : 0);
            }

            lines[at] = lines[at] with { Refunded = lines[at].Refunded + amount };
        }

        static FaultException Exceeded(long left) =>
            new(Faults.RefundExceedsPurchase, $"{left} are left to be refunded.");
    }

    private static class Sql
    {
        // The till's own alone: an issuer refunds nothing that was bought at a partner.
        public const string Find = $"""
            {EarningRow.Visible}
               AND e.earning_id = @EarningId
               AND e.merchant_id = @MerchantId
            """;

        public const string Add = """
            INSERT INTO earning_refunds (refund_id, earning_id, merchant_id, reference, amount, points, created_at)
            VALUES (@RefundId, @EarningId, @MerchantId, @Reference, @Amount, @Points, @CreatedAt)
                ON CONFLICT (merchant_id, reference) DO NOTHING
            """;

        // The insert waited for whoever came first, so its row is visible to this statement.
        public const string Holder = """
            SELECT refund_id
              FROM earning_refunds
             WHERE merchant_id = @MerchantId
               AND reference = @Reference
            """;

        public const string Write = """
            UPDATE earnings
               SET purchase = @Purchase::jsonb, taken_back = taken_back + @Points
             WHERE earning_id = @EarningId
            """;
    }
}
