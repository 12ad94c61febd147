using LocalPlus.Analytics.Value;
using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Analytics.Loyalty;

/// <summary>
/// A programme's day in points: earned less burned, taken back and expired, and other, is what members may spend more.
/// </summary>
/// <param name="Pending">Change of what waits for its time.</param>
/// <param name="Burned">Spent and held, less what came back.</param>
/// <param name="Other">Signed: adjustments, transfers, what leaving members lost.</param>
internal sealed record LoyaltyPoints(long Earned, long Pending, long Burned, long TakenBack, long Expired, long Other);

/// <summary>
/// The same in the programme's currency, by the rate at which points were given: given less used and lapsed is what
/// members are owed more.
/// </summary>
internal sealed record LoyaltyMoney(long Given, long Used, long Lapsed);

internal sealed record LoyaltyDay(
    DateOnly Day,
    ProgramId ProgramId,
    string? Currency,
    LoyaltyPoints Points,
    LoyaltyMoney Money
);

/// <summary>Reads the movements themselves.</summary>
internal static class LoyaltyReader
{
    public static async Task<IEnumerable<LoyaltyDay>> ReadAsync(
        Database database,
        MerchantId merchant,
        ValueRange range,
        ProgramId? program,
        CancellationToken cancel
    )
    {
        var rows = await database.QueryAsync<Row>(
            Sql.Days,
            new
            {
                MerchantId = merchant,
                ProgramId = program,
                range.Begins,
                range.Ends,
                // The days of the movements are those of UTC.
                First = range.From.AddDays(-1),
                Last = range.To.AddDays(1),
                Zone = range.Zone.Id,
            },
            cancel
        );
        return rows.Select(r => new LoyaltyDay(
            r.Day,
            r.ProgramId,
            r.Currency,
            new(r.Earned, r.Pending, r.Burned, r.TakenBack, r.Expired, r.Other),
            new(r.Given, r.Used, r.Lapsed)
        ));
    }

    private sealed record Row(
        DateOnly Day,
        ProgramId ProgramId,
        string? Currency,
        long Earned,
        long Pending,
        long Burned,
        long TakenBack,
        long Expired,
        long Other,
        long Given,
        long Used,
        long Lapsed
    );

    private static class Sql
    {
        // A kind that is new is other in points and given in money, so that the sums stay right.
        public const string Days = """
            SELECT timezone(@Zone, occurred_at)::date AS day, program_id, max(currency) AS currency,
                   coalesce(sum(points) FILTER (WHERE kind IN ('earn', 'release')), 0)::bigint AS earned,
                   sum(pending)::bigint AS pending,
                   coalesce(-sum(points) FILTER (WHERE kind IN ('redeem', 'hold', 'hold_released', 'refund')),
                            0)::bigint AS burned,
                   coalesce(-sum(points) FILTER (WHERE kind = 'take_back'), 0)::bigint AS taken_back,
                   coalesce(-sum(points) FILTER (WHERE kind = 'expire'), 0)::bigint AS expired,
                   coalesce(sum(points) FILTER (WHERE kind NOT IN ('earn', 'release', 'redeem', 'hold',
                            'hold_released', 'refund', 'take_back', 'expire')), 0)::bigint AS other,
                   coalesce(sum(value) FILTER (WHERE kind NOT IN ('redeem', 'hold', 'hold_released', 'refund',
                            'expire', 'forfeit')), 0)::bigint AS given,
                   coalesce(-sum(value) FILTER (WHERE kind IN ('redeem', 'hold', 'hold_released', 'refund')),
                            0)::bigint AS used,
                   coalesce(-sum(value) FILTER (WHERE kind IN ('expire', 'forfeit')), 0)::bigint AS lapsed
              FROM loyalty_movements
             WHERE merchant_id = @MerchantId
               AND day BETWEEN @First AND @Last
               AND occurred_at >= @Begins
               AND occurred_at < @Ends
               AND (@ProgramId::uuid IS NULL OR program_id = @ProgramId)
             GROUP BY 1, 2
             ORDER BY 1, 2
            """;
    }
}
