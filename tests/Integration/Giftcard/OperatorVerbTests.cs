using System.Text.Json;
using Dapr.DurableTask.Protobuf;
using LocalPlus.Kernel;
using LocalPlus.Tests.Integration.Support;

namespace LocalPlus.Tests.Integration.Giftcard;

/// <summary>
/// Every verb that operators have for runs, with an engine that does what it is told and nothing by itself.
/// </summary>
public sealed class OperatorVerbTests(GiftcardApi api) : IClassFixture<GiftcardApi>
{
    private static readonly object Reason = new { reason = "till broke" };

    [Fact]
    public async Task A_run_is_suspended_resumed_and_once_its_hold_is_settled_terminated_here_and_in_the_engine()
    {
        var id = await StartedAsync();
        Assert.Equal("run_state", GiftcardApi.Code(await VerbAsync(id, "resume", Reason, 409)));
        Assert.Equal("suspended", (await VerbAsync(id, "suspend", Reason)).GetProperty("run_state").GetString());
        Assert.Equal(OrchestrationStatus.Suspended, api.Engine.StatusOf(id));
        Assert.Equal(
            "suspended",
            (await ListAsync("health=suspended")).Single(r => Id(r) == id).GetProperty("health").GetString()
        );
        Assert.Equal("run_state", GiftcardApi.Code(await VerbAsync(id, "suspend", Reason, 409)));
        Assert.Equal("waiting", (await VerbAsync(id, "resume", Reason)).GetProperty("run_state").GetString());
        Assert.Equal(OrchestrationStatus.Running, api.Engine.StatusOf(id));

        Assert.Equal("hold_not_settled", GiftcardApi.Code(await VerbAsync(id, "terminate", Reason, 409)));
        await VerbAsync(id, "cancel", Reason);
        Assert.Equal("terminated", (await VerbAsync(id, "terminate", Reason)).GetProperty("run_state").GetString());
        Assert.Equal(OrchestrationStatus.Terminated, api.Engine.StatusOf(id));
        Assert.Equal(["suspend", "resume", "cancel", "terminate"], await VerbsAsync(id));
    }

    [Fact]
    public async Task A_run_that_the_engine_lost_is_started_again_as_the_next_generation_and_one_it_has_is_rung()
    {
        var kept = await StartedAsync();
        await VerbAsync(kept, "reconcile", Reason);
        await Eventually.TrueAsync(() => api.Engine.Rung.Contains(kept));
        Assert.Equal(1, (await RunAsync(kept)).GetProperty("run").GetProperty("generation").GetInt32());

        var lost = await StartedAsync();
        api.Engine.Lose(lost);
        await VerbAsync(lost, "reconcile", Reason);
        await Eventually.TrueAsync(() => api.Engine.StatusOf($"{lost}-g2") == OrchestrationStatus.Running);
        var generations = (await RunAsync(lost)).GetProperty("generations").EnumerateArray().ToList();
        Assert.Equal(["lost", "started"], generations.Select(g => g.GetProperty("state").GetString()));
        Assert.Contains(
            "run_restarted",
            (await RunAsync(lost))
                .GetProperty("timeline")
                .EnumerateArray()
                .Select(e => e.GetProperty("kind").GetString())
        );
    }

    [Fact]
    public async Task Money_is_confirmed_and_extended_only_within_what_binds_a_till()
    {
        var id = await StartedAsync();
        Assert.Equal(
            "invalid_request",
            GiftcardApi.Code(await VerbAsync(id, "confirm", new { reason = "negative", amount = -5 }, 400))
        );
        Assert.Equal(
            "invalid_request",
            GiftcardApi.Code(await VerbAsync(id, "confirm", new { reason = "nothing", amount = 0 }, 400))
        );
        Assert.Equal(
            "limit_exceeded",
            GiftcardApi.Code(await VerbAsync(id, "confirm", new { reason = "too much", amount = 1001 }, 422))
        );
        Assert.Equal(
            "invalid_request",
            GiftcardApi.Code(await VerbAsync(id, "extend", new { reason = "too long", seconds = 8 * 86_400 }, 400))
        );
        await VerbAsync(id, "confirm", new { reason = "customer left", amount = 1000 });
        Assert.Equal(
            "redemption_not_held",
            GiftcardApi.Code(await VerbAsync(id, "extend", new { reason = "too late", seconds = 60 }, 409))
        );
        Assert.Equal("redemption_not_held", GiftcardApi.Code(await VerbAsync(id, "release", Reason, 409)));
    }

    [Fact]
    public async Task A_step_that_is_stuck_is_tried_again_at_once_and_what_needs_no_money_is_skipped()
    {
        var id = await StartedAsync();
        api.Ledger.DeafTo["capture"] = true;
        await api.PostAsync($"/v1/redemptions/{id}/confirm", null, 503);
        await api.SqlAsync(
            $"UPDATE redemptions SET drive_after = now() + interval '1 hour', needs_attention = true WHERE redemption_id = '{GiftcardApi.Uuid(id)}'"
        );
        Assert.Contains(await ListAsync("health=parked"), r => Id(r) == id);
        api.Ledger.DeafTo.Clear();
        await VerbAsync(id, "retry", Reason);
        await api.StateAsync(id, "completed");
        await VerbAsync(id, "skip", new { reason = "mail is down", step = "notify" });
        var step = (await RunAsync(id))
            .GetProperty("steps")
            .EnumerateArray()
            .Single(s => s.GetProperty("step").GetString() == "notify");
        Assert.Equal("skipped", step.GetProperty("state").GetString());
    }

    [Fact]
    public async Task Every_verb_is_refused_for_what_is_not_there_and_without_its_role_or_reason()
    {
        var absent = RedemptionId.New(TimeProvider.System).ToString();
        var id = await StartedAsync();
        foreach (
            var (verb, role) in new[]
            {
                ("confirm", "operator"),
                ("cancel", "operator"),
                ("retry", "operator"),
                ("extend", "operator"),
                ("suspend", "operator"),
                ("resume", "operator"),
                ("reconcile", "operator"),
                ("skip", "admin"),
                ("release", "admin"),
                ("terminate", "admin"),
            }
        )
        {
            object body = verb switch
            {
                "extend" => new { reason = "try it", seconds = 60 },
                "skip" => new { reason = "try it", step = "notify" },
                _ => new { reason = "try it" },
            };
            Assert.Equal("not_found", GiftcardApi.Code(await VerbAsync(absent, verb, body, 404)));
            Assert.Equal(
                "scope_missing",
                GiftcardApi.Code(
                    await api.OperateAsync(
                        $"/ops/v1/runs/{id}/{verb}",
                        body,
                        403,
                        role == "admin" ? "operator" : "viewer"
                    )
                )
            );
            object unexplained = verb switch
            {
                "extend" => new { seconds = 60 },
                "skip" => new { step = "notify" },
                _ => new { },
            };
            Assert.Equal("invalid_request", GiftcardApi.Code(await VerbAsync(id, verb, unexplained, 400)));
        }

        Assert.Empty(await VerbsAsync(id));
    }

    [Fact]
    public async Task A_list_is_asked_only_for_what_there_can_be()
    {
        foreach (
            var query in new[]
            {
                "health=sick",
                "state=lost",
                "run_state=dead",
                "older_than_seconds=-1",
                "limit=0",
                "cursor=x",
            }
        )
        {
            Assert.Equal("invalid_request", GiftcardApi.Code(await api.InspectAsync($"/ops/v1/runs?{query}", 400)));
        }

        Assert.Equal("invalid_request", GiftcardApi.Code(await api.GetAsync("/v1/redemptions?state=lost", 400)));
    }

    [Theory]
    [InlineData("before")]
    [InlineData("after")]
    public async Task Fault_30_a_notification_that_an_operator_skipped_is_not_sent(string when)
    {
        var id = await StartedAsync();
        if (when == "before")
        {
            await VerbAsync(id, "skip", new { reason = "a test of the till", step = "notify" });
        }

        await api.PostAsync($"/v1/redemptions/{id}/confirm", null);
        if (when == "after")
        {
            await VerbAsync(id, "skip", new { reason = "mail is down", step = "notify" });
        }

        var type = when == "before" ? "redemption.completed" : "redemption.notification_skipped";
        JsonElement told = default;
        await Eventually.TrueAsync(() =>
            (
                told = api
                    .Sidecar.Published.Select(p => p.GetProperty("event").GetProperty("data"))
                    .FirstOrDefault(e =>
                        e.GetProperty("type").GetString() == type && e.GetProperty("key").GetString() == id
                    )
            ).ValueKind == JsonValueKind.Object
        );
        Assert.False(told.GetProperty("data").GetProperty("notify").GetBoolean());
        Assert.Equal(
            "step_not_skippable",
            GiftcardApi.Code(await VerbAsync(id, "skip", new { reason = "all of it", step = "publish" }, 409))
        );
    }

    [Fact]
    public async Task Fault_29_a_merchant_learns_that_an_operator_acted_and_not_who_it_was()
    {
        var id = await StartedAsync();
        await VerbAsync(id, "confirm", Reason);
        await VerbAsync(id, "skip", new { reason = "mail is down", step = "notify" });
        var seen = (await api.GetAsync($"/v1/redemptions/{id}/timeline"))
            .GetProperty("data")
            .EnumerateArray()
            .Select(e => e.GetProperty("actor").GetString())
            .ToList();
        Assert.Contains("operator", seen);
        Assert.DoesNotContain(seen, actor => actor!.Contains(':', StringComparison.Ordinal));
        Assert.Contains(
            (await RunAsync(id)).GetProperty("timeline").EnumerateArray(),
            e => e.GetProperty("actor").GetString()!.StartsWith("operator:", StringComparison.Ordinal)
        );
    }

    [Fact]
    public async Task Two_operators_at_the_same_moment_settle_a_run_once()
    {
        for (var round = 0; round < 4; round++)
        {
            var id = await StartedAsync();
            var answers = await Task.WhenAll(
                Enumerable
                    .Range(0, 8)
                    .Select(async i =>
                    {
                        using var answer = await api.SendAsync(
                            HttpMethod.Post,
                            $"/ops/v1/runs/{id}/{(i % 2 == 0 ? "confirm" : "release")}",
                            api.OperatorToken("admin"),
                            Reason,
                            null
                        );
                        return (int)answer.StatusCode;
                    })
            );
            Assert.All(answers, status => Assert.True(status is 200 or 409, $"{status}"));
            var redemption = await api.GetAsync($"/v1/redemptions/{id}");
            Assert.Contains(redemption.GetProperty("state").GetString(), new[] { "completed", "cancelled" });
            Assert.Single(api.Ledger.HoldsOf(id));
        }

        Assert.Equal(0, api.Ledger.Total());
    }

    [Fact]
    public async Task What_is_not_over_is_summed_up_by_health_and_money()
    {
        var before = await SumAsync("waiting");
        var id = await StartedAsync();

        var (count, requested) = await SumAsync("waiting");
        Assert.Equal((before.Count + 1, before.Requested + 1000), (count, requested));

        await VerbAsync(id, "suspend", Reason);
        Assert.Equal(before, await SumAsync("waiting"));
        Assert.True((await SumAsync("suspended")).Requested >= 1000);
    }

    private async Task<(int Count, long Requested)> SumAsync(string health)
    {
        var sums = await api.InspectAsync("/ops/v1/runs/summary");
        Assert.True(sums.GetProperty("is_complete").GetBoolean());
        var parts = sums.GetProperty("data")
            .EnumerateArray()
            .Where(part => part.GetProperty("health").GetString() == health)
            .ToList();
        return (
            parts.Sum(part => part.GetProperty("count").GetInt32()),
            parts.Sum(part => part.GetProperty("requested").GetProperty("amount").GetInt64())
        );
    }

    private async Task<string> StartedAsync()
    {
        api.Engine.Up = true;
        var (_, code) = await api.SellAsync(1000);
        var held = await api.PostAsync("/v1/redemptions", GiftcardApi.Redemption(code, 1000, "two_phase"), 201);
        var id = held.GetProperty("id").GetString()!;
        await Eventually.TrueAsync(
            async () => (await RunAsync(id)).GetProperty("run").GetProperty("run_state").GetString() == "started",
            TimeSpan.FromSeconds(30),
            () => api.Service.Output
        );
        return id;
    }

    private Task<JsonElement> RunAsync(string id) => api.InspectAsync($"/ops/v1/runs/{id}");

    private Task<JsonElement> VerbAsync(string id, string verb, object body, int status = 200) =>
        api.OperateAsync($"/ops/v1/runs/{id}/{verb}", body, status);

    private async Task<IEnumerable<string?>> VerbsAsync(string id) =>
        (await RunAsync(id)).GetProperty("actions").EnumerateArray().Select(a => a.GetProperty("verb").GetString());

    private async Task<List<JsonElement>> ListAsync(string filter) =>
        [.. (await api.InspectAsync($"/ops/v1/runs?limit=200&{filter}")).GetProperty("data").EnumerateArray()];

    private static string? Id(JsonElement run) => run.GetProperty("redemption_id").GetString();
}
