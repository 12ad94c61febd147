using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Analytics;

/// <summary>
/// GET /v1/reports/daily?from=&amp;to=: a merchant's totals per UTC day and currency, both days included, days without
/// business left out. Up to date within seconds. Refusals: invalid_request.
/// </summary>
internal static class GetDailyReport
{
    /// <summary>About a quarter.</summary>
    private const int MaxDays = 92;

    internal sealed record Response(string Object, DateOnly From, DateOnly To, IReadOnlyList<Day> Data);

    /// <param name="Sold">Cards activated with value; <paramref name="Loaded"/>: value added to cards later.</param>
    /// <param name="LedgerTransactions">What the ledger booked that day, for comparison.</param>
    internal sealed record Day(
        DateOnly Date,
        Total Sold,
        Total Loaded,
        Total Redeemed,
        Total Refunded,
        long LedgerTransactions
    );

    internal sealed record Total(long Count, Money Amount);

    public static IEndpointRouteBuilder MapGetDailyReport(this IEndpointRouteBuilder group)
    {
        group
            .MapGet("/reports/daily", HandleAsync)
            .RequireScope("reports:read")
            .WithName(nameof(GetDailyReport))
            .Produces<Response>();
        return group;
    }

    private static async Task<IResult> HandleAsync(
        HttpContext http,
        DateOnly from,
        DateOnly to,
        Database database,
        CancellationToken cancel
    )
    {
        if (from > to || to.DayNumber - from.DayNumber >= MaxDays)
        {
            throw new FaultException(
                CommonFaults.InvalidRequest,
                $"from is not after to, and they span at most {MaxDays} days.",
                new FieldError("to", "out_of_range")
            );
        }

        var rows = await database.QueryAsync<Row>(
            Sql.List,
            new
            {
                http.GetMerchant().MerchantId,
                From = from,
                To = to,
            },
            cancel
        );
        return Answer.Ok(new Response("daily_report", from, to, [.. rows.Select(row => row.ToView())]));
    }

    private sealed record Row(
        DateOnly Day,
        string Currency,
        long SoldAmount,
        long SoldCount,
        long LoadedAmount,
        long LoadedCount,
        long RedeemedAmount,
        long RedeemedCount,
        long RefundedAmount,
        long RefundedCount,
        long PostedCount
    )
    {
        public Day ToView() =>
            new(
                Day,
                ToTotal(SoldCount, SoldAmount),
                ToTotal(LoadedCount, LoadedAmount),
                ToTotal(RedeemedCount, RedeemedAmount),
                ToTotal(RefundedCount, RefundedAmount),
                PostedCount
            );

        private Total ToTotal(long count, long amount) =>
            new(count, new Money(amount, Kernel.Currency.Parse(Currency)));
    }

    private static class Sql
    {
        public const string List = """
            SELECT day, currency, sold_amount, sold_count, loaded_amount, loaded_count, redeemed_amount, redeemed_count,
                   refunded_amount, refunded_count, posted_count
              FROM daily_totals
             WHERE merchant_id = @MerchantId
               AND day BETWEEN @From AND @To
             ORDER BY day, currency
            """;
    }
}
