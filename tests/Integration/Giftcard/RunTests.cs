using LocalPlus.Giftcard.Runs;
using LocalPlus.Hosting;
using LocalPlus.Kernel;
using Npgsql;

namespace LocalPlus.Tests.Integration.Giftcard;

/// <summary>
/// The operators' API with no engine at all: what it shows comes from SQL, and money needs no engine to be steered.
/// </summary>
public sealed class RunTests(GiftcardApi api) : IClassFixture<GiftcardApi>
{
    private static readonly object Reason = new { reason = "till broke" };

    [Fact]
    public async Task A_run_is_shown_with_its_steps_and_both_sides_of_the_money()
    {
        var id = await HeldAsync(1000);
        var run = await api.InspectAsync($"/ops/v1/runs/{id}");
        Assert.Equal("held", run.GetProperty("run").GetProperty("redemption_state").GetString());
        Assert.Equal("pending", run.GetProperty("ledger").GetProperty("state").GetString());
        Assert.Equal(1000, GiftcardApi.Amount(run.GetProperty("ledger").GetProperty("legs")[0], "held"));
        Assert.Equal(id, run.GetProperty("generations")[0].GetProperty("instance_id").GetString());
        Assert.True(run.GetProperty("engine").TryGetProperty("error", out _));
        Assert.Equal(
            ["accepted", "held"],
            run.GetProperty("timeline").EnumerateArray().Select(e => e.GetProperty("kind").GetString())
        );
        var bundle = await api.InspectAsync($"/ops/v1/runs/{id}/export");
        Assert.Equal("RedemptionV1", bundle.GetProperty("workflow").GetString());
        await api.InspectAsync($"/ops/v1/runs/{RedemptionId.New(TimeProvider.System)}", 404);
    }

    [Fact]
    public async Task Runs_are_listed_by_what_is_wrong_with_them()
    {
        var id = await HeldAsync(1000);
        var merchant = api.Merchant.ToString();
        Assert.Contains(id, await IdsAsync($"state=held&merchant_id={merchant}"));
        Assert.DoesNotContain(id, await IdsAsync("health=parked"));
        await api.SqlAsync(
            $"UPDATE redemptions SET needs_attention = true WHERE redemption_id = '{GiftcardApi.Uuid(id)}'"
        );
        Assert.Contains(id, await IdsAsync("health=parked"));
        Assert.Empty(await IdsAsync($"state=held&merchant_id={MerchantId.New(TimeProvider.System)}"));
    }

    [Fact]
    public async Task An_operator_confirms_and_cancels_in_place_of_the_till()
    {
        var id = await HeldAsync(1000);
        var run = await api.OperateAsync(
            $"/ops/v1/runs/{id}/confirm",
            new { reason = "customer has left", amount = 400 },
            role: "operator"
        );
        Assert.Equal(
            ("completed", 400),
            (run.GetProperty("redemption_state").GetString(), GiftcardApi.Amount(run, "captured"))
        );
        Assert.Equal(
            "already_confirmed",
            GiftcardApi.Code(await api.OperateAsync($"/ops/v1/runs/{id}/cancel", Reason, 409))
        );

        var other = await HeldAsync(1000);
        await api.OperateAsync($"/ops/v1/runs/{other}/cancel", Reason);
        Assert.Equal("cancelled", (await api.GetAsync($"/v1/redemptions/{other}")).GetProperty("state").GetString());
        var actions = (await api.InspectAsync($"/ops/v1/runs/{other}")).GetProperty("actions");
        Assert.Equal(
            ("cancel", "till broke"),
            (actions[0].GetProperty("verb").GetString(), actions[0].GetProperty("reason").GetString())
        );
    }

    [Fact]
    public async Task A_verb_needs_its_role_and_a_reason()
    {
        var id = await HeldAsync(1000);
        await api.OperateAsync($"/ops/v1/runs/{id}/cancel", Reason, 403, "viewer");
        await api.OperateAsync($"/ops/v1/runs/{id}/release", Reason, 403, "operator");
        Assert.Equal(
            "invalid_request",
            GiftcardApi.Code(await api.OperateAsync($"/ops/v1/runs/{id}/cancel", new { reason = "" }, 400))
        );
        Assert.Equal(
            "invalid_request",
            GiftcardApi.Code(await api.OperateAsync($"/ops/v1/runs/{id}/cancel", new { }, 400))
        );
        using var merchant = await api.SendAsync(HttpMethod.Post, $"/ops/v1/runs/{id}/cancel", api.Key, Reason, null);
        Assert.Equal(401, (int)merchant.StatusCode);
    }

    [Fact]
    public async Task A_hold_is_extended_in_the_ledger_and_here()
    {
        var id = await HeldAsync(1000);
        var before = (await api.GetAsync($"/v1/redemptions/{id}")).GetProperty("hold_expires_at").GetDateTimeOffset();
        var run = await api.OperateAsync($"/ops/v1/runs/{id}/extend", new { reason = "long queue", seconds = 600 });
        Assert.Equal(before.AddSeconds(600), run.GetProperty("hold_expires_at").GetDateTimeOffset());
        Assert.Equal(
            before.AddSeconds(600),
            api.Ledger.HoldsOf(id).Single().ExpiresAt.ToDateTimeOffset(),
            TimeSpan.FromMilliseconds(1)
        );
    }

    [Fact]
    public async Task A_capture_that_does_not_come_through_is_seen_and_may_be_given_up()
    {
        var id = await HeldAsync(1000);
        api.Ledger.DeafTo["capture"] = true;
        Assert.Equal("busy", GiftcardApi.Code(await api.PostAsync($"/v1/redemptions/{id}/confirm", null, 503)));
        Assert.Equal("confirming", (await api.GetAsync($"/v1/redemptions/{id}")).GetProperty("state").GetString());
        await api.OperateAsync($"/ops/v1/runs/{id}/release", Reason);
        api.Ledger.DeafTo.Clear();
        Assert.Equal("cancelled", (await api.GetAsync($"/v1/redemptions/{id}")).GetProperty("state").GetString());
    }

    [Fact]
    public async Task A_run_is_terminated_only_when_its_hold_is_settled()
    {
        var id = await HeldAsync(1000);
        Assert.Equal(
            "hold_not_settled",
            GiftcardApi.Code(await api.OperateAsync($"/ops/v1/runs/{id}/terminate", Reason, 409))
        );
        Assert.Equal(
            "step_not_skippable",
            GiftcardApi.Code(
                await api.OperateAsync(
                    $"/ops/v1/runs/{id}/skip",
                    new { reason = "try it", step = "SettleRedemption" },
                    409
                )
            )
        );
        await api.OperateAsync($"/ops/v1/runs/{id}/skip", new { reason = "mail is down", step = "notify" });
        await api.OperateAsync($"/ops/v1/runs/{id}/retry", Reason);
    }

    [Fact]
    public async Task The_operators_deeds_are_a_chain()
    {
        var id = await HeldAsync(1000);
        await api.OperateAsync($"/ops/v1/runs/{id}/confirm", new { reason = "customer has left", amount = 400 });
        for (var i = 0; i < 3; i++)
        {
            await api.OperateAsync("/ops/v1/runs/reconcile", new { reason = $"look {i}" });
        }

        await using var connection = new NpgsqlConnection(api.Database.ConnectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(
            "SELECT verb, subject, role, redemption_id, reason, detail::text, occurred_at, previous_hash, hash FROM operator_actions ORDER BY action_id",
            connection
        );
        await using var rows = await command.ExecuteReaderAsync();
        var previous = new byte[32];
        while (await rows.ReadAsync())
        {
            Assert.Equal(previous, rows.GetFieldValue<byte[]>(7));
            previous = OperatorActionLog.Hash(
                previous,
                rows.GetString(0),
                new OperatorIdentity(rows.GetString(1), rows.GetString(2)),
                rows.IsDBNull(3) ? null : new RedemptionId(rows.GetGuid(3)),
                rows.GetString(4),
                rows.GetString(5),
                rows.GetFieldValue<DateTimeOffset>(6)
            );
            Assert.Equal(previous, rows.GetFieldValue<byte[]>(8));
        }

        await rows.CloseAsync();
        await using var tamper = new NpgsqlCommand("DELETE FROM operator_actions", connection);
        await Assert.ThrowsAsync<PostgresException>(() => tamper.ExecuteNonQueryAsync());
    }

    [Theory]
    [InlineData("confirm")]
    [InlineData("cancel")]
    public async Task Fault_19_a_run_that_did_not_hear_what_was_decided_is_looked_for_at_once(string verb)
    {
        var id = await HeldAsync(1000);
        var run = $"FROM redemption_runs WHERE redemption_id = '{GiftcardApi.Uuid(id)}'";
        await api.SqlAsync(
            $"""
            UPDATE redemption_runs
               SET state = 'waiting', due_at = now() + interval '30 seconds'
             WHERE redemption_id = '{GiftcardApi.Uuid(id)}'
            """
        );

        // No engine hears the bell.
        await api.PostAsync($"/v1/redemptions/{id}/{verb}", null);

        Assert.True(await api.Database.ScalarAsync<bool>($"SELECT due_at <= now() {run}"));
    }

    private async Task<string> HeldAsync(long amount)
    {
        var (_, code) = await api.SellAsync(amount);
        var held = await api.PostAsync("/v1/redemptions", GiftcardApi.Redemption(code, amount, "two_phase"), 201);
        return held.GetProperty("id").GetString()!;
    }

    private async Task<List<string?>> IdsAsync(string filter) =>
        [
            .. (await api.InspectAsync($"/ops/v1/runs?limit=200&{filter}"))
                .GetProperty("data")
                .EnumerateArray()
                .Select(r => r.GetProperty("redemption_id").GetString()),
        ];
}
