using System.Globalization;
using System.Text.Json.Nodes;

namespace LocalPlus.Perf;

/// <summary>
/// Transfers of 1 minor unit between 1,000 accounts over REST, through the gateway, with idempotency and outbox. Afterwards
/// the accounts must add up to what they started with: nothing.
/// </summary>
internal static class TransferScenario
{
    private const int Accounts = 1000;
    private const int SetUpInParallel = 8;

    public static async Task<BenchResult> RunAsync(BenchOptions options, CancellationToken cancel)
    {
        using var api = new Api(Api.Setting("LP_GATEWAY"), Api.Setting("LP_API_KEY"), options.Clients);
        var accounts = new string[Accounts];
        await Parallel.ForEachAsync(
            Enumerable.Range(0, Accounts),
            new ParallelOptions { MaxDegreeOfParallelism = SetUpInParallel, CancellationToken = cancel },
            async (i, token) => accounts[i] = (string)(await api.MustPostAsync(
                "/v1/accounts",
                new JsonObject { ["name"] = $"bench-{Guid.NewGuid():n}", ["asset"] = "EUR", ["unbounded"] = true },
                token))["id"]!);

        async Task<string?> TransferAsync(int client, long number, CancellationToken end)
        {
            var key = Guid.NewGuid().ToString("N");
            var source = Random.Shared.Next(Accounts);
            var destination = (source + 1 + Random.Shared.Next(Accounts - 1)) % Accounts;
            var body = string.Create(
                CultureInfo.InvariantCulture,
                $$$"""{"reference":"bench-{{{key}}}","kind":"bench","postings":[{"source":"{{{accounts[source]}}}","destination":"{{{accounts[destination]}}}","amount":1}]}""");
            try
            {
                var (status, text) = await api.PostAsync("/v1/transactions", body, key, end);
                return status == 201 ? null : Api.Failure(status, text);
            }
            catch (HttpRequestException e)
            {
                return e.HttpRequestError.ToString();
            }
        }

        var load = await LoadRunner.RunAsync(options, TransferAsync, cancel);
        var yardstick = await Pgbench.RunAsync(options.Clients, options.For, cancel);
        var sum = 0L;
        foreach (var account in accounts)
        {
            sum += (long)(await api.MustGetAsync($"/v1/accounts/{account}", cancel))["posted"]!;
        }

        var notes = new Dictionary<string, string> { ["books"] = $"{Accounts} accounts sum to {sum}" };
        return BenchResult.Of("transfer", options, load, Pgbench.Name, yardstick, sum == 0, notes);
    }
}
