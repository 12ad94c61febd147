namespace LocalPlus.Cli;

/// <summary>A part is there and says nothing: frozen, or cut off.</summary>
internal static class AbsenceDrills
{
    private const long Value = 5000;
    private const long Price = 1200;

    public static readonly IReadOnlyList<FaultDrill> All =
    [
        new(
            "ledger-silent",
            "the books do not answer while a till confirms",
            "The run's page: being tried again, the ledger did not answer, nothing is lost or done twice. "
                + "The till: `busy`.",
            "It heals by itself when the ledger is back; `runs retry` makes it at once.",
            LedgerAsync
        ),
        new(
            "sidecar-silent",
            "the sidecars do not answer: no service reaches another",
            "`./localplus status` names the sidecar; `outbox list` says that it does not answer, since "
                + "when, and what waits.",
            "It heals by itself when they are back.",
            SidecarAsync
        ),
        new(
            "broker-silent",
            "cache and broker do not answer",
            "`outbox list`: why the broker takes nothing, since when, how many events wait; `./localplus status` "
                + "names valkey. The console keeps its sessions in the cache and answers 503 meanwhile.",
            "It heals by itself: tills are served meanwhile, events go out when it is back.",
            BrokerAsync
        ),
        new(
            "analytics-silent",
            "a service that only reads does not answer",
            "The overview: analytics does not answer, and the commands that say more. No till is concerned.",
            "It heals by itself: what happened meanwhile is counted when it is back.",
            AnalyticsAsync
        ),
        new(
            "gateway-silent",
            "nothing is reached from outside",
            "`./localplus status` names the gateway.",
            "It heals by itself: a till that asks again with its key is answered once.",
            GatewayAsync
        ),
    ];

    private static async Task LedgerAsync(FaultScene scene)
    {
        var card = await scene.SellAsync(Value);
        var id = await scene.HoldAsync(card, Price);
        await scene.FreezeAsync("ledger");
        var busy = await scene.Hasty.PostAsync($"/v1/redemptions/{id}/confirm", null, Shop.NewKey(), scene.Cancel);
        scene.Narrator.Check(busy is { Status: 503, Code: "busy" }, "the till is told to ask again", busy);
        await scene.ReadsAsync(
            $"/console/runs/{id}",
            "retrying",
            "The ledger did not answer",
            "The ledger, or the way to it, is away. Nothing is lost or done twice",
            "./localplus status says what is down; when it is back, retry."
        );
        await scene.PrintsAsync(["status"], "ledger is not well", text => Troubled(text, "ledger"));
        await scene.MendAsync();
        await scene.OperateAsync("operator", "the ledger is back", "runs", "retry", id);
        await scene.ConfirmAsync(id);
        await scene.ChargedOnceAsync(card, id, Value - Price);
    }

    private static async Task SidecarAsync(FaultScene scene)
    {
        var card = await scene.SellAsync(Value);
        var id = await scene.HoldAsync(card, Price);
        await scene.FreezeAsync("sidecar");
        var busy = await scene.Hasty.PostAsync($"/v1/redemptions/{id}/confirm", null, Shop.NewKey(), scene.Cancel);
        scene.Narrator.Check(busy is { Status: 503 or 0 }, "the till is told to ask again", busy);
        await scene.PrintsAsync(["status"], "the sidecar is not well", text => Troubled(text, "sidecar"));

        // What an operator does is an event too, and the first that can not go out.
        await scene.OperateAsync("operator", "does that help?", "runs", "retry", id);
        await scene.PrintsAsync(
            ["outbox", "list", "--service", "giftcard", "-o", "json", "--role", "viewer"],
            "events wait, why and since when",
            text =>
                text.Contains("outbox_error", StringComparison.Ordinal)
                && text.Contains("outbox_failing_since", StringComparison.Ordinal)
        );
        await scene.MendAsync();
        await scene.ConfirmAsync(id);
        await scene.HealthyAsync("all is healthy again");
        await scene.ChargedOnceAsync(card, id, Value - Price);
        await DrainedAsync(scene, "giftcard");
    }

    private static async Task BrokerAsync(FaultScene scene)
    {
        var card = await scene.SellAsync(Value);
        await scene.FreezeAsync("valkey");
        var id = await scene.HoldAsync(card, Price);
        await scene.ConfirmAsync(id);
        await scene.PrintsAsync(
            ["outbox", "list", "--service", "giftcard", "-o", "json", "--role", "viewer"],
            "events wait, why and since when",
            text =>
                text.Contains("outbox_error", StringComparison.Ordinal)
                && text.Contains("outbox_failing_since", StringComparison.Ordinal)
        );
        await scene.PrintsAsync(["status"], "valkey is not well", text => Troubled(text, "valkey"));
        await scene.MendAsync();
        await scene.ChargedOnceAsync(card, id, Value - Price);
        await DrainedAsync(scene, "giftcard");
        await scene.HealthyAsync("all is healthy again");
    }

    private static async Task AnalyticsAsync(FaultScene scene)
    {
        var before = await CountAsync(scene);
        await scene.FreezeAsync("analytics");
        var card = await scene.SellAsync(Value);
        var id = await scene.HoldAsync(card, Price);
        await scene.ConfirmAsync(id);
        await scene.ReadsAsync("/console", "analytics does not answer", "./localplus logs analytics");
        await scene.PrintsAsync(["status"], "analytics is not well", text => Troubled(text, "analytics"));
        await scene.MendAsync();
        await scene.UntilAsync(
            "the day's figures count this redemption once",
            () => FiguresAsync(scene),
            figures => Shop.Sum(figures, "redeemed.count") == before + 1
        );
        await scene.ChargedOnceAsync(card, id, Value - Price);
    }

    private static async Task GatewayAsync(FaultScene scene)
    {
        var card = await scene.SellAsync(Value);
        var id = await scene.HoldAsync(card, Price);
        await scene.FreezeAsync("gateway");
        var key = Shop.NewKey();
        await scene.PrintsAsync(["status"], "the gateway is not well", text => Troubled(text, "gateway"));
        await scene.MendAsync();
        var first = await scene.Till.PostAsync($"/v1/redemptions/{id}/confirm", [], key, scene.Cancel);
        var again = await scene.Till.PostAsync($"/v1/redemptions/{id}/confirm", [], key, scene.Cancel);
        scene.Narrator.Check(
            first.Text("state") == "completed" && again.Text("transaction_id") == first.Text("transaction_id"),
            "the till that asks again with its key gets the same answer",
            again
        );
        await scene.ChargedOnceAsync(card, id, Value - Price);
    }

    /// <summary>Whether the table of processes says of one that it is not well.</summary>
    private static bool Troubled(string status, string name) =>
        status
            .Split('\n')
            .Any(line =>
                line.StartsWith(name, StringComparison.Ordinal)
                && !line.TrimEnd().EndsWith(" ok", StringComparison.Ordinal)
            );

    private static Task<RestAnswer> DrainedAsync(FaultScene scene, string service) =>
        scene.UntilAsync(
            $"the outbox of {service} is empty again",
            () => scene.Operator.GetAsync($"/ops/v1/{service}/events", scene.Cancel),
            state => state.Number("outbox_waiting") == 0
        );

    private static Task<RestAnswer> FiguresAsync(FaultScene scene)
    {
        var day = DateTimeOffset.UtcNow.ToString("yyyy-MM-dd", System.Globalization.CultureInfo.InvariantCulture);
        return scene.ReadAsync($"/v1/reports/daily?from={day}&to={day}");
    }

    /// <summary>How many redemptions the day has, once no more come.</summary>
    private static async Task<long> CountAsync(FaultScene scene)
    {
        await DrainedAsync(scene, "giftcard");
        return Shop.Sum(await FiguresAsync(scene), "redeemed.count");
    }
}
