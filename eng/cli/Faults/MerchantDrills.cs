using System.Text.Json.Nodes;

namespace LocalPlus.Cli;

/// <summary>Somebody's decision is what stops a till.</summary>
internal static class MerchantDrills
{
    private const long Value = 5000;
    private const long Price = 1200;

    public static readonly IReadOnlyList<FaultDrill> All =
    [
        new(
            "shop-suspended",
            "a shop is suspended between hold and confirm",
            "`merchants show`: suspended, since when, by whose reason; the run's page: what is held until "
                + "when. The till: "
                + "`merchant_suspended`.",
            "What is held can be confirmed all the same. Settled, an operator lets it go on (`merchants resume`).",
            SuspendedAsync
        ),
        new(
            "limit-reached",
            "a card is refused, as its shop wants each to pay once a day at most",
            "The shop's requests: which key was refused when, with `velocity_limit`. The till: which limit, "
                + "and when it begins anew.",
            "Wait for the next day; or the shop raises its limit.",
            LimitAsync
        ),
        new(
            "programme-closed",
            "somebody closes a programme while its cards are sold",
            "The shop's programmes: closed. The till that sells: `program_state`. Cards that are sold stay good.",
            "The shop opens it again.",
            ClosedAsync
        ),
    ];

    private static async Task SuspendedAsync(FaultScene scene)
    {
        var (merchant, _) = await scene.OnboardAsync("Suspended for a drill");
        await using var shop = scene.For(merchant);
        var card = await shop.SellAsync(Value, await ProgramAsync(shop));
        var id = await shop.HoldAsync(card, Price);
        await scene.OperateAsync("operator", "complaints of customers", "merchants", "suspend", merchant.MerchantId);
        await scene.UntilAsync(
            "its tills are refused, and are told why",
            () => MakeProgramAsync(shop, "Another"),
            answer => answer.Code == "merchant_suspended"
        );
        await scene.PrintsAsync(
            ["merchants", "show", merchant.MerchantId, "--role", "viewer"],
            "it is suspended, and why",
            text =>
                text.Contains("suspended", StringComparison.Ordinal)
                && text.Contains("complaints of customers", StringComparison.Ordinal)
        );
        await scene.ReadsAsync($"/console/runs/{id}", "12.00 EUR are held until", "the till has not confirmed");
        await shop.ConfirmAsync(id);
        await shop.ChargedOnceAsync(card, id, Value - Price);
        await scene.OperateAsync("operator", "settled", "merchants", "resume", merchant.MerchantId);
        await scene.UntilAsync(
            "its tills are served again",
            () => MakeProgramAsync(shop, "Another"),
            answer => answer.Status == 201
        );
    }

    private static async Task LimitAsync(FaultScene scene)
    {
        var (merchant, version) = await scene.OnboardAsync("Careful for a drill");
        await using var shop = scene.For(merchant);
        await LimitToAsync(shop, version, 1);
        var card = await shop.SellAsync(Value, await ProgramAsync(shop));
        var order = await PaidAsync(shop, card);
        scene.Narrator.Check(order.Text("state") == "completed", "the card pays once", order);
        var refused = await scene.UntilAsync(
            "and is refused then, with the limit that it was and when it begins anew",
            () => PaidAsync(shop, card),
            answer => answer is { Status: 429, Code: "velocity_limit" } && answer.Number("retry_after_seconds") > 0
        );
        await scene.UntilAsync(
            "the shop's requests say which key was refused, and with what",
            () => shop.ReadAsync("/v1/requests?status=429"),
            requests =>
                requests.Text("data.0.code") == "velocity_limit" && requests.Text("data.0.credential") is not null
        );
        var before = (await shop.ReadAsync($"/v1/gift_cards/{card.Id}")).Number("balance.amount");
        var now = await shop.ReadAsync("/v1/merchants/me");
        await LimitToAsync(shop, long.Parse(now.Headers!.ETag!.Tag.Trim('"'), null), 100);
        await scene.UntilAsync(
            "raised, the card pays again",
            () => PaidAsync(shop, card),
            answer => answer.Text("state") == "completed"
        );
        await scene.UntilAsync(
            "each that was answered was charged once, and what was refused was not",
            () => shop.ReadAsync($"/v1/gift_cards/{card.Id}"),
            answer => answer.Number("balance.amount") == before - Price
        );
        scene.Narrator.Check(refused.Text("per") == "card", "the limit was that of a card", refused);
        await scene.BalancedAsync();
    }

    private static async Task ClosedAsync(FaultScene scene)
    {
        var program = await ProgramAsync(scene, "Closed by mistake");
        var card = await scene.SellAsync(Value, program);
        await scene.BreakAsync(
            "the programme is closed",
            () => ChangeAsync(scene, program, "closed"),
            () => ChangeAsync(scene, program, "active")
        );
        var refused = await scene.AskAsync("/v1/gift_cards", Developer.Terms(program, Value));
        scene.Narrator.Check(refused is { Status: 409, Code: "program_state" }, "no card of it is sold", refused);
        await scene.ShopReadsAsync("/console/shop/programs", "Closed by mistake", "closed");
        var id = await scene.HoldAsync(card, Price);
        await scene.ConfirmAsync(id);
        await scene.ChargedOnceAsync(card, id, Value - Price);
        await scene.MendAsync();
        await scene.SellAsync(Value, program);
    }

    private static async Task ChangeAsync(FaultScene scene, string program, string status)
    {
        var now = await scene.ReadAsync($"/v1/programs/{program}");
        var changed = await scene.Till.PatchAsync(
            $"/v1/programs/{program}",
            new JsonObject { ["status"] = status },
            long.Parse(now.Headers!.ETag!.Tag.Trim('"'), null),
            scene.Cancel
        );
        scene.Narrator.Check(changed.Text("status") == status, $"the programme is {status}", changed);
    }

    private static async Task<string> ProgramAsync(FaultScene shop, string name = "Drill")
    {
        var made = await MakeProgramAsync(shop, name);
        shop.Narrator.Check(made.Status == 201, "a programme is made", made);
        return made.Text("id")!;
    }

    private static Task<RestAnswer> MakeProgramAsync(FaultScene shop, string name) =>
        shop.AskAsync("/v1/programs", new JsonObject { ["name"] = name, ["currency"] = "EUR" });

    private static async Task LimitToAsync(FaultScene shop, long version, int count)
    {
        var changed = await shop.Till.PatchAsync(
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
                            ["count"] = count,
                        }
                    ),
                },
            },
            version,
            shop.Cancel
        );
        shop.Narrator.Check(changed.Status == 200, $"each card may pay {count} times a day", changed);
    }

    private static Task<RestAnswer> PaidAsync(FaultScene shop, SoldCard card) =>
        shop.AskAsync("/v1/redemptions", FaultScene.Order(card, Price, "immediate"));
}
