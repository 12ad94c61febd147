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
        // What a bench that was killed has left.
        await ForgetAsync();
        var present = long.Parse(
            await Psql.RunAsync(Database, "SELECT count(*) FROM redemption_runs;", cancel),
            CultureInfo.InvariantCulture
        );
        var copies = (int)Math.Ceiling((double)runs / Math.Max(1, present));
        await Psql.RunAsync(Database, RedeemHistory.Prepare(), cancel);
        await Psql.RunAsync(Database, Sql.Remember(copies), cancel);
        foreach (var table in Tables)
        {
            await Psql.RunAsync(Database, RedeemHistory.Copy(table, copies), cancel);
            await Console.Error.WriteLineAsync($"runs: {copies} copies of each row of {table} are written");
        }

        await Psql.RunAsync(Database, Sql.Park, cancel);
        await Psql.RunAsync(Database, "VACUUM ANALYZE redemptions, redemption_legs, redemption_runs;", cancel);
        return copies * present;
    }

    /// <summary>Takes the copies away, and nothing else.</summary>
    public static Task ForgetAsync() => Psql.RunAsync(Database, Sql.Forget, CancellationToken.None);

    private static class Sql
    {
        /// <summary>The ids that copies will have.</summary>
        public static string Remember(int copies) =>
            $"""
                CREATE TABLE bench.copied AS
                SELECT bench.past(r.redemption_id, n::integer, {RedeemHistory.Back(copies)}) AS redemption_id
                  FROM redemptions r, generate_series(1, {copies}) n;
                ANALYZE bench.copied;
                """;

        public static readonly string Park = string.Create(
            CultureInfo.InvariantCulture,
            $"""
            UPDATE redemptions
               SET needs_attention = true, drive_error = '{Trouble}', drive_attempts = 20
             WHERE redemption_id IN (SELECT r.redemption_id
                                       FROM redemptions r
                                       JOIN bench.copied c
                                         ON c.redemption_id = r.redemption_id
                                      WHERE r.drive_after IS NULL
                                      ORDER BY r.redemption_id
                                      LIMIT {Parked});
            """
        );

        public const string Forget = """
            DO $$
            BEGIN
                IF to_regclass('bench.copied') IS NOT NULL THEN
                    SET LOCAL session_replication_role = replica;
                    SET LOCAL statement_timeout = 0;
                    DELETE FROM redemption_runs n USING bench.copied c WHERE n.redemption_id = c.redemption_id;
                    DELETE FROM redemption_legs g USING bench.copied c WHERE g.redemption_id = c.redemption_id;
                    DELETE FROM redemptions r USING bench.copied c WHERE r.redemption_id = c.redemption_id;
                END IF;
            END $$;
            DROP SCHEMA IF EXISTS bench CASCADE;
            """;
    }
}
