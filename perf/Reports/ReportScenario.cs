using System.Diagnostics;
using System.Globalization;
using LocalPlus.Perf.GiftCards;

namespace LocalPlus.Perf.Reports;

/// <summary>
/// How long a merchant waits for a quarter's figures with many events behind it: facts and the totals of their days are
/// put into analytics' database, then the report is asked for. It must say what the facts say.
/// </summary>
internal static class ReportScenario
{
    private const long DefaultEvents = 1_000_000;
    private const int Days = 90;
    private const int Amount = 100;
    private const int Clients = 4;
    private const string Database = "analytics";
    private static readonly TimeSpan Wanted = TimeSpan.FromSeconds(1);

    public static async Task<BenchResult> RunAsync(BenchOptions options, CancellationToken cancel)
    {
        var events = options.History > 0 ? options.History : DefaultEvents;
        var result = new BenchResult.Builder("report");
        using var merchant = await BenchMerchant.OnboardAsync(cancel);
        try
        {
            await Psql.RunAsync(Database, Fill(merchant.Id, events), cancel);
            var until = DateOnly.FromDateTime(TimeProvider.System.GetUtcNow().UtcDateTime);
            var path = string.Create(
                CultureInfo.InvariantCulture,
                $"/v1/reports/daily?from={until.AddDays(1 - Days):yyyy-MM-dd}&to={until:yyyy-MM-dd}"
            );
            var report = await merchant.Api.MustGetAsync(path, cancel);
            var told = report["data"]!.AsArray().Sum(day => (long)day!["redeemed"]!["count"]!);
            var load = await LoadRunner.SendAsync(
                options.Closed() with
                {
                    Clients = Clients,
                },
                async (_, _, end) =>
                {
                    await merchant.Api.MustGetAsync(path, end);
                    return null;
                },
                cancel
            );
            var clock = Stopwatch.StartNew();
            await Psql.RunAsync(Database, Sum(merchant.Id), cancel);
            var summed = clock.Elapsed;
            result.Figure("events", events);
            result.Load("daily", load);
            result.Figure("facts_summed_ms", summed.TotalMilliseconds);
            result.Ratio(
                "daily_p99_to_summed",
                load.Latency.Percentile(0.99).TotalMilliseconds,
                summed.TotalMilliseconds
            );
            result.Require(told == events && load.Latency.Percentile(0.99) < Wanted);
        }
        finally
        {
            foreach (var table in new[] { "facts", "daily_totals" })
            {
                await Psql.RunAsync(
                    Database,
                    $"DELETE FROM {table} WHERE merchant_id = '{merchant.Id.Value}';",
                    CancellationToken.None
                );
            }
        }

        result.Note("yardstick", "the same figures summed up from the facts themselves");
        result.Note("wanted", $"p99 under {Wanted.TotalSeconds:0} s; --history EVENTS says how many");
        return result.Build();
    }

    private static string Fill(MerchantId merchant, long events) =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"""
            INSERT INTO facts (event_id, merchant_id, day, currency, kind, subject, amount, occurred_at)
            SELECT gen_random_uuid(), '{merchant.Value}', (now() AT TIME ZONE 'UTC')::date - (n % {Days})::int, 'EUR',
                   'redeemed', 'bench-' || n, {Amount}, now() - (n % {Days}) * interval '1 day'
              FROM generate_series(1, {events}) n;
            INSERT INTO daily_totals (merchant_id, day, currency, redeemed_amount, redeemed_count)
            SELECT merchant_id, day, currency, sum(amount)::bigint, count(*)
              FROM facts
             WHERE merchant_id = '{merchant.Value}'
             GROUP BY merchant_id, day, currency;
            ANALYZE facts;
            """
        );

    private static string Sum(MerchantId merchant) =>
        $"""
            SELECT day, currency, count(*), sum(amount)
              FROM facts
             WHERE merchant_id = '{merchant.Value}'
               AND kind = 'redeemed'
             GROUP BY day, currency;
            """;
}
