using System.Globalization;

namespace LocalPlus.Perf.Reads;

/// <summary>
/// Readings with caches off and on, each by a second process of its service beside the stack's: what they save the
/// database. A lookup is of a card's value at the till, which no cache may answer: it stands beside as what does not
/// change.
/// </summary>
internal static class ReadScenario
{
    private const double Wanted = 3;

    private delegate WireRequest Question(ReadSubject subject);

    /// <param name="Cached">Its value may come from a cache.</param>
    private sealed record Kind(string Name, string App, bool Cached, Question Ask);

    private static readonly Kind[] Kinds =
    [
        new("wallet", "wallet", true, of => new("GET", $"/v1/customers/{of.Customer}/wallet", of.Merchant.ApiKey)),
        new("merchant", "merchant", true, of => new("GET", "/v1/merchants/me", of.Merchant.ApiKey)),
        new("program", "giftcard", true, of => new("GET", $"/v1/programs/{of.Program}", of.Merchant.ApiKey)),
        new(
            "lookup",
            "giftcard",
            false,
            of => new("POST", "/v1/gift_cards/lookup", of.Merchant.ApiKey, $$"""{"code":"{{of.Code}}"}""")
        ),
    ];

    private sealed record Cost(double Microseconds, double Queries);

    public static async Task<BenchResult> RunAsync(BenchOptions options, CancellationToken cancel)
    {
        var result = new BenchResult.Builder("read");
        using var subjects = await ReadSubjects.MakeAsync(cancel);
        var costs = new Dictionary<(string Kind, string Mode), Cost>();
        foreach (var mode in new[] { "off", "on" })
        {
            foreach (var kind in Kinds)
            {
                costs[(kind.Name, mode)] = await MeasureAsync(result, kind, mode, subjects, options, cancel);
            }
        }

        foreach (var kind in Kinds)
        {
            result.Ratio(
                $"{kind.Name}_pg_us_off_to_on",
                costs[(kind.Name, "off")].Microseconds,
                Least(costs[(kind.Name, "on")].Microseconds)
            );
        }

        double Sum(string mode) => Kinds.Where(k => k.Cached).Sum(k => costs[(k.Name, mode)].Microseconds);
        var saved = Sum("off") / Least(Sum("on"));
        result.Ratio("pg_us_off_to_on", Sum("off"), Least(Sum("on")));
        result.Note(
            "target",
            $"{Wanted:0} times fewer PostgreSQL microseconds a reading that may be cached: "
                + (saved >= Wanted ? "met" : "missed")
        );
        result.Note("yardstick", "the same readings with LP_CACHES=off, in the same run");
        result.Note(
            "conditions",
            $"generator, stack and PostgreSQL share {Environment.ProcessorCount} processors; "
                + $"{options.Clients} clients; "
                + $"{ReadSubjects.Count} customers of {ReadSubjects.SpreadOver} merchants; "
                + $"{options.Briefly().For.TotalSeconds:0} s each; merchant's own check of each key costs "
                + $"the same both "
                + "ways"
        );
        return result.Build();
    }

    /// <summary>A division by nothing says nothing.</summary>
    private static double Least(double microseconds) => Math.Max(microseconds, 0.1);

    private static async Task<Cost> MeasureAsync(
        BenchResult.Builder result,
        Kind kind,
        string mode,
        ReadSubjects subjects,
        BenchOptions options,
        CancellationToken cancel
    )
    {
        await using var replica = await ServiceReplica.StartAsync(kind.App, cancel, ("LP_CACHES", mode));
        await SendAsync(options.ToWarmUp().Closed(), replica, kind, subjects, cancel);
        var resting = await DatabaseTime.ReadAsync(kind.App, cancel);
        var before = await DatabaseTime.ReadAsync(kind.App, cancel);
        var load = await SendAsync(options.Briefly(), replica, kind, subjects, cancel);
        var after = await DatabaseTime.ReadAsync(kind.App, cancel);
        var (microseconds, queries) = after.Per(load.Succeeded, before, resting);
        var name = $"{kind.Name}_{mode}";
        result.Load(name, load);
        result.Figure($"{name}_pg_us_per_read", microseconds);
        result.Figure($"{name}_queries_per_read", queries);
        if (kind.Cached && mode == "on")
        {
            result.Figure($"{name}_hit_percent", await HitPercentAsync(replica, cancel));
        }

        return new(microseconds, queries);
    }

    private static async Task<Load> SendAsync(
        BenchOptions options,
        ServiceReplica replica,
        Kind kind,
        ReadSubjects subjects,
        CancellationToken cancel
    )
    {
        using var wires = new HttpWires(replica.Address, options.Clients);
        return await LoadRunner.SendAsync(
            options,
            async (client, number, end) =>
                (await wires[client].SendAsync(kind.Ask(subjects.For(number)), end)).FailureUnless(200),
            cancel
        );
    }

    /// <summary>Of all that the replica asked its caches, by what it shows to Prometheus.</summary>
    private static async Task<double> HitPercentAsync(ServiceReplica replica, CancellationToken cancel)
    {
        using var http = new HttpClient();
        var page = await http.GetStringAsync(new Uri(replica.Metrics), cancel);
        var counts = page.Split('\n')
            .Where(line => line.StartsWith("localplus_cache_requests", StringComparison.Ordinal))
            .ToLookup(line => line.Contains("\"hit\"", StringComparison.Ordinal), Value);
        var (hits, misses) = (counts[true].Sum(), counts[false].Sum());
        return 100 * hits / Math.Max(1, hits + misses);

        static double Value(string line) =>
            double.Parse(line[(line.LastIndexOf('}') + 1)..].Trim().Split(' ')[0], CultureInfo.InvariantCulture);
    }
}
