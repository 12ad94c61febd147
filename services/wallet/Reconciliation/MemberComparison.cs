using LocalPlus.Hosting;
using LocalPlus.Kernel;
using LocalPlus.Wallet.Points;

namespace LocalPlus.Wallet.Reconciliation;

/// <summary>A member's account that is not what was decided here.</summary>
internal sealed record MemberDifference(
    MerchantId MerchantId,
    AccountId AccountId,
    long Version,
    long Decided,
    LedgerBalance? Ledger
);

/// <summary>
/// Compares what members have by this service's decisions with what the ledger has booked. Members with a command under
/// way are left out, and one that differs is looked at again: only what was still the whole time is a difference.
/// </summary>
internal sealed class MemberComparison(Database database, LedgerBalances ledger)
{
    private const int AccountsPerMember = 3;
    private const int MembersPerPage = LedgerBalances.MaxAccounts / AccountsPerMember;

    /// <summary>What differs, and how many accounts were looked at.</summary>
    public async Task<(IReadOnlyList<MemberDifference> Differences, long Checked)> RunAsync(
        int most,
        CancellationToken cancel
    )
    {
        var (differences, looked, after) = (new List<MemberDifference>(), 0L, new SettledRow(default, default));
        while (differences.Count < most)
        {
            var page = await database.QueryAsync<SettledRow>(
                Sql.Page,
                new
                {
                    after.MerchantId,
                    after.MemberId,
                    Limit = MembersPerPage,
                },
                cancel
            );
            if (page.Count == 0)
            {
                break;
            }

            foreach (var merchant in page.GroupBy(member => member.MerchantId))
            {
                var members = merchant.Select(member => member.MemberId).ToArray();
                var (found, asked) = await DifferingAsync(merchant.Key, members, cancel);
                looked += asked;
                if (found.Count > 0)
                {
                    var again = await DifferingAsync(merchant.Key, members, cancel);
                    differences.AddRange(again.Differences.Where(difference => found.Contains(difference)));
                }
            }

            after = page[^1];
        }

        return (differences, looked);
    }

    private async Task<(IReadOnlyList<MemberDifference> Differences, int Asked)> DifferingAsync(
        MerchantId merchant,
        MemberId[] members,
        CancellationToken cancel
    )
    {
        var names = members
            .SelectMany(id => new[] { PointsAccounts.Of(id), PointsAccounts.PendingOf(id), PointsAccounts.HeldOf(id) })
            .ToArray();
        var accounts = await database.QueryAsync<AccountRow>(
            Sql.Accounts,
            new { MerchantId = merchant, Names = names },
            cancel
        );
        var balances = await ledger.GetAsync(merchant, [.. accounts.Select(row => row.AccountId)], cancel);
        var byName = accounts.ToDictionary(row => row.Name, row => row.AccountId, StringComparer.Ordinal);
        var rows = await database.QueryAsync<DecidedRow>(Sql.Decided, new { MemberIds = members }, cancel);
        var differences = new List<MemberDifference>();
        foreach (var row in rows)
        {
            Compare(PointsAccounts.Of(row.MemberId), row.Posted, row.Version);
            Compare(PointsAccounts.PendingOf(row.MemberId), row.Pending, row.Version);
            Compare(PointsAccounts.HeldOf(row.MemberId), row.Held, row.Version);
        }

        return (differences, accounts.Count);

        void Compare(string name, long decided, long version)
        {
            if (
                byName.TryGetValue(name, out var account)
                && balances.GetValueOrDefault(account) is var balance
                && balance?.Posted != decided
            )
            {
                differences.Add(new(merchant, account, version, decided, balance));
            }
        }
    }

    private sealed record SettledRow(MerchantId MerchantId, MemberId MemberId);

    private sealed record AccountRow(string Name, AccountId AccountId);

    private sealed record DecidedRow(MemberId MemberId, long Posted, long Pending, long Held, long Version);

    private static class Sql
    {
        public const string Page = """
            SELECT merchant_id, member_id
              FROM members
             WHERE (merchant_id, member_id) > (@MerchantId, @MemberId)
             ORDER BY merchant_id, member_id
             LIMIT @Limit
            """;

        public const string Accounts = """
            SELECT name, account_id
              FROM ledger_accounts
             WHERE merchant_id = @MerchantId
               AND name = ANY(@Names)
            """;

        // What is owed is below zero in the books where the programme allows that. A member of a transfer that is under
        // way has its points, and the command is the other's.
        public const string Decided = """
            SELECT m.member_id,
                   m.points - CASE WHEN p.terms ->> 'negative' = 'allow' THEN m.owed ELSE 0 END AS posted,
                   m.pending, m.held, m.version
              FROM members m
              JOIN loyalty_programs p
                ON p.program_id = m.program_id
             WHERE m.member_id = ANY(@MemberIds)
               AND NOT EXISTS (SELECT 1
                                 FROM member_movements v
                                 JOIN ledger_commands c
                                   ON c.movement_id = v.movement_id
                                WHERE (v.member_id = m.member_id OR v.counterpart_id = m.member_id)
                                  AND c.drive_after IS NOT NULL)
            """;
    }
}
