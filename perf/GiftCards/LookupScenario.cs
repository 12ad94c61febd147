namespace LocalPlus.Perf.GiftCards;

/// <summary>
/// Balances by code at a fixed rate, as tills ask for them, over the cards of many merchants. The yardstick is the same
/// card read by its id: the same gateway, key, service and ledger, so what differs is the finding of a card by a secret
/// code.
/// </summary>
internal static class LookupScenario
{
    private const double DefaultRate = 1500;
    private static readonly TimeSpan Target = TimeSpan.FromMilliseconds(20);

    private delegate WireRequest Question(long number);

    public static async Task<BenchResult> RunAsync(BenchOptions options, CancellationToken cancel)
    {
        var result = new BenchResult.Builder("lookup");
        using var cards = await BenchCards.SellSpreadAsync(cancel);
        WireRequest Lookup(long number) =>
            new(
                "POST",
                "/v1/gift_cards/lookup",
                cards.For(number).Merchant.ApiKey,
                $$"""{"code":"{{cards.For(number).Code}}"}"""
            );
        WireRequest Read(long number) =>
            new("GET", $"/v1/gift_cards/{cards.For(number).Id}", cards.For(number).Merchant.ApiKey);

        await SendAsync(options.ToWarmUp().Closed(), Lookup, cancel);
        await SendAsync(options.ToWarmUp().Closed(), Read, cancel);
        var due = options with { Rate = options.Rate ?? DefaultRate };
        var costs = ProcessCosts.Start();
        var lookups = await SendAsync(due, Lookup, cancel);
        var spent = costs.Per(lookups.Succeeded).ToArray();
        var reads = await SendAsync(due.Briefly(), Read, cancel);
        var mostLookups = await SendAsync(options.Briefly().Closed(), Lookup, cancel);
        var mostReads = await SendAsync(options.Briefly().Closed(), Read, cancel);

        var p99 = lookups.Latency.Percentile(0.99);
        result.Load("lookup", lookups);
        result.Load("read", reads);
        result.Load("closed_lookup", mostLookups);
        result.Load("closed_read", mostReads);
        result.Costs(spent);
        result.Ratio(
            "lookup_p50_to_read",
            lookups.Latency.Percentile(0.5).TotalMilliseconds,
            reads.Latency.Percentile(0.5).TotalMilliseconds
        );
        result.Ratio("lookup_p99_to_read", p99.TotalMilliseconds, reads.Latency.Percentile(0.99).TotalMilliseconds);
        result.Ratio("closed_lookup_to_read", mostLookups.PerSecond, mostReads.PerSecond);
        result.Note(
            "target",
            $"p99 under {Target.TotalMilliseconds:0} ms at {due.Rate:0} requests/s: {(p99 < Target ? "met" : "missed")}"
        );
        result.Note("yardstick", "GET of the same card by its id: what is left over is the finding by code");
        result.Note(
            "conditions",
            $"generator, stack and PostgreSQL share {Environment.ProcessorCount} processors; "
                + $"{options.Clients} clients; {BenchCards.Count} cards of {BenchCards.SpreadOver} merchants; "
                + $"{options.For.TotalSeconds:0} s, {options.Briefly().For.TotalSeconds:0} s for the others"
        );
        return result.Build();
    }

    private static async Task<Load> SendAsync(BenchOptions options, Question ask, CancellationToken cancel)
    {
        using var wires = new HttpWires(Api.Setting("LP_GATEWAY"), options.Clients);
        return await LoadRunner.SendAsync(
            options,
            async (client, number, end) => (await wires[client].SendAsync(ask(number), end)).FailureUnless(200),
            cancel
        );
    }
}
