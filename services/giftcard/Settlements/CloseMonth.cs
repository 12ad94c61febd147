using LocalPlus.Giftcard.Reports;
using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Giftcard.Settlements;

/// <summary>
/// POST /v1/reports/settlement/statements: closes a UTC month that is over, and those before it that are still open,
/// between the caller as issuer and every other merchant of its coalitions. Each gets a statement that never changes:
/// it opens with what the one before closed with, and closes with the balance of the ledger's account payable:mrc_… at
/// the end of the month. A month that is closed is answered with the statements that it has. Refusals:
/// invalid_request (no month, not over for an hour).
/// </summary>
internal static class CloseMonth
{
    /// <summary>What was decided in the last second of a month is written down long before that.</summary>
    private static readonly TimeSpan Grace = TimeSpan.FromHours(1);

    /// <summary>Months that one request closes; more are closed by closing an earlier one first.</summary>
    private const int MonthsAtOnce = 60;

    public static IEndpointRouteBuilder MapCloseMonth(this IEndpointRouteBuilder group)
    {
        group
            .MapPost("/reports/settlement/statements", HandleAsync)
            .RequireScope("programs:write")
            .RequireIdempotencyKey()
            .WithName(nameof(CloseMonth))
            .Produces<StatementList>(StatusCodes.Status201Created);
        return group;
    }

    /// <param name="Month">As "2026-03".</param>
    internal sealed record Request(string Month);

    private static Task<IResult> HandleAsync(
        HttpContext http,
        Request request,
        IdempotentRequests requests,
        TimeProvider time,
        CancellationToken cancel
    )
    {
        var now = time.GetUtcNow();
        var month = Month.Parse(request.Month);
        new FieldChecks()
            .Require(month is not null, "/month", "invalid")
            .Require(month is null || Month.Begins(month.Value.AddMonths(1)) + Grace <= now, "/month", "not_over")
            .ThrowIfAny();
        var issuer = http.GetMerchant().MerchantId;
        return requests.ExecuteAsync(
            http,
            request,
            async db =>
            {
                var key = new { IssuerId = issuer, Last = month!.Value };
                if (await db.QuerySingleAsync<DateOnly?>(Sql.FirstOpen, key) is { } first)
                {
                    if (first.AddMonths(MonthsAtOnce) <= month.Value)
                    {
                        throw Faults.Invalid("/month", $"At most {MonthsAtOnce} months are closed at once.");
                    }

                    for (var open = first; open <= month.Value; open = open.AddMonths(1))
                    {
                        await CloseAsync(db, issuer, open, now);
                    }
                }

                var rows = await db.QueryAsync<StatementRow>(
                    Sql.OfMonth,
                    new { IssuerId = issuer, Month = month.Value }
                );
                return Answer.Created(
                    $"/v1/reports/settlement/statements?month={request.Month}",
                    new StatementList([.. rows.Select(r => r.ToView(issuer))])
                );
            },
            cancel
        );
    }

    /// <summary>What there ever was until the month's end, less what the statements before have of it.</summary>
    private static async Task CloseAsync(DbSession db, MerchantId issuer, DateOnly month, DateTimeOffset now)
    {
        var due = await db.QueryAsync<DueRow>(
            Sql.Due,
            new
            {
                IssuerId = issuer,
                Month = month,
                Begins = Month.Begins(month),
                Ends = Month.Begins(month.AddMonths(1)),
            }
        );
        await db.ExecuteAsync(
            Sql.Close,
            new
            {
                IssuerId = issuer,
                Month = month,
                Now = now,
                StatementIds = due.Select(_ => Guid.CreateVersion7(now)).ToArray(),
                MerchantIds = due.Select(d => d.MerchantId).ToArray(),
                Currencies = due.Select(d => d.Currency).ToArray(),
                Openings = due.Select(d => d.Opening).ToArray(),
                Captured = due.Select(d => d.Captured).ToArray(),
                Refunded = due.Select(d => d.Refunded).ToArray(),
                Commissions = due.Select(d => d.Commission).ToArray(),
                Redemptions = due.Select(d => d.Redemptions).ToArray(),
                Refunds = due.Select(d => d.Refunds).ToArray(),
                Days = due.Select(d => d.Days).ToArray(),
            }
        );
    }

    private sealed record DueRow(
        MerchantId MerchantId,
        string Currency,
        long Opening,
        long Captured,
        long Refunded,
        long Commission,
        long Redemptions,
        long Refunds,
        string Days
    );

    private static class Sql
    {
        // The month after the last that was closed, or that of the first entry; null: there is nothing to close.
        public const string FirstOpen = """
            SELECT CASE WHEN m.month <= @Last THEN m.month END
              FROM (SELECT coalesce((SELECT max(month) + interval '1 month'
                                       FROM settlement_statements
                                      WHERE issuer_id = @IssuerId),
                                    (SELECT date_trunc('month', timezone('UTC', min(occurred_at)))
                                       FROM settlement_entries
                                      WHERE issuer_id = @IssuerId))::date AS month) m
            """;

        public const string Due = """
            SELECT t.merchant_id, t.currency, coalesce(p.closing, 0)::bigint AS opening,
                   (t.captured - coalesce(p.captured, 0))::bigint AS captured,
                   (t.refunded - coalesce(p.refunded, 0))::bigint AS refunded,
                   (t.commission - coalesce(p.commission, 0))::bigint AS commission,
                   (t.redemptions - coalesce(p.redemptions, 0))::bigint AS redemptions,
                   (t.refunds - coalesce(p.refunds, 0))::bigint AS refunds,
                   coalesce((SELECT jsonb_agg(jsonb_build_object('date', d.date, 'captured', d.captured,
                                                                 'refunded', d.refunded, 'commission', d.commission)
                                              ORDER BY d.date)
                               FROM (SELECT timezone('UTC', e.occurred_at)::date AS date,
                                            coalesce(sum(e.amount) FILTER (WHERE e.kind = 'capture'), 0) AS captured,
                                            coalesce(sum(e.amount) FILTER (WHERE e.kind = 'refund'), 0) AS refunded,
                                            sum(CASE WHEN e.kind = 'capture' THEN e.commission
                                                     ELSE -e.commission END) AS commission
                                       FROM settlement_entries e
                                      WHERE e.issuer_id = @IssuerId
                                        AND e.merchant_id = t.merchant_id
                                        AND e.currency = t.currency
                                        AND e.occurred_at >= @Begins
                                        AND e.occurred_at < @Ends
                                      GROUP BY 1) d), '[]')::text AS days
              FROM (SELECT merchant_id, currency,
                           coalesce(sum(amount) FILTER (WHERE kind = 'capture'), 0) AS captured,
                           coalesce(sum(amount) FILTER (WHERE kind = 'refund'), 0) AS refunded,
                           sum(CASE WHEN kind = 'capture' THEN commission ELSE -commission END) AS commission,
                           count(*) FILTER (WHERE kind = 'capture') AS redemptions,
                           count(*) FILTER (WHERE kind = 'refund') AS refunds
                      FROM settlement_entries
                     WHERE issuer_id = @IssuerId
                       AND occurred_at < @Ends
                     GROUP BY merchant_id, currency) t
              LEFT JOIN (SELECT merchant_id, currency, sum(captured) AS captured, sum(refunded) AS refunded,
                                sum(commission) AS commission, sum(redemptions) AS redemptions,
                                sum(refunds) AS refunds, sum(captured - refunded - commission) AS closing
                           FROM settlement_statements
                          WHERE issuer_id = @IssuerId
                            AND month < @Month
                          GROUP BY merchant_id, currency) p
                ON p.merchant_id = t.merchant_id
               AND p.currency = t.currency
             ORDER BY t.merchant_id, t.currency
            """;

        // Who closes the same month at once writes the same; the second finds it written.
        public const string Close = """
            INSERT INTO settlement_statements (statement_id, merchant_id, currency, opening, captured, refunded,
                   commission, redemptions, refunds, days, issuer_id, month, closed_at)
            SELECT *, @IssuerId, @Month, @Now
              FROM unnest(@StatementIds, @MerchantIds, @Currencies, @Openings, @Captured, @Refunded, @Commissions,
                          @Redemptions, @Refunds, @Days::jsonb[])
                ON CONFLICT (issuer_id, merchant_id, currency, month) DO NOTHING
            """;

        public const string OfMonth = $"""
            {StatementRow.Columns}
             WHERE issuer_id = @IssuerId
               AND month = @Month
             ORDER BY merchant_id, currency
            """;
    }
}
