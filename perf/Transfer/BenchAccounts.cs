using System.Text.Json.Nodes;

namespace LocalPlus.Perf.Transfer;

/// <summary>
/// The accounts that a bench moves money between; one more is striped, for a merchant that everybody pays.
/// </summary>
/// <param name="Ids">The plain ones, by index.</param>
/// <param name="Striped">What <see cref="At"/> gives for the index after the last.</param>
internal sealed record BenchAccounts(string[] Ids, string Striped)
{
    private const int InParallel = 16;

    public string At(int index) => index == Ids.Length ? Striped : Ids[index];

    public static async Task<BenchAccounts> OpenAsync(string address, int count, CancellationToken cancel) =>
        await OpenAsync(address, Api.Setting("LP_API_KEY"), count, cancel);

    /// <summary>Those of whoever's key it is.</summary>
    public static async Task<BenchAccounts> OpenAsync(
        string address,
        string apiKey,
        int count,
        CancellationToken cancel
    )
    {
        using var api = new Api(address, apiKey, InParallel);
        var ids = new string[count];
        await Parallel.ForEachAsync(
            Enumerable.Range(0, count),
            new ParallelOptions { MaxDegreeOfParallelism = InParallel, CancellationToken = cancel },
            async (i, token) =>
                ids[i] = (string)
                    (
                        await api.MustPostAsync(
                            "/v1/accounts",
                            new JsonObject
                            {
                                ["name"] = $"bench-{i}",
                                ["asset"] = "EUR",
                                ["unbounded"] = true,
                            },
                            token
                        )
                    )["id"]!
        );
        var striped = await api.MustPostAsync(
            "/v1/accounts",
            new JsonObject
            {
                ["name"] = "bench-hot",
                ["asset"] = "EUR",
                ["striped"] = true,
            },
            cancel
        );
        return new BenchAccounts(ids, (string)striped["id"]!);
    }
}
