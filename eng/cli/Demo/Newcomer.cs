using System.Text.Json.Nodes;

namespace LocalPlus.Cli;

/// <summary>Another merchant, whom nobody knows yet: reviewed, let in, stopped and let go on.</summary>
internal sealed class Newcomer(
    Checkout checkout,
    Ports ports,
    Narrator narrator,
    TimeSpan patience,
    CancellationToken cancel
)
{
    /// <summary>What an operator decides is known to every till within five seconds.</summary>
    private static readonly TimeSpan Known = TimeSpan.FromSeconds(15);

    public async Task TellAsync()
    {
        Narrator.Chapter("A newcomer is reviewed, let in and stopped");
        using var admin = new Rest(ports.GatewayUrl, Operators.Mint(checkout, "admin", "demo"), patience);
        var draft = await admin.PostAsync(
            "/v1/merchants",
            new JsonObject
            {
                ["name"] = "Newcomer",
                ["country"] = "FR",
                ["currency"] = "EUR",
                ["contact_email"] = "newcomer@example.com",
                ["status"] = "draft",
            },
            Shop.NewKey(),
            cancel
        );
        Narrator.Show("POST /v1/merchants", draft, "id", "status");
        narrator.Check(draft.Text("status") == "draft", "the merchant begins as a draft", draft);
        var (id, key) = (draft.Text("id")!, draft.Text("api_key.key")!);

        using var till = new Rest(ports.GatewayUrl, key, patience);
        var early = await ProgramAsync(till);
        narrator.Check(early.Code == "merchant_not_active", "a draft sells nothing", early);
        var submitted = await till.PostAsync("/v1/merchants/me/submit", null, Shop.NewKey(), cancel);
        narrator.Check(submitted.Text("status") == "review", "it asks to be reviewed", submitted);

        await DecideAsync(admin, id, "approve", "papers seen");
        await SeenAsync(till, answer => answer.Status == 201, "approved, it makes its first programme");
        await DecideAsync(admin, id, "suspend", "complaints of customers");
        await SeenAsync(till, answer => answer.Code == "merchant_suspended", "suspended, its tills are refused");
        await DecideAsync(admin, id, "resume", "settled");
        await SeenAsync(till, answer => answer.Status == 201, "resumed, it goes on");
        var versions = await till.GetAsync($"/v1/merchants/{id}/versions", cancel);
        Narrator.Show($"GET /v1/merchants/{id}/versions", versions, "data.0.action", "data.1.action", "data.1.reason");
        narrator.Check(
            versions.At("data")?.AsArray().Count == 5,
            "each step is a version, with who took it and why",
            versions
        );
    }

    private async Task DecideAsync(Rest admin, string id, string verb, string reason)
    {
        var body = new JsonObject { ["reason"] = reason };
        var answer = await admin.PostAsync($"/ops/v1/merchants/{id}/{verb}", body, Shop.NewKey(), cancel);
        Narrator.Show($"POST /ops/v1/merchants/{id}/{verb}", answer, "status", "status_reason");
    }

    private Task<RestAnswer> SeenAsync(Rest till, Func<RestAnswer, bool> holds, string what) =>
        narrator.EventuallyAsync(() => ProgramAsync(till), holds, what, Known, cancel);

    private Task<RestAnswer> ProgramAsync(Rest till) =>
        till.PostAsync(
            "/v1/programs",
            new JsonObject { ["name"] = "Newcomer card", ["currency"] = "EUR" },
            Shop.NewKey(),
            cancel
        );
}
