using LocalPlus.Hosting;

namespace LocalPlus.Ledger.Proof;

/// <summary>
/// GET /ops/v1/ledger/proof: counts over one snapshot that must all be zero: the sum of all entries of each asset, accounts
/// whose balance is not the sum of their entries, accounts whose held is not the sum of their pending holds, gaps in a
/// sequence.
/// </summary>
internal static class ProveBooks
{
    public static IEndpointRouteBuilder MapProveBooks(this IEndpointRouteBuilder group)
    {
        group.MapGet("/ledger/proof", Handle);
        return group;
    }

    private static async Task<IResult> Handle(Database database, TimeProvider time, CancellationToken cancel)
    {
        var proof = await database.QuerySingleOrDefaultAsync<Row>(Sql.Prove, null, cancel);
        var holds = proof is { UnbalancedAssets: 0, WrongBalances: 0, WrongHolds: 0, SequenceGaps: 0 };
        return Answer.Ok(new Proof(
            holds, proof!.Accounts, proof.Entries, proof.EntriesSum, proof.UnbalancedAssets, proof.WrongBalances, proof.WrongHolds,
            proof.SequenceGaps, time.GetUtcNow()));
    }

    private sealed record Proof(
        bool Holds, long Accounts, long Entries, long EntriesSum, long UnbalancedAssets, long WrongBalances, long WrongHolds,
        long SequenceGaps, DateTimeOffset At);

    private sealed record Row(
        long Accounts, long Entries, long EntriesSum, long UnbalancedAssets, long WrongBalances, long WrongHolds, long SequenceGaps);

    private static class Sql
    {
        public const string Prove = """
            WITH folded AS (
                SELECT account_id, sum(amount) AS balance, count(*) AS entries, max(sequence) AS last
                  FROM ledger_entries
                 GROUP BY account_id
            ), reserved AS (
                SELECT i.account_id, sum(i.held) AS held
                  FROM holds h
                  JOIN hold_items i USING (hold_id)
                 WHERE h.state = 'pending'
                 GROUP BY i.account_id
            ), compared AS (
                SELECT a.asset, a.posted, a.held, a.version, COALESCE(f.balance, 0) AS balance, COALESCE(f.entries, 0) AS entries,
                       COALESCE(f.last, 0) AS last, COALESCE(r.held, 0) AS reserved
                  FROM accounts a
                  LEFT JOIN folded f USING (account_id)
                  LEFT JOIN reserved r USING (account_id)
            )
            SELECT count(*) AS accounts,
                   COALESCE(sum(entries), 0)::bigint AS entries,
                   COALESCE(sum(balance), 0)::bigint AS entries_sum,
                   (SELECT count(*) FROM (SELECT FROM compared GROUP BY asset HAVING sum(balance) <> 0) AS u) AS unbalanced_assets,
                   count(*) FILTER (WHERE posted <> balance) AS wrong_balances,
                   count(*) FILTER (WHERE held <> reserved) AS wrong_holds,
                   count(*) FILTER (WHERE last <> entries OR last <> version) AS sequence_gaps
              FROM compared
            """;
    }
}
