using System.Text.Json.Nodes;

namespace LocalPlus.Cli;

/// <summary>What goes wrong at a till or with a card, and nothing of the platform is broken.</summary>
internal static class TillDrills
{
    private const long Value = 5000;
    private const long Price = 1200;
    private const int ShortestHoldSeconds = 10;
    private const int WrongPins = 5;

    public static readonly IReadOnlyList<FaultDrill> All =
    [
        new(
            "till-gone",
            "a till is never heard of again between hold and confirm",
            "The run's page: how much is held until when, that the till has not confirmed, and what happens "
                + "if it never does.",
            "The operator confirms, as the customer has left with the goods (`runs confirm`).",
            TillGoneAsync
        ),
        new(
            "hold-expired",
            "a till confirms after its hold has run out",
            "The run's page: over, expired, nothing captured, the money is the card's again. The till: `hold_expired`.",
            "It healed by itself: the till begins a new redemption.",
            HoldExpiredAsync
        ),
        new(
            "card-blocked",
            "a till refuses a good card, with the answer that a wrong code gets",
            "The card's page of its shop: blocked, since when, by whose reason, and that its money stays.",
            "The shop unblocks it (`cards unblock`).",
            CardBlockedAsync
        ),
        new(
            "pin-locked",
            "a card's PIN is wrong five times, and then the right one is refused too",
            "The card's page of its shop: its PIN was wrong too often, until when no till takes it, what to "
                + "do if its code was "
                + "stolen. A mail tells the holder.",
            "The shop replaces it: another code and PIN, the same money.",
            PinLockedAsync
        ),
    ];

    private static async Task TillGoneAsync(FaultScene scene)
    {
        var card = await scene.SellAsync(Value);
        var id = await scene.HoldAsync(card, Price);
        await scene.ReadsAsync(
            $"/console/runs/{id}",
            "12.00 EUR are held until",
            "the till has not confirmed",
            "Confirm if the customer has left with the goods",
            "12.00 EUR leave the card for good"
        );
        await scene.OperateAsync("operator", "the customer has left with the goods", "runs", "confirm", id);
        await scene.ChargedOnceAsync(card, id, Value - Price);
        var run = await scene.RunAsync(id);
        scene.Narrator.Check(
            run.Text("actions.0.verb") == "confirm" && run.Text("actions.0.reason") is { Length: > 0 },
            $"the audit says who and why: {run.Text("actions.0.subject")}, \"{run.Text("actions.0.reason")}\"",
            run
        );
    }

    private static async Task HoldExpiredAsync(FaultScene scene)
    {
        var card = await scene.SellAsync(Value);
        var id = await scene.HoldAsync(card, Price, ShortestHoldSeconds);
        await scene.ReadsAsync(
            $"/console/runs/{id}",
            "Over: the redemption is expired, 0.00 EUR were captured.",
            "the money is the card's again",
            "begins a new redemption"
        );
        var late = await scene.Hasty.PostAsync($"/v1/redemptions/{id}/confirm", null, Shop.NewKey(), scene.Cancel);
        scene.Narrator.Check(
            late is { Status: 409, Code: "hold_expired" },
            "the till that comes late is told so",
            late
        );
        var again = await scene.HoldAsync(card, Price);
        await scene.ConfirmAsync(again);
        await scene.ChargedOnceAsync(card, again, Value - Price);
    }

    private static async Task CardBlockedAsync(FaultScene scene)
    {
        var card = await scene.SellAsync(Value);
        await scene.BreakAsync(
            "somebody of the shop blocks the card",
            () => ChangeAsync(scene, card, "block", "a customer said it was lost"),
            () => ChangeAsync(scene, card, "unblock", "the drill is over")
        );
        var refused = await PayAsync(scene, card, null);
        scene.Narrator.Check(
            refused is { Status: 404, Code: "gift_card_not_usable" },
            "a till is told no more than with a wrong code",
            refused
        );
        await scene.ShopReadsAsync(
            $"/console/shop/cards/{card.Id}",
            "It is blocked and has 50.00 EUR",
            "No till takes it while it is blocked",
            "a customer said it was lost"
        );
        await scene.MendAsync();
        await PaidAsync(scene, card, null);
    }

    private static async Task PinLockedAsync(FaultScene scene)
    {
        var program = await scene.AskAsync(
            "/v1/programs",
            new JsonObject
            {
                ["name"] = "Card with a PIN",
                ["currency"] = "EUR",
                ["pin"] = "required",
            }
        );
        scene.Narrator.Check(program.Status == 201, "a programme whose cards have a PIN is made", program);
        var terms = Developer.Terms(program.Text("id"), Value);
        var sold = await scene.AskAsync("/v1/gift_cards", terms);
        var card = new SoldCard(sold.Text("id")!, sold.Text("code")!, "");
        var right = sold.Text("pin")!;
        var wrong = new string(right[0] == '0' ? '1' : '0', right.Length);
        for (var i = 0; i < WrongPins; i++)
        {
            await PayAsync(scene, card, wrong);
        }

        var refused = await PayAsync(scene, card, right);
        scene.Narrator.Check(
            refused is { Status: 404, Code: "gift_card_not_usable" },
            "after five wrong PINs the right one is refused too, with the same answer",
            refused
        );
        await scene.ShopReadsAsync(
            $"/console/shop/cards/{card.Id}",
            "Its PIN was wrong too often: no till takes it until",
            "if its code may be stolen, replace it"
        );
        var replaced = await scene.AskAsync(
            $"/v1/gift_cards/{card.Id}/replace",
            new JsonObject { ["reason"] = "its PIN was tried by a stranger" }
        );
        scene.Narrator.Check(
            replaced.Status == 201 && replaced.Text("code") is not null,
            "the shop replaces it: another code and PIN, the same money",
            replaced
        );
        var heir = new SoldCard(replaced.Text("id")!, replaced.Text("code")!, "");
        await PaidAsync(scene, heir, replaced.Text("pin"));
    }

    private static async Task ChangeAsync(FaultScene scene, SoldCard card, string verb, string reason)
    {
        var changed = await scene.AskAsync($"/v1/gift_cards/{card.Id}/{verb}", new JsonObject { ["reason"] = reason });
        scene.Narrator.Check(changed.Status == 200, $"{verb}: {reason}", changed);
    }

    private static Task<RestAnswer> PayAsync(FaultScene scene, SoldCard card, string? pin)
    {
        var order = FaultScene.Order(card, Price, "immediate");
        if (pin is not null)
        {
            order["sources"]![0]!["gift_card"]!["pin"] = pin;
        }

        return scene.AskAsync("/v1/redemptions", order);
    }

    private static async Task PaidAsync(FaultScene scene, SoldCard card, string? pin)
    {
        var paid = await PayAsync(scene, card, pin);
        scene.Narrator.Check(paid.Text("state") == "completed", "and a till takes it", paid);
        await scene.ChargedOnceAsync(card, paid.Text("id")!, Value - Price);
    }
}
