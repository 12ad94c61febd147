using System.Globalization;
using System.Text.Json.Nodes;

namespace LocalPlus.Cli;

/// <summary>A merchant's own program does not take its events.</summary>
internal static class WebhookDrills
{
    private const long Value = 1500;
    private const int Gone = 410;
    private const int Broken = 500;

    public static readonly IReadOnlyList<FaultDrill> All =
    [
        new(
            "webhook-refuses",
            "a merchant's endpoint answers 500",
            "Attention of notification: the endpoint, since when, how many events wait, that it refused, "
                + "when it is tried again.",
            "It heals by itself: when the endpoint is mended what waits is sent, signed as before.",
            scene => TellAsync(scene, Broken, RefusesAsync)
        ),
        new(
            "webhook-gone",
            "a merchant's endpoint answers 410: it is gone",
            "Attention of notification: the endpoint was disabled as gone, nothing more is tried, who mends "
                + "it and how.",
            "The merchant enables it again and has what it missed sent (`webhooks` on the command line, "
                + "Webhooks in the shop's pages).",
            scene => TellAsync(scene, Gone, GoneAsync)
        ),
    ];

    private static async Task TellAsync(
        FaultScene scene,
        int status,
        Func<FaultScene, Receiver, RestAnswer, Task> meetAsync
    )
    {
        using var receiver = Receiver.Start();
        receiver.Answers = status;
        var made = await scene.AskAsync(
            "/v1/webhook_endpoints",
            new JsonObject { ["url"] = receiver.Url, ["event_types"] = new JsonArray("gift_card.activated") }
        );
        scene.Narrator.Check(made.Status == 201, $"the shop's own program is to be told, at {receiver.Url}", made);
        receiver.Trust(made.Text("secret")!);
        var path = $"/v1/webhook_endpoints/{made.Text("id")}";
        await scene.BreakAsync(
            $"it answers {status}",
            () => scene.SellAsync(Value),
            () => scene.Till.DeleteAsync(path, scene.Cancel)
        );
        await meetAsync(scene, receiver, made);
        scene.Narrator.Check(receiver.Forged == 0, "what came was signed as it has to be");
        await scene.BalancedAsync();
    }

    private static async Task RefusesAsync(FaultScene scene, Receiver receiver, RestAnswer endpoint)
    {
        await scene.ReadsAsync(
            "/console/attention",
            endpoint.Text("id")!,
            "refused",
            "The merchant's endpoint does not take events, and nothing else is concerned."
        );
        receiver.Answers = null;
        await DeliveredAsync(scene, receiver, endpoint);
    }

    private static async Task GoneAsync(FaultScene scene, Receiver receiver, RestAnswer endpoint)
    {
        var path = $"/v1/webhook_endpoints/{endpoint.Text("id")}";
        await scene.ReadsAsync(
            "/console/attention",
            endpoint.Text("id")!,
            "gone",
            "the merchant enables it under Webhooks and has what it missed sent again."
        );
        receiver.Answers = null;
        var now = await scene.ReadAsync(path);
        var version = long.Parse(now.Headers!.ETag!.Tag.Trim('"'), CultureInfo.InvariantCulture);
        var enabled = await scene.Till.PatchAsync(path, new JsonObject { ["enabled"] = true }, version, scene.Cancel);
        scene.Narrator.Check(enabled.Text("status") == "enabled", "mended, the merchant enables it", enabled);
        var deliveries = await scene.ReadAsync($"{path}/deliveries");
        var missed = deliveries.At("data")!.AsArray().First(delivery => (string?)delivery!["status"] == "failed");
        var again = await scene.AskAsync($"{path}/deliveries/{missed!["event_id"]}/redeliver", []);
        scene.Narrator.Check(again.Status == 202, "and has what it missed sent again", again);
        await DeliveredAsync(scene, receiver, endpoint);
    }

    private static async Task DeliveredAsync(FaultScene scene, Receiver receiver, RestAnswer endpoint)
    {
        await scene.UntilAsync(
            "all that happened has arrived",
            () => scene.ReadAsync($"/v1/webhook_endpoints/{endpoint.Text("id")}/deliveries"),
            deliveries =>
                deliveries.At("data")!.AsArray().All(delivery => (string?)delivery!["status"] == "delivered")
                && receiver.Types.Contains("gift_card.activated")
        );
        await scene.UntilAsync(
            "and the endpoint needs nobody any more",
            () => scene.Operator.GetAsync("/ops/v1/notification/attention", scene.Cancel),
            attention =>
                attention.Status == 200
                && attention.At("data")!.AsArray().All(item => (string?)item!["id"] != endpoint.Text("id"))
        );
    }
}
