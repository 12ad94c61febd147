using System.Text.Json.Nodes;

namespace LocalPlus.Perf.GiftCards;

/// <summary>
/// A merchant that a bench onboarded as the operators do: new, so that nobody's cards and reports are touched.
/// </summary>
internal sealed record BenchMerchant(MerchantId Id, string ApiKey, Api Api) : IDisposable
{
    private const int Connections = 8;

    /// <param name="bookkeeping">Its key may write to the ledger, too.</param>
    public static async Task<BenchMerchant> OnboardAsync(CancellationToken cancel, bool bookkeeping = false)
    {
        using var operators = new Api(Api.Setting("LP_GATEWAY"), Api.Setting("LP_OPERATOR_TOKEN"), 1);
        var merchant = await operators.MustPostAsync(
            "/v1/merchants",
            new JsonObject
            {
                ["name"] = "Bench",
                ["country"] = "FR",
                ["currency"] = "EUR",
                ["contact_email"] = "bench@example.com",
                ["bookkeeping"] = bookkeeping,
            },
            cancel
        );
        var key = (string)merchant["api_key"]!["key"]!;
        return new(
            MerchantId.Parse((string)merchant["id"]!),
            key,
            new Api(Api.Setting("LP_GATEWAY"), key, Connections)
        );
    }

    public void Dispose() => Api.Dispose();
}
