using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;

namespace LocalPlus.Cli;

/// <summary>Events that a service can not take: they hold nothing up, and somebody decides about each.</summary>
internal static class EventDrills
{
    private const string Topic = "giftcard.cards.v1";
    private const string Constraint = "drill_no_4137";
    private const long Odd = 4137;
    private static readonly string[] Takers = ["analytics", "notification", "wallet"];

    public static readonly IReadOnlyList<FaultDrill> All =
    [
        new(
            "poison-event",
            "something that is no event comes on the topic of cards",
            "The overview counts dead letters; each has its topic, why it was refused and the message byte for byte.",
            "Nobody wants it: all of that error are counted, looked at and discarded at once (`dlq discard-all`).",
            PoisonAsync
        ),
        new(
            "consumer-refuses",
            "a good event is refused, as analytics' table does not take it",
            "Dead letters of analytics: the event, refused with the name of what refused it. A replay is "
                + "refused and says the same.",
            "Mend the table, then replay all of that error (`dlq replay-all`): each takes effect once.",
            RefusedAsync
        ),
    ];

    private static async Task PoisonAsync(FaultScene scene)
    {
        var mark = $"poison-{Guid.NewGuid():N}";
        await scene.BreakAsync(
            "a message that is no event is published",
            () => PublishAsync(scene, $$"""{"{{mark}}":true}""")
        );
        foreach (var service in Takers)
        {
            var list = await scene.UntilAsync(
                $"{service} keeps it as a dead letter",
                () => LettersAsync(scene, service),
                letters => letters.At("data")?.AsArray().Count > 0
            );
            var id = list.Text("data.0.id")!;
            await scene.ReadsAsync("/console/dead-letters?service=" + service, Topic, list.Text("data.0.reason")!);
            await scene.ReadsAsync($"/console/dead-letters/{service}/{id}", mark, "Discard");
            await DiscardAsync(scene, service, list.Text("data.0.reason")!);
        }

        await scene.ReadsAsync("/console", "How it is");
    }

    private static async Task RefusedAsync(FaultScene scene)
    {
        var before = await SoldAsync(scene);
        await scene.BreakAsync(
            "analytics' table of facts takes no card of 41.37 EUR",
            () =>
                scene.SqlAsync(
                    "analytics",
                    $"ALTER TABLE facts ADD CONSTRAINT {Constraint} CHECK (amount <> {Odd}) NOT VALID"
                ),
            () => scene.SqlAsync("analytics", $"ALTER TABLE facts DROP CONSTRAINT IF EXISTS {Constraint}")
        );
        await scene.SellAsync(Odd);
        var list = await scene.UntilAsync(
            "analytics keeps the event as a dead letter",
            () => LettersAsync(scene, "analytics"),
            letters => letters.Text("data.0.reason")?.Contains(Constraint, StringComparison.Ordinal) == true
        );
        await scene.ReadsAsync("/console/dead-letters?service=analytics", Topic, Constraint, "Replay all of a topic");
        var refused = await scene.Operator.PostAsync(
            $"/ops/v1/analytics/dead_letters/{list.Text("data.0.id")}/replay",
            new JsonObject { ["reason"] = "is it mended?" },
            Shop.NewKey(),
            scene.Cancel
        );
        scene.Narrator.Check(
            refused is { Status: 422, Code: "dead_letter_refused" }
                && refused.Text("detail")!.Contains(Constraint, StringComparison.Ordinal),
            "while its cause is there a replay is refused and names it",
            refused
        );
        await scene.MendAsync();
        await scene.OperateAsync(
            "operator",
            "the table is mended",
            "dlq",
            "replay-all",
            "--service",
            "analytics",
            "--topic",
            Topic,
            "--error",
            Constraint
        );
        await scene.UntilAsync(
            "no letter of that error is left",
            () => LettersAsync(scene, "analytics", Constraint),
            letters => letters.At("data")?.AsArray().Count == 0
        );
        await scene.UntilAsync(
            "the day's figures have the card, once",
            () => FiguresAsync(scene),
            figures => Shop.Sum(figures, "sold.amount.amount") == before + Odd
        );
        await scene.BalancedAsync();
    }

    /// <summary>Counted first, then discarded with the count.</summary>
    private static async Task DiscardAsync(FaultScene scene, string service, string reason)
    {
        string[] which = ["--service", service, "--topic", Topic, "--error", reason];
        var counted = await scene.OperateAsync(
            "operator",
            "no event",
            ["dlq", "discard-all", .. which, "--dry-run", "-o", "json"]
        );
        var count = JsonNode.Parse(counted)!["matched"]!.GetValue<int>();
        var wrong = await scene.Admin.PostAsync(
            $"/ops/v1/{service}/dead_letters/discard",
            new JsonObject
            {
                ["reason"] = "no event",
                ["topic"] = Topic,
                ["error"] = reason,
                ["count"] = count + 1,
            },
            Shop.NewKey(),
            scene.Cancel
        );
        scene.Narrator.Check(wrong.Code == "dead_letter_count", "with another count nothing is discarded", wrong);
        await scene.OperateAsync(
            "operator",
            "no event",
            ["dlq", "discard-all", .. which, "--count", count.ToString(CultureInfo.InvariantCulture)]
        );
        var left = await LettersAsync(scene, service, reason);
        scene.Narrator.Check(left.At("data")!.AsArray().Count == 0, $"none of that error is left in {service}", left);
    }

    private static Task<RestAnswer> LettersAsync(FaultScene scene, string service, string? error = null) =>
        scene.Operator.GetAsync(
            $"/ops/v1/{service}/dead_letters?topic={Topic}"
                + (error is null ? "" : $"&error={Uri.EscapeDataString(error)}"),
            scene.Cancel
        );

    private static Task<RestAnswer> FiguresAsync(FaultScene scene)
    {
        var day = DateTimeOffset.UtcNow.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
        return scene.ReadAsync($"/v1/reports/daily?from={day}&to={day}");
    }

    /// <summary>What the day's figures say was sold, once no more comes: the outbox is empty, and it stays.</summary>
    private static async Task<long> SoldAsync(FaultScene scene)
    {
        await scene.UntilAsync(
            "all events of before are out",
            () => scene.Operator.GetAsync("/ops/v1/giftcard/events", scene.Cancel),
            state => state.Number("outbox_waiting") == 0
        );
        var last = -1L;
        await scene.UntilAsync(
            "and counted",
            () => FiguresAsync(scene),
            figures =>
            {
                var now = Shop.Sum(figures, "sold.amount.amount");
                var isSame = now == last;
                last = now;
                return isSame;
            }
        );
        return last;
    }

    /// <summary>As giftcard's own sidecar publishes, past giftcard.</summary>
    private static async Task PublishAsync(FaultScene scene, string message)
    {
        using var http = new HttpClient();
        using var request = new HttpRequestMessage(
            HttpMethod.Post,
            string.Create(
                CultureInfo.InvariantCulture,
                $"http://127.0.0.1:{scene.Ports.DaprHttp("giftcard")}/v1.0/publish/pubsub/{Topic}"
            )
        )
        {
            Content = new StringContent(message, Encoding.UTF8, "application/json"),
        };
        request.Headers.Add("dapr-api-token", new Secrets(scene.Checkout).DaprApiToken);
        using var answer = await http.SendAsync(request, scene.Cancel);
        scene.Narrator.Check(answer.IsSuccessStatusCode, $"the broker takes it: {(int)answer.StatusCode}");
    }
}
