using System.Globalization;
using LocalPlus.Perf.GiftCards;

namespace LocalPlus.Perf.Operators;

/// <summary>
/// Many runs of the past for operators to look through: copies of finished ones over 30 days, a few of which want
/// somebody. Only giftcard's tables have them, and they go again.
/// </summary>
internal static class RunHistory
{
    public const string Database = "giftcard";
    public const string Trouble = "bench: the ledger did not know it";

    /// <summary>So many want somebody among all the others.</summary>
    public const int Parked = 60;

    private static readonly string[] Tables = ["redemptions", "redemption_legs", "redemption_runs"];

    /// <summary>Adds at least so many runs; gives how many.</summary>
    public static async Task<long> WriteAsync(long runs, CancellationToken cancel)
    {
        var present = long.Parse(
            await Psql.RunAsync(Database, "SELECT count(*) FROM redemption_runs;", cancel),
            CultureInfo.InvariantCulture
        );
        var copies = (int)Math.Ceiling((double)runs / Math.Max(1, present));
        await Psql.RunAsync(Database, RedeemHistory.Prepare(), cancel);
        foreach (var table in Tables)
        {
            await Psql.RunAsync(Database, RedeemHistory.Copy(table, copies), cancel);
            await Console.Error.WriteLineAsync($"runs: {copies} copies of each row of {table} are written");
        }

        await Psql.RunAsync(Database, Sql.Park, cancel);
        await Psql.RunAsync(Database, "VACUUM ANALYZE redemptions, redemption_legs, redemption_runs;", cancel);
        return copies * present;
    }

    public static async Task ForgetAsync()
    {
        await Psql.RunAsync(Database, Sql.Forget, CancellationToken.None);
        await Psql.RunAsync(Database, "DROP SCHEMA IF EXISTS bench CASCADE;", CancellationToken.None);
    }

    private static class Sql
    {
        // Copies have a mark in their reference.
        public static readonly string Park = string.Create(
            CultureInfo.InvariantCulture,
            $"""
            UPDATE redemptions
               SET needs_attention = true, drive_error = '{Trouble}', drive_attempts = 20
             WHERE redemption_id IN (SELECT redemption_id FROM redemptions
                                      WHERE reference LIKE '%~%' AND drive_after IS NULL
                                      ORDER BY redemption_id
                                      LIMIT {Parked});
            """
        );

        public const string Forget = """
            SET session_replication_role = replica;
            CREATE TEMPORARY TABLE past AS SELECT redemption_id FROM redemptions WHERE reference LIKE '%~%';
            DELETE FROM redemption_runs USING past WHERE redemption_runs.redemption_id = past.redemption_id;
            DELETE FROM redemption_legs USING past WHERE redemption_legs.redemption_id = past.redemption_id;
            DELETE FROM redemptions USING past WHERE redemptions.redemption_id = past.redemption_id;
            """;
    }
}
