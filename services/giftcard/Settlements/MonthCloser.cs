using LocalPlus.Giftcard.Reports;
using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Giftcard.Settlements;

/// <summary>
/// Closes an issuer's months in their order, each with what there ever was until its end less what is in the statements
/// before it. Who closes the same months at once finds them closed.
/// </summary>
internal static class MonthCloser
{
    /// <summary>Months that are closed at once; more are closed by closing an earlier one first.</summary>
    public const int MonthsAtOnce = 60;

    /// <summary>
    /// Closes the months that are open, the last one included; how many there were. Refuses more than
    /// <see cref="MonthsAtOnce"/> with invalid_request.
    /// </summary>
    public static async Task<int> CloseUntilAsync(DbSession db, MerchantId issuer, DateOnly last, DateTimeOffset now)
    {
        if (await FirstOpenAsync(db, issuer, last) is not { } first)
        {
            return 0;
        }

        if (first.AddMonths(MonthsAtOnce) <= last)
        {
            throw Faults.Invalid("/month", $"At most {MonthsAtOnce} months are closed at once.");
        }

        var closed = 0;
        for (var open = first; open <= last; open = open.AddMonths(1))
        {
            await CloseAsync(db, issuer, open, now);
            closed++;
        }

        return closed;
    }

    /// <summary>The first month that is open and not after the last; null: there is nothing to close.</summary>
    public static Task<DateOnly?> FirstOpenAsync(DbSession db, MerchantId issuer, DateOnly last) =>
        db.QuerySingleAsync<DateOnly?>(Sql.FirstOpen, new { IssuerId = issuer, Last = last });

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
    }
}
