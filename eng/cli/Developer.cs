using System.Text.Json.Nodes;

namespace LocalPlus.Cli;

/// <summary>
/// The merchant that `up` onboards once through the real API, so that a developer has a key to try things with, and a
/// card that everybody who asks for health looks up.
/// </summary>
internal sealed record Developer(
    string MerchantId,
    string ApiKey,
    string? CardCode = null,
    string? ProgramId = null,
    bool HasTeam = false
)
{
    /// <summary>Who works there; the local provider of identities knows them by these names.</summary>
    private static readonly (string Name, string Role, string Subject)[] Team =
    [
        ("Olga Owner", "owner", "olga"),
        ("Mara Manager", "manager", "mara"),
        ("Carl Cashier", "cashier", "carl"),
        ("Anna Accountant", "accountant", "anna"),
    ];

    private const string RememberedFile = "developer.json";
    private const long CardValue = 2500;
    private const int Onboardings = 5;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    public static async Task<Developer> EnsureAsync(Checkout checkout, Ports ports, CancellationToken cancel)
    {
        var developer = await EnsureKeyAsync(checkout, ports, cancel);
        if (developer is not { CardCode: not null, ProgramId: not null })
        {
            developer = await SellAsync(developer, ports, cancel);
        }

        if (!developer.HasTeam)
        {
            await AddTeamAsync(checkout, developer.MerchantId, ports, cancel);
            developer = developer with { HasTeam = true };
        }

        checkout.Write(RememberedFile, developer);
        return developer;
    }

    /// <summary>
    /// Whose key works, and nothing else: enough for a bench, which may measure a stack of long ago that knows neither
    /// teams nor anything that came later.
    /// </summary>
    public static async Task<Developer> EnsureKeyAsync(Checkout checkout, Ports ports, CancellationToken cancel) =>
        Remembered(checkout) is { } developer && await WorksAsync(developer, ports, cancel)
            ? developer
            : await OnboardAsync(checkout, ports, "Corner Shop", "shop@example.com", cancel);

    public static Developer? Remembered(Checkout checkout) => checkout.Read<Developer>(RememberedFile);

    /// <summary>
    /// Onboards a merchant through the gateway with an administrator's token. A key is shown once: when the answer that
    /// had it got lost on a busy machine, the merchant behind it is of no use, and another one is onboarded.
    /// </summary>
    public static async Task<Developer> OnboardAsync(
        Checkout checkout,
        Ports ports,
        string name,
        string email,
        CancellationToken cancel
    )
    {
        using var admin = new Rest(ports.GatewayUrl, Operators.Mint(checkout, "admin", "localplus"), Patience);
        var body = new JsonObject
        {
            ["name"] = name,
            ["country"] = "FR",
            ["currency"] = "EUR",
            ["contact_email"] = email,
            ["locale"] = "en",
            ["bookkeeping"] = true,
        };
        RestAnswer answer;
        var tries = 0;
        do
        {
            answer = await admin.PostAsync("/v1/merchants", body, Guid.NewGuid().ToString(), cancel);
            if (answer.Status == 201 && answer.Text("id") is { } id && answer.Text("api_key.key") is { } key)
            {
                return new Developer(id, key);
            }
        } while (answer.Replayed && ++tries < Onboardings);

        throw new CliFailure(
            ExitCodes.Failed,
            $"the merchant was not onboarded: {answer.Status} {answer.Body?.ToJsonString()}",
            "./localplus logs merchant"
        );
    }

    /// <summary>What a sale of a card of this program says.</summary>
    public static JsonObject Terms(string? programId, long cents) =>
        new()
        {
            ["program_id"] = programId,
            ["amount"] = new JsonObject { ["amount"] = cents, ["currency"] = "EUR" },
        };

    private static async Task<Developer> SellAsync(Developer developer, Ports ports, CancellationToken cancel)
    {
        using var merchant = new Rest(ports.GatewayUrl, developer.ApiKey, Patience);
        var program = await merchant.PostAsync(
            "/v1/programs",
            new JsonObject { ["name"] = "Card to try", ["currency"] = "EUR" },
            Guid.NewGuid().ToString(),
            cancel
        );
        var terms = Terms(program.Text("id"), CardValue);
        var sold = await merchant.PostAsync("/v1/gift_cards", terms, Guid.NewGuid().ToString(), cancel);
        return sold.Text("code") is { } code
            ? developer with
            {
                CardCode = code,
                ProgramId = program.Text("id"),
            }
            : throw new CliFailure(
                ExitCodes.Failed,
                $"no card was sold: {sold.Status} {sold.Body?.ToJsonString()}",
                "./localplus logs giftcard"
            );
    }

    /// <summary>So that the portal and the till have somebody who may use them.</summary>
    private static async Task AddTeamAsync(Checkout checkout, string merchant, Ports ports, CancellationToken cancel)
    {
        using var admin = new Rest(ports.GatewayUrl, Operators.Mint(checkout, "admin", "localplus"), Patience);
        foreach (var (name, role, subject) in Team)
        {
            var answer = await admin.PostAsync(
                $"/ops/v1/merchants/{merchant}/team_members",
                new JsonObject
                {
                    ["name"] = name,
                    ["role"] = role,
                    ["subject"] = subject,
                },
                Guid.NewGuid().ToString(),
                cancel
            );
            // Somebody who is in the team already, from a start that was broken off, is as good.
            if (answer.Status != 201 && answer.Text("code") != "team_member_exists")
            {
                throw new CliFailure(
                    ExitCodes.Failed,
                    $"{name} was not added to the team: {answer.Status} {answer.Body?.ToJsonString()}",
                    "./localplus logs merchant"
                );
            }
        }
    }

    /// <summary>The key may be gone: a new database, or revoked.</summary>
    private static async Task<bool> WorksAsync(Developer developer, Ports ports, CancellationToken cancel)
    {
        using var merchant = new Rest(ports.GatewayUrl, developer.ApiKey, Patience);
        return (await merchant.GetAsync("/v1/programs", cancel)).Status == 200;
    }
}
