using System.Text.Json.Nodes;

namespace LocalPlus.Cli;

/// <summary>
/// The merchant that `up` onboards once through the real API, so that a developer has a key to try things with, and a
/// card that everybody who asks for health looks up.
/// </summary>
internal sealed record Developer(string MerchantId, string ApiKey, string? CardCode = null)
{
    private const string RememberedFile = "developer.json";
    private const long CardValue = 2500;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    public static async Task<Developer> EnsureAsync(Checkout checkout, Ports ports, CancellationToken cancel)
    {
        var developer = Remembered(checkout);
        if (developer is null || !await WorksAsync(developer, ports, cancel))
        {
            developer = await OnboardAsync(checkout, ports, "Corner Shop", "shop@example.com", cancel);
        }

        developer = developer with { CardCode = developer.CardCode ?? await SellAsync(developer, ports, cancel) };
        checkout.Write(RememberedFile, developer);
        return developer;
    }

    public static Developer? Remembered(Checkout checkout) => checkout.Read<Developer>(RememberedFile);

    /// <summary>Onboards a merchant through the gateway with an administrator's token.</summary>
    public static async Task<Developer> OnboardAsync(
        Checkout checkout, Ports ports, string name, string email, CancellationToken cancel)
    {
        using var admin = new Rest(ports.GatewayUrl, Operators.Mint(checkout, "admin", "localplus"), Patience);
        var body = new JsonObject
        {
            ["name"] = name,
            ["country"] = "FR",
            ["currency"] = "EUR",
            ["contact_email"] = email,
            ["locale"] = "en",
        };
        var answer = await admin.PostAsync("/v1/merchants", body, Guid.NewGuid().ToString(), cancel);
        return answer is { Status: 201 } && answer.Text("id") is { } id && answer.Text("api_key.key") is { } key
            ? new Developer(id, key)
            : throw new CliFailure(
                ExitCodes.Failed, $"the merchant was not onboarded: {answer.Status} {answer.Body?.ToJsonString()}",
                "./localplus logs merchant");
    }

    private static async Task<string> SellAsync(Developer developer, Ports ports, CancellationToken cancel)
    {
        using var merchant = new Rest(ports.GatewayUrl, developer.ApiKey, Patience);
        var program = await merchant.PostAsync(
            "/v1/programs", new JsonObject { ["name"] = "Card to try", ["currency"] = "EUR" },
            Guid.NewGuid().ToString(), cancel);
        var terms = new JsonObject
        {
            ["program_id"] = program.Text("id"),
            ["amount"] = new JsonObject { ["amount"] = CardValue, ["currency"] = "EUR" },
        };
        var sold = await merchant.PostAsync("/v1/gift_cards", terms, Guid.NewGuid().ToString(), cancel);
        return sold.Text("code") ?? throw new CliFailure(
            ExitCodes.Failed, $"no card was sold: {sold.Status} {sold.Body?.ToJsonString()}",
            "./localplus logs giftcard");
    }

    /// <summary>The key may be gone: a new database, or revoked.</summary>
    private static async Task<bool> WorksAsync(Developer developer, Ports ports, CancellationToken cancel)
    {
        using var merchant = new Rest(ports.GatewayUrl, developer.ApiKey, Patience);
        return (await merchant.GetAsync("/v1/programs", cancel)).Status == 200;
    }
}
