using LocalPlus.Hosting;
using LocalPlus.Kernel;
using LocalPlus.Wallet.Programs;

namespace LocalPlus.Wallet.Balances;

/// <summary>What a customer has in one loyalty programme.</summary>
/// <param name="Posted">
/// What the books have: available and held, less what is owed where a programme allows that.
/// </param>
/// <param name="Held">Of what is posted, what open redemptions hold.</param>
/// <param name="Available">What may be spent now; never below zero.</param>
/// <param name="Pending">Earned, and not to be spent before its time.</param>
/// <param name="Value">What the available points are worth by the programme's rate.</param>
/// <param name="Expiring">Of what is available, what ends within 30, 60 and 90 days.</param>
internal sealed record MembershipView(
    MemberId MemberId,
    ProgramId ProgramId,
    string Program,
    string? Tier,
    long Posted,
    long Held,
    long Available,
    long Pending,
    long Owed,
    Money Value,
    IReadOnlyList<ExpiringView> Expiring
);

internal sealed record ExpiringView(int WithinDays, long Points);

/// <summary>Points of a customer's memberships that are active.</summary>
internal static class Memberships
{
    /// <summary>Of one customer; a programme has one membership of a customer.</summary>
    public const int Most = 200;

    public static async Task<IReadOnlyList<MembershipView>> ReadAsync(
        Func<string, object, Task<IReadOnlyList<Row>>> query,
        CustomerId customer,
        DateTimeOffset now
    ) =>
        [
            .. (
                await query(
                    Sql.List,
                    new
                    {
                        CustomerId = customer,
                        Now = now,
                        In30 = now.AddDays(30),
                        In60 = now.AddDays(60),
                        In90 = now.AddDays(90),
                        Most,
                    }
                )
            ).Select(row => row.ToView()),
        ];

    internal sealed record Row(MemberPart Member, PointsPart Points) : IRowOfParts<Row>
    {
        public static string SplitOn => "available";

        public static Task<IEnumerable<Row>> QueryAsync(
            Npgsql.NpgsqlConnection connection,
            Dapper.CommandDefinition command
        ) =>
            Dapper.SqlMapper.QueryAsync<MemberPart, PointsPart, Row>(connection, command, (m, p) => new(m, p), SplitOn);

        public MembershipView ToView()
        {
            var terms = StoredJson.Read<LoyaltyTerms>(Member.Terms);
            var owedInBooks = terms.Negative == NegativePolicy.Allow ? Member.Owed : 0;
            return new(
                Member.MemberId,
                Member.ProgramId,
                Member.Name,
                Member.Tier,
                Points.Available + Member.Held - owedInBooks,
                Member.Held,
                Points.Available,
                Member.Pending,
                Member.Owed,
                new(terms.PointValue.Of(Points.Available), Currency.Parse(Member.Currency)),
                [new(30, Points.Within30), new(60, Points.Within60), new(90, Points.Within90)]
            );
        }
    }

    internal sealed record MemberPart(
        MemberId MemberId,
        ProgramId ProgramId,
        string Name,
        string Currency,
        string Terms,
        string? Tier,
        long Held,
        long Pending,
        long Owed
    );

    internal sealed record PointsPart(long Available, long Within30, long Within60, long Within90);

    private static class Sql
    {
        // What is over by now is not counted, also before the books have written it off.
        public const string List = """
            SELECT m.member_id, m.program_id, p.name, p.currency, p.terms::text AS terms, m.tier, m.held, m.pending,
                   m.owed, coalesce(sum(l.remaining), 0)::bigint AS available,
                   coalesce(sum(l.remaining) FILTER (WHERE l.expires_at <= @In30), 0)::bigint AS within30,
                   coalesce(sum(l.remaining) FILTER (WHERE l.expires_at <= @In60), 0)::bigint AS within60,
                   coalesce(sum(l.remaining) FILTER (WHERE l.expires_at <= @In90), 0)::bigint AS within90
              FROM members m
              JOIN loyalty_programs p
                ON p.program_id = m.program_id
              LEFT JOIN member_lots l
                ON l.member_id = m.member_id
               AND l.remaining > 0
               AND (l.expires_at IS NULL OR l.expires_at > @Now)
             WHERE m.customer_id = @CustomerId
               AND m.state = 'active'
             GROUP BY m.member_id, p.program_id
             ORDER BY m.member_id
             LIMIT @Most
            """;
    }
}
