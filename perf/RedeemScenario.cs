using System.Globalization;
using System.Text.Json.Nodes;

namespace LocalPlus.Perf;

/// <summary>
/// Immediate redemptions of 0.01 EUR through the gateway, spread evenly over many cards. Afterwards every card must have
/// lost exactly what its accepted redemptions took.
/// </summary>
internal static class RedeemScenario
{
    private const int Cards = 200;
    private const long Value = 1_000_000;
    private const int SetUpInParallel = 8;

    public static async Task<BenchResult> RunAsync(BenchOptions options, CancellationToken cancel)
    {
        using var api = new Api(Api.Setting("LP_GATEWAY"), Api.Setting("LP_API_KEY"), options.Clients);
        var cards = await SellAsync(api, cancel);
        var accepted = new long[Cards];
        var unknown = 0L;

        async Task<string?> RedeemAsync(int client, long number, CancellationToken end)
        {
            var card = (int)(number % Cards);
            var key = Guid.NewGuid().ToString("N");
            var body = string.Create(
                CultureInfo.InvariantCulture,
                $$$"""{"reference":"bench-{{{key}}}","mode":"immediate","amount":{"amount":1,"currency":"EUR"},"sources":[{"gift_card":{"code":"{{{cards[card].Code}}}"}}]}""");
            try
            {
                var (status, text) = await api.PostAsync("/v1/redemptions", body, key, end);
                if (status == 201)
                {
                    Interlocked.Increment(ref accepted[card]);
                    return null;
                }

                if (status >= 500)
                {
                    Interlocked.Increment(ref unknown);
                }

                return Api.Failure(status, text);
            }
            catch (HttpRequestException e)
            {
                Interlocked.Increment(ref unknown);
                return e.HttpRequestError.ToString();
            }
        }

        await LoadRunner.SendAsync(options with { For = options.WarmUp }, RedeemAsync, cancel);
        var costs = ProcessCosts.Start();
        var load = await LoadRunner.SendAsync(options, RedeemAsync, cancel);
        var wrong = await WrongAsync(api, cards, accepted, cancel);
        var result = new BenchResult.Builder("redeem");
        result.Load("redeem", load);
        foreach (var (process, milliseconds) in costs.Per(load.Succeeded))
        {
            result.Figure($"cpu_ms_{process}", milliseconds);
        }

        result.Require(wrong <= unknown);
        result.Note("books", wrong == 0 ? $"{Cards} cards lost exactly what was taken" : $"{wrong} cards differ, {unknown} outcomes unknown");
        return result.Build();
    }

    private static async Task<(string Id, string Code)[]> SellAsync(Api api, CancellationToken cancel)
    {
        var program = await api.MustPostAsync("/v1/programs", new JsonObject { ["name"] = "Bench", ["currency"] = "EUR" }, cancel);
        var cards = new (string Id, string Code)[Cards];
        await Parallel.ForEachAsync(
            Enumerable.Range(0, Cards),
            new ParallelOptions { MaxDegreeOfParallelism = SetUpInParallel, CancellationToken = cancel },
            async (i, token) =>
            {
                var card = await api.MustPostAsync(
                    "/v1/gift_cards",
                    new JsonObject
                    {
                        ["program_id"] = (string)program["id"]!,
                        ["amount"] = new JsonObject { ["amount"] = Value, ["currency"] = "EUR" },
                    },
                    token);
                cards[i] = ((string)card["id"]!, (string)card["code"]!);
            });
        return cards;
    }

    /// <summary>How many cards' balances are not their value less the accepted redemptions.</summary>
    private static async Task<int> WrongAsync(Api api, (string Id, string Code)[] cards, long[] accepted, CancellationToken cancel)
    {
        var wrong = 0;
        for (var i = 0; i < cards.Length; i++)
        {
            var card = await api.MustGetAsync($"/v1/gift_cards/{cards[i].Id}", cancel);
            wrong += (long)card["balance"]!["amount"]! == Value - accepted[i] ? 0 : 1;
        }

        return wrong;
    }
}
