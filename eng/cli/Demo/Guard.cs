using System.Text.Json.Nodes;

namespace LocalPlus.Cli;

/// <summary>A merchant that is careful: how often its cards redeem is limited, and its keys are changed.</summary>
internal sealed class Guard(
    Checkout checkout,
    Ports ports,
    Narrator narrator,
    TimeSpan patience,
    CancellationToken cancel
)
{
    private const int Value = 5000;
    private const int Paid = 500;

    /// <summary>A key that is revoked is refused everywhere within five seconds.</summary>
    private static readonly TimeSpan Known = TimeSpan.FromSeconds(15);

    public async Task TellAsync()
    {
        Narrator.Chapter("A limit is hit, and a key is rotated and revoked");
        var (owner, version) = await OnboardAsync();
        using var office = new Rest(ports.GatewayUrl, owner, patience);
        await LimitAsync(office, version);
        await RedeemAsync(office);
        await RotateAsync(office);
    }

    private async Task<(string Key, long Version)> OnboardAsync()
    {
        using var admin = new Rest(ports.GatewayUrl, Operators.Mint(checkout, "admin", "demo"), patience);
        var merchant = await admin.PostAsync(
            "/v1/merchants",
            new JsonObject
            {
                ["name"] = "Careful",
                ["country"] = "FR",
                ["currency"] = "EUR",
                ["contact_email"] = "careful@example.com",
            },
            Shop.NewKey(),
            cancel
        );
        narrator.Check(merchant.Status == 201, "another merchant is onboarded", merchant);
        return (merchant.Text("api_key.key")!, merchant.Number("version") ?? 1);
    }

    private async Task LimitAsync(Rest office, long version)
    {
        var limits = await office.GetAsync("/v1/merchants/me/limits", cancel);
        Narrator.Show("GET /v1/merchants/me/limits", limits, "data.1.name", "data.1.quota", "data.1.window_seconds");
        var told = limits.Headers?.TryGetValues("RateLimit", out var left) == true ? string.Join(", ", left) : "";
        Narrator.Tell($"  RateLimit: {told}");
        narrator.Check(
            told.Contains("\"merchant\";r=", StringComparison.Ordinal),
            "how often it may ask is listed, and every answer says what is left of it",
            limits
        );

        var changed = await office.PatchAsync(
            "/v1/merchants/me",
            new JsonObject
            {
                ["settings"] = new JsonObject
                {
                    ["velocity_limits"] = new JsonArray(
                        new JsonObject
                        {
                            ["per"] = "card",
                            ["within"] = "day",
                            ["count"] = 1,
                        }
                    ),
                },
            },
            version,
            cancel
        );
        Narrator.Show("PATCH /v1/merchants/me", changed, "settings");
        narrator.Check(changed.Status == 200, "it wants each card to pay once a day at most", changed);
    }

    private async Task RedeemAsync(Rest office)
    {
        using var till = new Rest(ports.GatewayUrl, (await NewKeyAsync(office)).Key, patience);
        var program = await till.PostAsync(
            "/v1/programs",
            new JsonObject { ["name"] = "Careful card", ["currency"] = "EUR" },
            Shop.NewKey(),
            cancel
        );
        var card = await till.PostAsync(
            "/v1/gift_cards",
            new JsonObject { ["program_id"] = program.Text("id"), ["amount"] = Euro(Value) },
            Shop.NewKey(),
            cancel
        );
        narrator.Check(card.Status == 201, "it sells a card", card);
        var first = await PayAsync(till, card.Text("code")!);
        narrator.Check(first.Text("state") == "completed", "the card pays", first);
        var second = await PayAsync(till, card.Text("code")!);
        Narrator.Show("POST /v1/redemptions again", second, "code", "detail", "per", "within", "retry_after_seconds");
        narrator.Check(
            second is { Status: 429, Code: "velocity_limit" } && second.Number("retry_after_seconds") > 0,
            "a second time it is refused, with the limit that it was and when it begins anew",
            second
        );
    }

    private async Task RotateAsync(Rest office)
    {
        var old = await NewKeyAsync(office);
        using var before = new Rest(ports.GatewayUrl, old.Key, patience);
        var rotated = await office.PostAsync(
            $"/v1/api_keys/{old.Id}/rotate",
            new JsonObject { ["overlap_seconds"] = 600 },
            Shop.NewKey(),
            cancel
        );
        Narrator.Show($"POST /v1/api_keys/{old.Id}/rotate", rotated, "id", "scopes");
        using var after = new Rest(ports.GatewayUrl, rotated.Text("key")!, patience);
        var (with, without) = (await ReadAsync(after), await ReadAsync(before));
        narrator.Check(
            (with.Status, without.Status) == (200, 200),
            "a key is rotated: its successor works, and for ten minutes it does too",
            without
        );

        var revoked = await office.DeleteAsync($"/v1/api_keys/{old.Id}", cancel);
        narrator.Check(revoked.Status == 204, "it is revoked, as it got lost", revoked);
        await narrator.EventuallyAsync(
            () => ReadAsync(before),
            answer => answer is { Status: 401, Code: "unauthenticated" },
            "within seconds nobody takes it any more",
            Known,
            cancel
        );
        var goes = await ReadAsync(after);
        narrator.Check(goes.Status == 200, "and its successor goes on", goes);
    }

    /// <summary>A key of a till; one that nobody has seen yet comes with today's settings.</summary>
    private async Task<(string Id, string Key)> NewKeyAsync(Rest office)
    {
        var made = await office.PostAsync(
            "/v1/api_keys",
            new JsonObject
            {
                ["name"] = "Till",
                ["scopes"] = new JsonArray(
                    "programs:read",
                    "programs:write",
                    "gift_cards:read",
                    "gift_cards:write",
                    "redemptions:write"
                ),
            },
            Shop.NewKey(),
            cancel
        );
        narrator.Check(made.Status == 201, "a till gets a key of its own", made);
        return (made.Text("id")!, made.Text("key")!);
    }

    private Task<RestAnswer> ReadAsync(Rest till) => till.GetAsync("/v1/gift_cards?limit=1", cancel);

    private Task<RestAnswer> PayAsync(Rest till, string code) =>
        till.PostAsync(
            "/v1/redemptions",
            new JsonObject
            {
                ["mode"] = "immediate",
                ["amount"] = Euro(Paid),
                ["sources"] = new JsonArray(new JsonObject { ["gift_card"] = new JsonObject { ["code"] = code } }),
            },
            Shop.NewKey(),
            cancel
        );

    private static JsonObject Euro(long amount) => new() { ["amount"] = amount, ["currency"] = "EUR" };
}
