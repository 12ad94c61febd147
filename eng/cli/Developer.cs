using System.Text.Json.Nodes;

namespace LocalPlus.Cli;

/// <summary>The merchant that `up` onboards once through the real API, so that a developer has a key to try things with.</summary>
internal sealed record Developer(string MerchantId, string ApiKey)
{
    private const string RememberedFile = "developer.json";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    public static async Task<Developer> EnsureAsync(Checkout checkout, Ports ports, CancellationToken cancel)
    {
        if (checkout.Read<Developer>(RememberedFile) is { } remembered && await WorksAsync(remembered, ports, cancel))
        {
            return remembered;
        }

        var fresh = await OnboardAsync(checkout, ports, "Corner Shop", "shop@example.com", cancel);
        checkout.Write(RememberedFile, fresh);
        return fresh;
    }

    /// <summary>Onboards a merchant through the gateway with an administrator's token.</summary>
    public static async Task<Developer> OnboardAsync(Checkout checkout, Ports ports, string name, string email, CancellationToken cancel)
    {
        using var admin = new Rest(ports.GatewayUrl, Operators.Mint(checkout, "admin", "localplus"), Patience);
        var body = new JsonObject { ["name"] = name, ["country"] = "FR", ["currency"] = "EUR", ["contact_email"] = email, ["locale"] = "en" };
        var answer = await admin.PostAsync("/v1/merchants", body, Guid.NewGuid().ToString(), cancel);
        return answer is { Status: 201 } && answer.Text("id") is { } id && answer.Text("api_key.key") is { } key
            ? new Developer(id, key)
            : throw new CliFailure(
                ExitCodes.Failed, $"the merchant was not onboarded: {answer.Status} {answer.Body?.ToJsonString()}", "./localplus logs merchant");
    }

    /// <summary>The key may be gone: a new database, or revoked.</summary>
    private static async Task<bool> WorksAsync(Developer developer, Ports ports, CancellationToken cancel)
    {
        using var merchant = new Rest(ports.GatewayUrl, developer.ApiKey, Patience);
        return (await merchant.GetAsync("/v1/programs", cancel)).Status == 200;
    }
}
