using System.Text.Json;
using LocalPlus.Kernel;
using LocalPlus.Tests.Integration.Support;

namespace LocalPlus.Tests.Integration.Giftcard;

/// <summary>
/// What operators do to many runs at once: what was looked at is what is done, run by run, once, whoever dies, and
/// each outcome is kept.
/// </summary>
public sealed class RunBulkTests(GiftcardProcess api) : IClassFixture<GiftcardProcess>
{
    private const string Bulks = "/ops/v1/runs/bulks";
    private const string Operator = "olga@localplus.local";

    private readonly Dictionary<MerchantId, string> keys = [];

    [Fact]
    public async Task A_preview_says_what_it_is_about_and_what_would_be_refused_and_does_nothing()
    {
        var (shop, held) = await ShopAsync(3);
        await api.OperateAsync($"/ops/v1/runs/{held[0]}/cancel", new { reason = "the customer left" });

        var preview = await PreviewAsync("release", $"merchant_id={shop}");

        var bulk = preview.GetProperty("bulk");
        Assert.Equal(
            ("release", "previewed", 3, $"merchant_id={shop}"),
            (
                bulk.GetProperty("verb").GetString(),
                State(bulk),
                bulk.GetProperty("runs").GetInt32(),
                bulk.GetProperty("filter").GetString()
            )
        );
        var sum = preview.GetProperty("amounts").EnumerateArray().Single();
        Assert.Equal((3000, "EUR"), (sum.GetProperty("amount").GetInt64(), sum.GetProperty("currency").GetString()));
        var refusal = preview.GetProperty("foreseen").EnumerateArray().Single();
        Assert.Equal(
            ("redemption_not_held", 1),
            (refusal.GetProperty("code").GetString(), refusal.GetProperty("runs").GetInt64())
        );
        Assert.Equal(
            held.Order(),
            preview
                .GetProperty("samples")
                .EnumerateArray()
                .Select(s => s.GetProperty("redemption_id").GetString())
                .Order()
        );
        foreach (var id in held[1..])
        {
            Assert.Equal("held", await RedemptionStateAsync(id));
            Assert.Empty(await ActionsAsync(id));
        }
    }

    [Fact]
    public async Task What_was_previewed_is_done_once_in_the_name_of_who_started_it_and_nothing_else_is()
    {
        var (shop, held) = await ShopAsync(3);
        await api.OperateAsync($"/ops/v1/runs/{held[0]}/cancel", new { reason = "the customer left" });
        var id = IdOf(await PreviewAsync("release", $"merchant_id={shop}"));
        var later = await HeldAsync(shop);
        var start = new { reason = "the tills are broken", count = 3 };

        var started = await StartAsync(id, "release", start, "bulk-key-1");
        var again = await StartAsync(id, "release", start, "bulk-key-1");
        Assert.Equal(started.GetRawText(), again.GetRawText());
        Assert.Equal("bulk_state", GiftcardApi.Code(await StartAsync(id, "release", start, status: 409)));

        var done = await OverAsync(id);
        Assert.Equal(("done", 2, 1, 0), Numbers(done));
        Assert.Equal("held", await RedemptionStateAsync(later));
        foreach (var run in held[1..])
        {
            Assert.Equal("cancelled", await RedemptionStateAsync(run));
            var action = Assert.Single(await ActionsAsync(run));
            Assert.Equal(
                ("release", Operator, "the tills are broken", id),
                (
                    action.GetProperty("verb").GetString(),
                    action.GetProperty("subject").GetString(),
                    action.GetProperty("reason").GetString(),
                    action.GetProperty("detail").GetProperty("bulk").GetString()
                )
            );
            await AuditedAsync("run.release", run);
        }

        var refused = Assert.Single(await ItemsAsync(id, "refused"));
        Assert.Equal(
            (held[0], "redemption_not_held", "redemption_not_held"),
            (
                refused.GetProperty("redemption_id").GetString(),
                refused.GetProperty("foreseen").GetString(),
                refused.GetProperty("code").GetString()
            )
        );
        Assert.Equal(0, api.Ledger.Total());
    }

    [Fact]
    public async Task A_run_that_is_no_more_what_was_chosen_is_left_alone()
    {
        var (shop, held) = await ShopAsync(2);
        var id = IdOf(await PreviewAsync("retry", $"merchant_id={shop}&state=held"));
        await api.OperateAsync($"/ops/v1/runs/{held[0]}/confirm", new { reason = "the till was slow" });

        await StartAsync(id, "retry", new { reason = "try them again", count = 2 });

        Assert.Equal(("done", 1, 1, 0), Numbers(await OverAsync(id)));
        var refused = Assert.Single(await ItemsAsync(id, "refused"));
        Assert.Equal(
            (held[0], "run_changed"),
            (refused.GetProperty("redemption_id").GetString(), refused.GetProperty("code").GetString())
        );
        Assert.Equal("completed", await RedemptionStateAsync(held[0]));
    }

    [Fact]
    public async Task Who_starts_it_says_why_how_many_and_which_verb_and_has_its_role()
    {
        var (shop, _) = await ShopAsync(1);
        var filter = $"merchant_id={shop}";
        var id = IdOf(await PreviewAsync("release", filter));
        var fine = new { reason = "try it", count = 1 };

        foreach (
            var body in new object[] { new { count = 1 }, new { reason = "try it" }, new { reason = "x", count = 1 } }
        )
        {
            Assert.Equal("invalid_request", GiftcardApi.Code(await StartAsync(id, "release", body, status: 400)));
        }

        Assert.Equal(
            "bulk_count",
            GiftcardApi.Code(await StartAsync(id, "release", new { reason = "try it", count = 2 }, status: 422))
        );
        Assert.Equal("bulk_state", GiftcardApi.Code(await StartAsync(id, "terminate", fine, status: 409)));
        Assert.Equal(
            "bulk_state",
            GiftcardApi.Code(await StartAsync(id, "retry", fine, status: 409, role: "operator"))
        );
        Assert.Equal(
            "scope_missing",
            GiftcardApi.Code(await StartAsync(id, "release", fine, status: 403, role: "operator"))
        );
        Assert.Equal(
            "scope_missing",
            GiftcardApi.Code(await api.OperateAsync($"{Bulks}?{filter}", new { verb = "retry" }, 403, "viewer"))
        );
        Assert.Equal(
            "invalid_request",
            GiftcardApi.Code(await api.OperateAsync($"{Bulks}?{filter}", new { verb = "confirm" }, 400))
        );
        Assert.Equal(
            "invalid_request",
            GiftcardApi.Code(await api.OperateAsync($"{Bulks}?health=sick", new { verb = "retry" }, 400))
        );
        var absent = $"blk_{new string('0', 26)}";
        Assert.Equal("not_found", GiftcardApi.Code(await StartAsync(absent, "release", fine, status: 404)));
        Assert.Equal("not_found", GiftcardApi.Code(await api.InspectAsync($"{Bulks}/{absent}", 404)));
        Assert.Equal("not_found", GiftcardApi.Code(await api.InspectAsync($"{Bulks}/{absent}/items", 404)));

        await api.SqlAsync(
            "UPDATE run_bulks SET created_at = created_at - interval '2 hours' WHERE state = 'previewed'"
        );
        Assert.Equal("bulk_state", GiftcardApi.Code(await StartAsync(id, "release", fine, status: 409)));
        Assert.Equal("previewed", State((await api.InspectAsync($"{Bulks}/{id}")).GetProperty("bulk")));
    }

    [Fact]
    public async Task More_than_a_hundred_are_an_administrators_and_more_than_five_thousand_nobodys()
    {
        var (shop, held) = await ShopAsync(1);
        await CopyAsync(held[0], 100);
        var preview = await PreviewAsync("reconcile", $"merchant_id={shop}");
        Assert.Equal(101, preview.GetProperty("bulk").GetProperty("runs").GetInt32());
        Assert.Equal(10, preview.GetProperty("samples").GetArrayLength());
        var start = new { reason = "the engine was away", count = 101 };
        Assert.Equal(
            "scope_missing",
            GiftcardApi.Code(await StartAsync(IdOf(preview), "reconcile", start, status: 403, role: "operator"))
        );

        await CopyAsync(held[0], 4900);
        Assert.Equal(
            "bulk_too_large",
            GiftcardApi.Code(await api.OperateAsync($"{Bulks}?merchant_id={shop}", new { verb = "retry" }, 422))
        );
    }

    [Fact]
    public async Task It_is_paused_gone_on_with_and_cancelled_and_what_was_not_begun_stays_as_it_was()
    {
        var (shop, held) = await ShopAsync(3);
        var id = IdOf(await PreviewAsync("release", $"merchant_id={shop}"));
        await LaterAsync(id, after: 1);
        await StartAsync(id, "release", new { reason = "the tills are broken", count = 3 });
        await Eventually.TrueAsync(async () => (await BulkAsync(id)).GetProperty("done").GetInt32() == 1);

        await Eventually.TrueAsync(async () => (await QueueAsync("low")).GetProperty("resting").GetInt64() > 0);
        Assert.Equal("paused", State(await SteerAsync(id, "pause")));
        Assert.Equal("bulk_state", GiftcardApi.Code(await SteerAsync(id, "pause", 409)));
        await NowAsync(id, position: 2);
        await NobodyWorksAsync(id);
        Assert.Equal(("paused", 1, 0, 0), Numbers(await BulkAsync(id)));

        Assert.Equal("running", State(await SteerAsync(id, "continue")));
        await Eventually.TrueAsync(async () => (await BulkAsync(id)).GetProperty("done").GetInt32() == 2);
        Assert.Equal("cancelled", State(await SteerAsync(id, "cancel")));
        await NowAsync(id, position: 3);
        await NobodyWorksAsync(id);
        Assert.Equal(("cancelled", 2, 0, 0), Numbers(await BulkAsync(id)));
        var left = Assert.Single(await ItemsAsync(id, "waiting")).GetProperty("redemption_id").GetString()!;
        Assert.Contains(left, held);
        Assert.Equal("held", await RedemptionStateAsync(left));
        Assert.Equal("bulk_state", GiftcardApi.Code(await SteerAsync(id, "continue", 409)));
        Assert.Contains(
            (await api.InspectAsync($"{Bulks}?limit=200")).GetProperty("data").EnumerateArray(),
            bulk => bulk.GetProperty("id").GetString() == id
        );
    }

    [Fact]
    public async Task A_worker_that_is_killed_loses_nothing_and_nothing_is_done_twice()
    {
        var (shop, held) = await ShopAsync(4);
        var id = IdOf(await PreviewAsync("release", $"merchant_id={shop}"));
        // It dies between the verb and the note of what became of it.
        await api.RestartAsync(("LP_FAILPOINTS", "BulkItem.committed=crash"));
        try
        {
            await StartAsync(id, "release", new { reason = "the tills are broken", count = 4 });
            await Eventually.TrueAsync(async () =>
            {
                await BulkAsync(id);
                return false;
            });
            Assert.Fail("It did not crash.");
        }
        catch (HttpRequestException)
        {
            // The process is gone.
        }

        const string settled = "SELECT count(*) FROM run_bulk_items WHERE state <> 'waiting' AND bulk_id =";
        const string cancelled = "SELECT count(*) FROM redemptions WHERE state = 'cancelled' AND merchant_id =";
        Assert.Equal(0, await api.Database.ScalarAsync<long>($"{settled} '{Uuid(id)}'"));
        Assert.Equal(1, await api.Database.ScalarAsync<long>($"{cancelled} '{shop.Value}'"));
        // The leases of whoever died are over.
        await api.SqlAsync(
            $"""
            UPDATE run_bulk_items SET due_at = now() WHERE bulk_id = '{Uuid(id)}' AND state = 'waiting';
            UPDATE tasks SET due_at = now() WHERE dedup_key = '{Uuid(id)}' AND due_at IS NOT NULL
            """
        );

        await api.RestartAsync();

        Assert.Equal(("done", 4, 0, 0), Numbers(await OverAsync(id)));
        foreach (var run in held)
        {
            Assert.Single(await ActionsAsync(run));
            Assert.Equal("cancelled", await RedemptionStateAsync(run));
            await AuditedAsync("run.release", run);
        }
    }

    [Fact]
    public async Task A_run_that_the_engine_did_not_hear_of_is_told_again_and_written_down_once()
    {
        var (shop, held) = await ShopAsync(1);
        var run = held[0];
        var id = IdOf(await PreviewAsync("suspend", $"merchant_id={shop}"));
        api.Engine.Up = false;
        await StartAsync(id, "suspend", new { reason = "look at it first", count = 1 });
        await Eventually.TrueAsync(async () => (await ActionsAsync(run)).Count == 1);
        await Eventually.TrueAsync(() =>
            api.Service.Output.Contains($"{run} of {id} failed", StringComparison.Ordinal)
        );
        api.Engine.Up = true;

        Assert.Equal(("done", 1, 0, 0), Numbers(await OverAsync(id)));
        Assert.Equal(Dapr.DurableTask.Protobuf.OrchestrationStatus.Suspended, api.Engine.StatusOf(run));
        Assert.Single(await ActionsAsync(run));
    }

    [Fact]
    public async Task Only_five_are_at_work_and_old_ones_are_cleaned_up()
    {
        var (shop, _) = await ShopAsync(1);
        var others = await api.CountAsync("SELECT count(*) FROM run_bulks WHERE state IN ('running', 'paused')");
        Assert.Equal(0, others);
        var ids = new List<string>();
        for (var n = 0; n < 6; n++)
        {
            ids.Add(IdOf(await PreviewAsync("retry", $"merchant_id={shop}")));
            await LaterAsync(ids[^1], after: 0);
            await StartAsync(ids[^1], "retry", new { reason = "try it again", count = 1 }, status: n < 5 ? 202 : 429);
        }

        foreach (var id in ids)
        {
            await SteerAsync(id, "cancel");
        }

        await api.SqlAsync(
            $"UPDATE run_bulks SET changed_at = now() - interval '91 days' WHERE bulk_id = '{Uuid(ids[0])}'"
        );
        await api.RunJobAsync("giftcard-cleanup");
        await api.InspectAsync("/ops/v1/giftcard/jobs?outcome=well", 400);
        foreach (var (outcome, least) in new[] { ("done", 1), ("running", 0) })
        {
            var runs = await api.InspectAsync($"/ops/v1/giftcard/jobs?name=giftcard-cleanup&outcome={outcome}");
            Assert.All(
                runs.GetProperty("data").EnumerateArray(),
                run => Assert.Equal(outcome, run.GetProperty("outcome").GetString())
            );
            Assert.InRange(runs.GetProperty("data").GetArrayLength(), least, 5);
        }

        await api.InspectAsync($"{Bulks}/{ids[0]}", 404);
        await api.InspectAsync($"{Bulks}/{ids[1]}");
    }

    private async Task<(MerchantId Shop, List<string> Held)> ShopAsync(int runs)
    {
        api.Engine.Up = true;
        var (shop, key) = api.NewMerchant();
        keys[shop] = key;
        var held = new List<string>();
        for (var n = 0; n < runs; n++)
        {
            held.Add(await HeldAsync(shop));
        }

        return (shop, held);
    }

    private async Task<string> HeldAsync(MerchantId shop)
    {
        var (_, code) = await api.SellAsync(1000, key: keys[shop]);
        var held = await api.PostAsync(
            "/v1/redemptions",
            GiftcardApi.Redemption(code, 1000, "two_phase"),
            201,
            key: keys[shop]
        );
        var id = held.GetProperty("id").GetString()!;
        await Eventually.TrueAsync(
            async () => (await RunAsync(id)).GetProperty("run").GetProperty("run_state").GetString() == "started",
            because: () => api.Service.Output
        );
        return id;
    }

    /// <summary>More redemptions like one, which nobody has asked for.</summary>
    private Task CopyAsync(string id, int copies) =>
        api.SqlAsync(
            $"""
            INSERT INTO redemptions
            SELECT (jsonb_populate_record(r, jsonb_build_object('redemption_id', gen_random_uuid()))).*
              FROM redemptions r, generate_series(1, {copies})
             WHERE r.redemption_id = '{GiftcardApi.Uuid(id)}'
            """
        );

    private Task<JsonElement> PreviewAsync(string verb, string filter) =>
        api.OperateAsync($"{Bulks}?{filter}", new { verb }, 201, "operator");

    private Task<JsonElement> StartAsync(
        string id,
        string verb,
        object body,
        string? key = null,
        int status = 202,
        string role = "admin"
    ) => api.CallAsync(HttpMethod.Post, $"{Bulks}/{id}/start/{verb}", api.OperatorToken(role), body, status, key);

    private Task<JsonElement> SteerAsync(string id, string verb, int status = 200) =>
        api.OperateAsync($"{Bulks}/{id}/{verb}", new { reason = "wait for the ledger" }, status, "operator");

    private async Task<JsonElement> BulkAsync(string id) =>
        (await api.InspectAsync($"{Bulks}/{id}")).GetProperty("bulk");

    private async Task<JsonElement> OverAsync(string id)
    {
        await Eventually.TrueAsync(
            async () => State(await BulkAsync(id)) is "done" or "cancelled",
            because: () => api.Service.Output
        );
        return await BulkAsync(id);
    }

    /// <summary>No worker has the bulk, and none will.</summary>
    private Task NobodyWorksAsync(string id) =>
        Eventually.TrueAsync(async () =>
            await api.CountAsync($"SELECT count(*) FROM tasks WHERE dedup_key = '{Uuid(id)}' AND due_at IS NOT NULL")
            == 0
        );

    /// <summary>All but the first ones wait for a test.</summary>
    private Task LaterAsync(string id, int after) =>
        api.SqlAsync(
            $"UPDATE run_bulk_items SET due_at = now() + interval '1 hour' "
                + $"WHERE bulk_id = '{Uuid(id)}' AND position > {after}"
        );

    /// <summary>One that waited is due, and so is the task, if there is one.</summary>
    private Task NowAsync(string id, int position) =>
        api.SqlAsync(
            $"""
            UPDATE run_bulk_items SET due_at = now() WHERE bulk_id = '{Uuid(id)}' AND position = {position};
            UPDATE tasks SET due_at = now() WHERE dedup_key = '{Uuid(id)}' AND state = 'waiting'
            """
        );

    private async Task<JsonElement> QueueAsync(string name)
    {
        var queues = (await api.InspectAsync("/ops/v1/giftcard/tasks/queues"))
            .GetProperty("data")
            .EnumerateArray()
            .ToList();
        Assert.Equal(
            ["critical", "high", "default", "low", "scheduled"],
            queues.Select(queue => queue.GetProperty("queue").GetString())
        );
        return queues.Single(queue => queue.GetProperty("queue").GetString() == name);
    }

    private async Task<List<JsonElement>> ItemsAsync(string id, string state) =>
        [.. (await api.InspectAsync($"{Bulks}/{id}/items?state={state}")).GetProperty("data").EnumerateArray()];

    private async Task<List<JsonElement>> ActionsAsync(string run) =>
        [
            .. (await RunAsync(run))
                .GetProperty("actions")
                .EnumerateArray()
                .Where(action => action.GetProperty("detail").TryGetProperty("bulk", out _)),
        ];

    private Task<JsonElement> RunAsync(string id) => api.InspectAsync($"/ops/v1/runs/{id}");

    private async Task<string?> RedemptionStateAsync(string id) =>
        (await RunAsync(id)).GetProperty("run").GetProperty("redemption_state").GetString();

    /// <summary>It is in the audit, once, as what its operator did.</summary>
    private async Task AuditedAsync(string action, string run)
    {
        List<JsonElement> found = [];
        await Eventually.TrueAsync(() =>
        {
            found =
            [
                .. api
                    .Sidecar.Published.Select(p => p.GetProperty("event").GetProperty("data"))
                    .Where(e =>
                        e.GetProperty("type").GetString() == "audit.entry"
                        && e.GetProperty("key").GetString() == run
                        && e.GetProperty("data").GetProperty("action").GetString() == action
                    )
                    .Select(e => e.GetProperty("data"))
                    .DistinctBy(e => e.GetRawText()),
            ];
            return found.Count > 0;
        });
        var entry = Assert.Single(found);
        Assert.Equal(
            ("operator", Operator, "the tills are broken"),
            (
                entry.GetProperty("actor_kind").GetString(),
                entry.GetProperty("actor").GetString(),
                entry.GetProperty("reason").GetString()
            )
        );
    }

    private static string IdOf(JsonElement preview) => preview.GetProperty("bulk").GetProperty("id").GetString()!;

    private static string? State(JsonElement bulk) => bulk.GetProperty("state").GetString();

    private static (string? State, int Done, int Refused, int Failed) Numbers(JsonElement bulk) =>
        (
            State(bulk),
            bulk.GetProperty("done").GetInt32(),
            bulk.GetProperty("refused").GetInt32(),
            bulk.GetProperty("failed").GetInt32()
        );

    private static Guid Uuid(string bulk) =>
        Ids.TryParse<LocalPlus.Giftcard.RunBulks.RunBulkId>(bulk, out var id)
            ? id.Value
            : throw new FormatException(bulk);
}
