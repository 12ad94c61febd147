using LocalPlus.Hosting;
using LocalPlus.Kernel;
using LocalPlus.Wallet.Customers;

namespace LocalPlus.Wallet.Balances;

/// <summary>
/// GET /v1/customers/{id}/wallet/days?from=&amp;to=: what a wallet came to when each day (UTC) ended, both days
/// included; of today, what it comes to now. Cards and memberships are those that are in the wallet now, also on days
/// before they were. Before what open redemptions hold. Refusals: not_found, invalid_request.
/// </summary>
internal static class ListWalletDays
{
    /// <summary>A year.</summary>
    private const int MaxDays = 366;

    private const int DefaultDays = 30;

    internal sealed record Response(
        string Object,
        CustomerId CustomerId,
        DateOnly From,
        DateOnly To,
        IReadOnlyList<Day> Data
    );

    /// <param name="Balances">Of the cards, one a currency that they have had.</param>
    /// <param name="Points">One a programme that points were moved in.</param>
    internal sealed record Day(DateOnly Date, IReadOnlyList<Money> Balances, IReadOnlyList<DayPoints> Points);

    /// <param name="Posted">Available and held, as the books have them.</param>
    internal sealed record DayPoints(ProgramId ProgramId, long Posted, long Pending);

    public static IEndpointRouteBuilder MapListWalletDays(this IEndpointRouteBuilder group)
    {
        group
            .MapGet("/customers/{id}/wallet/days", HandleAsync)
            .RequireScope("customers:read")
            .WithName(nameof(ListWalletDays))
            .Produces<Response>();
        return group;
    }

    private static async Task<IResult> HandleAsync(
        HttpContext http,
        CustomerId id,
        Database database,
        TimeProvider time,
        CancellationToken cancel,
        DateOnly? from = null,
        DateOnly? to = null
    )
    {
        var last = to ?? DateOnly.FromDateTime(time.GetUtcNow().UtcDateTime);
        var first = from ?? last.AddDays(1 - Math.Min(DefaultDays, last.DayNumber + 1));
        new FieldChecks()
            .Require(first <= last && last.DayNumber - first.DayNumber < MaxDays && first > DateOnly.MinValue, "from")
            .ThrowIfAny();
        await using var db = await database.BeginAsync(cancel);
        var customer = await CustomerStore.GetAsync(db, http.GetMerchant().MerchantId, id);
        var args = new
        {
            customer.CustomerId,
            Before = first.AddDays(-1),
            To = last,
        };
        var cards = Days(await db.QueryAsync<CardDay>(Sql.Cards, args), row => row.Day, row => row.Currency);
        var points = Days(await db.QueryAsync<PointsDay>(Sql.Points, args), row => row.Day, row => row.ProgramId);
        var days = Enumerable.Range(0, last.DayNumber - first.DayNumber + 1).Select(first.AddDays);
        return Answer.Ok(
            new Response(
                "wallet_days",
                customer.CustomerId,
                first,
                last,
                [
                    .. days.Select(day => new Day(
                        day,
                        [.. cards(day).Select(row => new Money(row.Posted, Currency.Parse(row.Currency)))],
                        [.. points(day).Select(row => new DayPoints(row.ProgramId, row.Posted, row.Pending))]
                    )),
                ]
            )
        );
    }

    /// <summary>
    /// What was true when a day ended: of each kind the last row until then. Days are asked for in their order.
    /// </summary>
    private static Func<DateOnly, IReadOnlyList<TRow>> Days<TRow, TKind>(
        IReadOnlyList<TRow> rows,
        Func<TRow, DateOnly> dayOf,
        Func<TRow, TKind> kindOf
    )
        where TKind : notnull
    {
        var (now, next) = (new SortedDictionary<TKind, TRow>(), 0);
        return day =>
        {
            for (; next < rows.Count && dayOf(rows[next]) <= day; next++)
            {
                now[kindOf(rows[next])] = rows[next];
            }

            return [.. now.Values];
        };
    }

    private sealed record CardDay(DateOnly Day, string Currency, long Posted);

    private sealed record PointsDay(DateOnly Day, ProgramId ProgramId, long Posted, long Pending);

    private static class Sql
    {
        // What a day has changed on each account, and from there what all of them come to; days before the first are
        // one.
        public const string Cards = """
            SELECT k.day, k.currency, (sum(k.change) OVER (PARTITION BY k.currency ORDER BY k.day))::bigint AS posted
              FROM (SELECT c.day, c.currency, sum(c.change) AS change
                      FROM (SELECT greatest(b.day, @Before) AS day, b.currency,
                                   b.posted - lag(b.posted, 1, 0::bigint) OVER (PARTITION BY b.account_id
                                                                               ORDER BY b.day) AS change
                              FROM wallets w
                              JOIN wallet_cards g
                                ON g.wallet_id = w.wallet_id
                              JOIN balance_days b
                                ON b.gift_card_id = g.gift_card_id
                               AND b.merchant_id = g.merchant_id
                             WHERE w.customer_id = @CustomerId
                               AND b.day <= @To) c
                     GROUP BY c.day, c.currency) k
             ORDER BY k.day, k.currency
            """;

        public const string Points = """
            SELECT k.day, k.program_id,
                   (sum(k.posted) OVER (PARTITION BY k.program_id ORDER BY k.day))::bigint AS posted,
                   (sum(k.pending) OVER (PARTITION BY k.program_id ORDER BY k.day))::bigint AS pending
              FROM (SELECT greatest((v.recorded_at AT TIME ZONE 'UTC')::date, @Before) AS day, m.program_id,
                           sum(v.points + v.held - CASE WHEN p.terms ->> 'negative' = 'allow' THEN v.owed ELSE 0 END)
                               AS posted,
                           sum(v.pending) AS pending
                      FROM members m
                      JOIN loyalty_programs p
                        ON p.program_id = m.program_id
                      JOIN member_movements v
                        ON v.member_id = m.member_id
                     WHERE m.customer_id = @CustomerId
                       AND (v.recorded_at AT TIME ZONE 'UTC')::date <= @To
                     GROUP BY 1, m.program_id) k
             ORDER BY k.day, k.program_id
            """;
    }
}
