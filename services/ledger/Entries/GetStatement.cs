using System.ComponentModel.DataAnnotations;
using LocalPlus.Hosting;
using LocalPlus.Kernel;
using LocalPlus.Ledger.Accounts;

namespace LocalPlus.Ledger.Entries;

/// <summary>
/// GET /v1/accounts/{id}/statement?from=&amp;to=: the balance before and after a period of recorded time, and what came
/// and went between by kind; opening + credits - debits = closing. The entries themselves are listed or exported.
/// </summary>
internal static class GetStatement
{
    public static IEndpointRouteBuilder MapGetStatement(this IEndpointRouteBuilder group)
    {
        group
            .MapGet("/accounts/{id}/statement", HandleAsync)
            .RequireScope("ledger:read")
            .WithName(nameof(GetStatement))
            .Produces<Statement>();
        return group;
    }

    private static async Task<IResult> HandleAsync(
        AccountId id,
        Instant? from,
        Instant? to,
        HttpContext http,
        Database database,
        CancellationToken cancel
    )
    {
        var period = Period.Of(from, to);
        var row = await AccountReader.FindAsync(database, http.GetMerchant().MerchantId, id, cancel);
        // One statement, one snapshot: balances and sums can not disagree.
        var lines = await database.QueryAsync<Line>(
            Sql.Statement,
            new
            {
                id,
                period.From,
                period.To,
            },
            cancel
        );
        var (opening, credits, debits) = (lines[0].Opening, lines.Sum(l => l.Credits), lines.Sum(l => l.Debits));
        return Answer.Ok(
            new Statement(
                id,
                "statement",
                row.Asset,
                period.From,
                period.To,
                opening,
                credits,
                debits,
                opening + credits - debits,
                lines.Sum(l => l.Entries),
                [.. lines.Where(l => l.Entries > 0).Select(l => new KindView(l.Kind!, l.Credits, l.Debits, l.Entries))]
            )
        );
    }

    private sealed record KindView(string Kind, long Credits, long Debits, long Entries);

    private sealed record Statement(
        AccountId AccountId,
        string Object,
        [property: RegularExpression(AccountToOpen.AssetPattern)] string Asset,
        DateTimeOffset From,
        DateTimeOffset To,
        long Opening,
        long Credits,
        long Debits,
        long Closing,
        long Entries,
        IReadOnlyList<KindView> Kinds
    );

    private sealed record Line(long Opening, string? Kind, long Credits, long Debits, long Entries);

    private static class Sql
    {
        public const string Statement = """
            SELECT o.opening, k.kind, COALESCE(k.credits, 0)::bigint AS credits,
                   COALESCE(k.debits, 0)::bigint AS debits,
                   COALESCE(k.entries, 0)::bigint AS entries
              FROM (SELECT posted_at(@Id, 'infinity', @From - interval '1 microsecond') AS opening) o
              LEFT JOIN (SELECT t.kind, sum(e.amount) FILTER (WHERE e.amount > 0) AS credits,
                                -sum(e.amount) FILTER (WHERE e.amount < 0) AS debits, count(e.amount) AS entries
                           FROM generate_series(0, 16) AS s (stripe)
                           JOIN ledger_entries e ON e.account_id = @Id AND e.stripe = s.stripe
                            AND e.sequence > sequence_at(@Id, s.stripe::smallint, @From - interval '1 microsecond')
                            AND e.sequence <= sequence_at(@Id, s.stripe::smallint, @To - interval '1 microsecond')
                           JOIN transactions t USING (transaction_id)
                          GROUP BY t.kind) k ON true
             ORDER BY k.kind
            """;
    }
}
