using System.Globalization;
using System.Text.Json.Nodes;

namespace LocalPlus.Cli;

/// <summary>
/// A merchant's till and its operator, as the story uses them: each call is one call of the REST API.
/// </summary>
internal sealed class Shop(
    Checkout checkout,
    Ports ports,
    Developer merchant,
    TimeSpan patience,
    CancellationToken cancel
) : IDisposable
{
    private readonly DateTimeOffset _began = DateTimeOffset.UtcNow;
    private readonly Rest _till = new(ports.GatewayUrl, merchant.ApiKey, patience);
    private readonly Rest _operator = new(ports.GatewayUrl, Operators.Mint(checkout, "operator", "demo"), patience);

    /// <summary>How many calls had to be repeated because there was no answer or "busy".</summary>
    public int Repeats => _till.Repeats + _operator.Repeats;

    public static string NewKey() => Guid.NewGuid().ToString();

    public Task<RestAnswer> CreateProgramAsync(string name) =>
        _till.PostAsync("/v1/programs", new JsonObject { ["name"] = name, ["currency"] = "EUR" }, NewKey(), cancel);

    public Task<RestAnswer> SellAsync(string program, long amount, string email) =>
        _till.PostAsync(
            "/v1/gift_cards",
            new JsonObject
            {
                ["program_id"] = program,
                ["amount"] = Euro(amount),
                ["recipient"] = new JsonObject { ["email"] = email, ["name"] = "Ada" },
            },
            NewKey(),
            cancel
        );

    public Task<RestAnswer> WebhookAsync(string url) =>
        _till.PostAsync("/v1/webhook_endpoints", new JsonObject { ["url"] = url }, NewKey(), cancel);

    public Task<RestAnswer> DeliveriesAsync(string endpoint) =>
        _till.GetAsync($"/v1/webhook_endpoints/{endpoint}/deliveries", cancel);

    public Task<RestAnswer> LookUpAsync(string code) =>
        _till.PostAsync("/v1/gift_cards/lookup", new JsonObject { ["code"] = code }, NewKey(), cancel);

    public Task<RestAnswer> CardAsync(string card) => _till.GetAsync($"/v1/gift_cards/{card}", cancel);

    public Task<RestAnswer> ActivitiesAsync(string card) => _till.GetAsync($"/v1/gift_cards/{card}/activities", cancel);

    public Task<RestAnswer> HoldAsync(string code, long amount, string reference, string key) =>
        _till.PostAsync(
            "/v1/redemptions",
            new JsonObject
            {
                ["reference"] = reference,
                ["mode"] = "two_phase",
                ["amount"] = Euro(amount),
                ["sources"] = new JsonArray(new JsonObject { ["gift_card"] = new JsonObject { ["code"] = code } }),
            },
            key,
            cancel
        );

    public Task<RestAnswer> ConfirmAsync(string redemption) =>
        _till.PostAsync($"/v1/redemptions/{redemption}/confirm", null, NewKey(), cancel);

    public Task<RestAnswer> RedemptionAsync(string redemption) =>
        _till.GetAsync($"/v1/redemptions/{redemption}", cancel);

    public Task<RestAnswer> RefundAsync(string redemption, long amount) =>
        _till.PostAsync(
            $"/v1/redemptions/{redemption}/refunds",
            new JsonObject { ["amount"] = Euro(amount) },
            NewKey(),
            cancel
        );

    /// <summary>Any question of the till's.</summary>
    public Task<RestAnswer> AskAsync(string path, JsonObject body) => _till.PostAsync(path, body, NewKey(), cancel);

    public Task<RestAnswer> UploadAsync(string path, string csv) => _till.UploadAsync(path, csv, "text/csv", cancel);

    public Task<RestAnswer> ReadAsync(string path) => _till.GetAsync(path, cancel);

    public Task<RestAnswer> RunAsync(string redemption) => _operator.GetAsync($"/ops/v1/runs/{redemption}", cancel);

    /// <summary>This merchant's runs, as an operator lists them.</summary>
    public Task<RestAnswer> RunsAsync(string filter) =>
        _operator.GetAsync($"/ops/v1/runs?merchant_id={merchant.MerchantId}&{filter}", cancel);

    /// <summary>An operator does something to a run, and says why.</summary>
    public Task<RestAnswer> OperateAsync(string redemption, string verb, string reason) =>
        _operator.PostAsync(
            $"/ops/v1/runs/{redemption}/{verb}",
            new JsonObject { ["reason"] = reason },
            NewKey(),
            cancel
        );

    /// <summary>The ledger's own proof over all of its books.</summary>
    public Task<RestAnswer> ProofAsync() => _operator.GetAsync("/ops/v1/ledger/proof", cancel);

    /// <summary>The merchant's figures since the story began, which may have been yesterday.</summary>
    public Task<RestAnswer> FiguresAsync() =>
        _till.GetAsync(
            string.Create(
                CultureInfo.InvariantCulture,
                $"/v1/reports/daily?from={_began:yyyy-MM-dd}&to={DateTimeOffset.UtcNow:yyyy-MM-dd}"
            ),
            cancel
        );

    /// <summary>One figure of that report, summed over its days, e.g. "redeemed.amount.amount".</summary>
    public static long Sum(RestAnswer figures, string figure) =>
        Enumerable
            .Range(0, figures.At("data")?.AsArray().Count ?? 0)
            .Sum(day => figures.Number($"data.{day}.{figure}") ?? 0);

    public void Dispose()
    {
        _till.Dispose();
        _operator.Dispose();
    }

    private static JsonObject Euro(long amount) => new() { ["amount"] = amount, ["currency"] = "EUR" };
}
