using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Ledger.Proof;

/// <summary>
/// GET /ops/v1/ledger/proof: over one snapshot, of all merchants or one: the entries of each asset sum to zero, each
/// balance is the sum of its entries without a gap in their sequence, each held is the sum of its pending holds.
/// </summary>
internal static class ProveBooks
{
    public static IEndpointRouteBuilder MapProveBooks(this IEndpointRouteBuilder group)
    {
        group.MapGet("/ledger/proof", HandleAsync).WithName(nameof(ProveBooks)).Produces<BooksProof>();
        return group;
    }

    private static async Task<IResult> HandleAsync(
        MerchantId? merchant_id,
        Database database,
        TimeProvider time,
        CancellationToken cancel
    )
    {
        var row = (await database.SearchAsync<Row>(Sql.Prove, new { Merchant = merchant_id }, cancel))[0];
        var differences = row.UnbalancedAssets + row.WrongBalances + row.WrongHolds + row.Gaps;
        return Answer.Ok(
            new BooksProof(
                differences == 0,
                row.Accounts,
                row.Entries,
                row.Sum,
                differences,
                row.UnbalancedAssets,
                row.WrongBalances,
                row.WrongHolds,
                row.Gaps,
                time.GetUtcNow()
            )
        );
    }

    private sealed record BooksProof(
        bool Balanced,
        long Accounts,
        long Entries,
        long Sum,
        long Differences,
        long UnbalancedAssets,
        long WrongBalances,
        long WrongHolds,
        long Gaps,
        DateTimeOffset At
    );

    private sealed record Row(
        long Accounts,
        long Entries,
        long Sum,
        long UnbalancedAssets,
        long WrongBalances,
        long WrongHolds,
        long Gaps
    );

    private static class Sql
    {
        // Stripe 0 is an account's own row; the stripes of a striped one are compared each for itself.
        public const string Prove = """
            WITH own AS (
                SELECT account_id, 0::smallint AS stripe, asset, posted, held, sequence
                  FROM accounts
                 WHERE NOT striped
                   AND (@Merchant::uuid IS NULL OR merchant_id = @Merchant)
                 UNION ALL
                SELECT s.account_id, s.stripe, a.asset, s.posted, 0, s.sequence
                  FROM account_stripes s
                  JOIN accounts a USING (account_id)
                 WHERE @Merchant::uuid IS NULL OR a.merchant_id = @Merchant
            ), folded AS (
                SELECT account_id, stripe, sum(amount) AS balance, count(sequence) AS entries, max(sequence) AS last
                  FROM ledger_entries
                 GROUP BY account_id, stripe
            ), reserved AS (
                SELECT i.account_id, sum(i.held) AS held
                  FROM holds h
                  JOIN hold_items i USING (hold_id)
                 WHERE h.state = 'pending'
                 GROUP BY i.account_id
            ), compared AS (
                SELECT o.asset, o.posted, o.held, o.sequence, COALESCE(f.balance, 0) AS balance,
                       COALESCE(f.entries, 0) AS entries,
                       COALESCE(f.last, 0) AS last, CASE o.stripe WHEN 0 THEN COALESCE(r.held, 0)
                       ELSE 0 END AS reserved, o.account_id
                  FROM own o
                  LEFT JOIN folded f ON f.account_id = o.account_id AND f.stripe = o.stripe
                  LEFT JOIN reserved r ON r.account_id = o.account_id
            )
            SELECT count(DISTINCT account_id) AS accounts,
                   COALESCE(sum(entries), 0)::bigint AS entries,
                   COALESCE(sum(balance), 0)::bigint AS sum,
                   (SELECT count(u.asset)
                      FROM (SELECT asset FROM compared GROUP BY asset HAVING sum(balance) <> 0) AS u)
                       AS unbalanced_assets,
                   count(asset) FILTER (WHERE posted <> balance) AS wrong_balances,
                   count(asset) FILTER (WHERE held <> reserved) AS wrong_holds,
                   count(asset) FILTER (WHERE last <> entries OR last <> sequence) AS gaps
              FROM compared
            """;
    }
}
