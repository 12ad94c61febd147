using System.Text.Json;
using LocalPlus.Tests.Integration.Support;

namespace LocalPlus.Tests.Integration.Giftcard;

public sealed class RedemptionTests(GiftcardApi api) : IClassFixture<GiftcardApi>
{
    [Fact]
    public async Task An_immediate_redemption_takes_the_value_at_once()
    {
        var (card, code) = await api.SellAsync(5000);
        var redemption = await api.PostAsync("/v1/redemptions", GiftcardApi.Redemption(code, 3000), 201);
        Assert.Equal("completed", State(redemption));
        Assert.Equal(3000, GiftcardApi.Amount(redemption, "captured"));
        Assert.Equal(2000, GiftcardApi.Amount(redemption.GetProperty("sources")[0], "balance_after"));
        Assert.Equal(2000, GiftcardApi.Amount(await api.GetAsync($"/v1/gift_cards/{card}"), "balance"));

        var activities = (await api.GetAsync($"/v1/gift_cards/{card}/activities")).GetProperty("data");
        Assert.Equal(
            ["redeem", "activate"],
            activities.EnumerateArray().Select(a => a.GetProperty("type").GetString())
        );
        Assert.Equal([2000, 5000], activities.EnumerateArray().Select(a => GiftcardApi.Amount(a, "balance_after")));
    }

    [Fact]
    public async Task A_held_amount_is_not_available_to_a_second_till_until_it_is_cancelled()
    {
        var (card, code) = await api.SellAsync(5000);
        var held = await api.PostAsync("/v1/redemptions", GiftcardApi.Redemption(code, 3000, "two_phase"), 201);
        Assert.Equal("held", State(held));
        Assert.Equal("running", held.GetProperty("run").GetProperty("status").GetString());
        var view = await api.GetAsync($"/v1/gift_cards/{card}");
        Assert.Equal((2000, 3000), (GiftcardApi.Amount(view, "balance"), GiftcardApi.Amount(view, "held")));

        var refused = await api.PostAsync("/v1/redemptions", GiftcardApi.Redemption(code, 3000, "two_phase"), 422);
        Assert.Equal("insufficient_balance", GiftcardApi.Code(refused));
        Assert.Equal(2000, GiftcardApi.Amount(refused, "available"));

        var id = held.GetProperty("id").GetString();
        Assert.Equal("cancelled", State(await api.PostAsync($"/v1/redemptions/{id}/cancel", null)));
        Assert.Equal(5000, GiftcardApi.Amount(await api.GetAsync($"/v1/gift_cards/{card}"), "balance"));
        Assert.Equal(
            "already_cancelled",
            GiftcardApi.Code(await api.PostAsync($"/v1/redemptions/{id}/confirm", null, 409))
        );
    }

    [Fact]
    public async Task A_confirm_with_less_captures_less_and_may_be_resent_for_ever()
    {
        var (card, code) = await api.SellAsync(5000);
        var id = (await api.PostAsync("/v1/redemptions", GiftcardApi.Redemption(code, 3000, "two_phase"), 201))
            .GetProperty("id")
            .GetString();
        var less = new { amount = GiftcardApi.Eur(1250) };
        var confirmed = await api.PostAsync($"/v1/redemptions/{id}/confirm", less, idempotencyKey: "confirm-less");
        Assert.Equal(("completed", 1250), (State(confirmed), GiftcardApi.Amount(confirmed, "captured")));
        Assert.Equal(
            confirmed.GetRawText(),
            (await api.PostAsync($"/v1/redemptions/{id}/confirm", less, idempotencyKey: "confirm-less")).GetRawText()
        );
        Assert.Equal(1250, GiftcardApi.Amount(await api.PostAsync($"/v1/redemptions/{id}/confirm", less), "captured"));
        Assert.Equal(1250, GiftcardApi.Amount(await api.PostAsync($"/v1/redemptions/{id}/confirm", null), "captured"));
        Assert.Equal(
            "already_confirmed",
            GiftcardApi.Code(
                await api.PostAsync($"/v1/redemptions/{id}/confirm", new { amount = GiftcardApi.Eur(1251) }, 409)
            )
        );
        Assert.Equal(
            "already_confirmed",
            GiftcardApi.Code(await api.PostAsync($"/v1/redemptions/{id}/cancel", null, 409))
        );
        Assert.Equal(3750, GiftcardApi.Amount(await api.GetAsync($"/v1/gift_cards/{card}"), "balance"));
    }

    [Fact]
    public async Task Several_cards_pay_in_the_order_they_were_named()
    {
        var program = await api.ProgramAsync();
        var (_, first) = await api.SellAsync(1000, program);
        var (_, second) = await api.SellAsync(1000, program);
        var body = new
        {
            mode = "immediate",
            amount = GiftcardApi.Eur(1400),
            sources = new object[]
            {
                new { gift_card = new { code = first }, max_amount = GiftcardApi.Eur(600) },
                new { gift_card = new { code = second } },
            },
        };
        var sources = (await api.PostAsync("/v1/redemptions", body, 201)).GetProperty("sources");
        Assert.Equal([600, 800], sources.EnumerateArray().Select(s => GiftcardApi.Amount(s, "captured")));
    }

    [Fact]
    public async Task A_shortage_is_a_refusal_or_a_partial_approval_as_the_till_asks()
    {
        var (_, code) = await api.SellAsync(1000);
        var quote = await api.PostAsync(
            "/v1/redemptions/quote",
            GiftcardApi.Redemption(code, 1500, partial: "allow"),
            idempotencyKey: ""
        );
        Assert.Equal(
            ("partially_approved", 1000),
            (quote.GetProperty("would_be").GetString(), GiftcardApi.Amount(quote, "approved"))
        );
        await api.PostAsync("/v1/redemptions", GiftcardApi.Redemption(code, 1500), 422);
        var partial = await api.PostAsync("/v1/redemptions", GiftcardApi.Redemption(code, 1500, partial: "allow"), 201);
        Assert.Equal(
            (1000, 500),
            (GiftcardApi.Amount(partial, "approved"), GiftcardApi.Amount(partial, "remaining_due"))
        );
    }

    [Fact]
    public async Task The_same_key_replays_the_answer_and_another_body_is_refused()
    {
        var (card, code) = await api.SellAsync(5000);
        var body = GiftcardApi.Redemption(code, 1000);
        var first = await api.PostAsync("/v1/redemptions", body, 201, "till-1");
        using var again = await api.SendAsync(HttpMethod.Post, "/v1/redemptions", api.Key, body, "till-1");
        Assert.Equal("true", again.Headers.GetValues("Idempotency-Replayed").Single());
        Assert.Equal(first.GetRawText(), await again.Content.ReadAsStringAsync());
        Assert.Equal(
            "idempotency_key_reused",
            GiftcardApi.Code(await api.PostAsync("/v1/redemptions", GiftcardApi.Redemption(code, 1001), 422, "till-1"))
        );
        var refusal = await api.PostAsync("/v1/redemptions", GiftcardApi.Redemption(code, 9000), 422, "till-2");
        Assert.Equal(
            refusal.GetRawText(),
            (await api.PostAsync("/v1/redemptions", GiftcardApi.Redemption(code, 9000), 422, "till-2")).GetRawText()
        );
        Assert.Equal(4000, GiftcardApi.Amount(await api.GetAsync($"/v1/gift_cards/{card}"), "balance"));
    }

    [Fact]
    public async Task A_reference_is_used_up_by_a_redemption_but_not_by_a_refusal()
    {
        var (_, code) = await api.SellAsync(1000);
        await api.PostAsync("/v1/redemptions", GiftcardApi.Redemption(code, 9000, reference: "tck-1"), 422);
        await api.PostAsync("/v1/redemptions", GiftcardApi.Redemption(code, 100, reference: "tck-1"), 201);
        Assert.Equal(
            "reference_reused",
            GiftcardApi.Code(
                await api.PostAsync("/v1/redemptions", GiftcardApi.Redemption(code, 100, reference: "tck-1"), 422)
            )
        );
    }

    [Fact]
    public async Task Refunds_return_to_the_card_and_never_exceed_what_was_captured()
    {
        var (card, code) = await api.SellAsync(5000);
        var id = (await api.PostAsync("/v1/redemptions", GiftcardApi.Redemption(code, 3000), 201))
            .GetProperty("id")
            .GetString();
        var refund = await api.PostAsync(
            $"/v1/redemptions/{id}/refunds",
            new { amount = GiftcardApi.Eur(1000), reason = "damaged" },
            201,
            "refund-1"
        );
        Assert.Equal(
            ("completed", "partially_refunded"),
            (State(refund), refund.GetProperty("redemption_state").GetString())
        );
        Assert.Equal(
            refund.GetRawText(),
            (
                await api.PostAsync(
                    $"/v1/redemptions/{id}/refunds",
                    new { amount = GiftcardApi.Eur(1000), reason = "damaged" },
                    201,
                    "refund-1"
                )
            ).GetRawText()
        );
        Assert.Equal(
            "refund_exceeds_captured",
            GiftcardApi.Code(
                await api.PostAsync($"/v1/redemptions/{id}/refunds", new { amount = GiftcardApi.Eur(2001) }, 422)
            )
        );
        await api.PostAsync($"/v1/redemptions/{id}/refunds", null, 201);
        Assert.Equal("refunded", State(await api.GetAsync($"/v1/redemptions/{id}")));
        Assert.Equal(
            "refund_exceeds_captured",
            GiftcardApi.Code(await api.PostAsync($"/v1/redemptions/{id}/refunds", null, 422))
        );
        Assert.Equal(5000, GiftcardApi.Amount(await api.GetAsync($"/v1/gift_cards/{card}"), "balance"));
        Assert.Equal(2, (await api.GetAsync($"/v1/redemptions/{id}/refunds")).GetProperty("data").GetArrayLength());
    }

    [Theory]
    [InlineData("immediate", "spend", "captured")]
    [InlineData("two_phase", "place", "approved")]
    public async Task A_redemption_whose_answer_the_ledger_lost_is_finished_and_answered_the_same(
        string mode,
        string call,
        string taken
    )
    {
        var (card, code) = await api.SellAsync(5000);
        var body = GiftcardApi.Redemption(code, 2000, mode);
        api.Ledger.MuteAfter[call] = true;
        Assert.Equal("busy", GiftcardApi.Code(await api.PostAsync("/v1/redemptions", body, 503, $"till-{mode}")));
        Assert.Equal(
            "request_in_progress",
            GiftcardApi.Code(await api.PostAsync("/v1/redemptions", body, 409, $"till-{mode}"))
        );
        api.Ledger.MuteAfter.Clear();

        JsonElement redemption = default;
        await Eventually.TrueAsync(async () =>
        {
            using var answer = await api.SendAsync(HttpMethod.Post, "/v1/redemptions", api.Key, body, $"till-{mode}");
            redemption = JsonSerializer.Deserialize<JsonElement>(await answer.Content.ReadAsStringAsync());
            return (int)answer.StatusCode == 201;
        });
        Assert.Equal(2000, GiftcardApi.Amount(redemption, taken));
        Assert.Equal(3000, GiftcardApi.Amount(await api.GetAsync($"/v1/gift_cards/{card}"), "balance"));
        Assert.Equal(1, api.Ledger.TimesTaken(redemption.GetProperty("id").GetString()!));
    }

    [Fact]
    public async Task A_hold_that_runs_out_is_given_back_without_the_workflow_engine()
    {
        var (card, code) = await api.SellAsync(5000);
        var body = new
        {
            mode = "two_phase",
            amount = GiftcardApi.Eur(1000),
            hold_ttl_seconds = 10,
            sources = new[] { new { gift_card = new { code } } },
        };
        var id = (await api.PostAsync("/v1/redemptions", body, 201)).GetProperty("id").GetString()!;
        await api.SqlAsync("UPDATE redemptions SET hold_expires_at = now() - interval '1 minute' WHERE state = 'held'");
        await api.StateAsync(id, "expired");
        Assert.Equal(5000, GiftcardApi.Amount(await api.GetAsync($"/v1/gift_cards/{card}"), "balance"));
        Assert.Equal("hold_expired", GiftcardApi.Code(await api.PostAsync($"/v1/redemptions/{id}/confirm", null, 409)));
        Assert.Equal("expired", State(await api.PostAsync($"/v1/redemptions/{id}/cancel", null)));
    }

    [Fact]
    public async Task A_confirm_that_comes_after_the_ledger_let_go_of_the_hold_is_refused_and_the_redemption_has_expired()
    {
        var (_, code) = await api.SellAsync(5000);
        var id = (await api.PostAsync("/v1/redemptions", GiftcardApi.Redemption(code, 1000, "two_phase"), 201))
            .GetProperty("id")
            .GetString()!;
        api.Ledger.Expire(id);
        Assert.Equal("hold_expired", GiftcardApi.Code(await api.PostAsync($"/v1/redemptions/{id}/confirm", null, 409)));
        Assert.Equal("expired", State(await api.GetAsync($"/v1/redemptions/{id}")));
    }

    [Fact]
    public async Task The_timeline_tells_what_happened_and_the_events_say_it_to_the_world()
    {
        var (_, code) = await api.SellAsync(5000);
        var id = (await api.PostAsync("/v1/redemptions", GiftcardApi.Redemption(code, 1000, "two_phase"), 201))
            .GetProperty("id")
            .GetString()!;
        await api.PostAsync($"/v1/redemptions/{id}/confirm", null);
        var kinds = (await api.GetAsync($"/v1/redemptions/{id}/timeline"))
            .GetProperty("data")
            .EnumerateArray()
            .Select(e => e.GetProperty("kind").GetString());
        Assert.Equal(["accepted", "held", "confirm", "completed"], kinds);
        await Eventually.TrueAsync(() => TypesOf(id).SequenceEqual(["redemption.held", "redemption.completed"]));
    }

    [Fact]
    public async Task A_redemption_is_listed_and_belongs_to_its_merchant()
    {
        var (card, code) = await api.SellAsync(5000);
        var id = (await api.PostAsync("/v1/redemptions", GiftcardApi.Redemption(code, 1000), 201))
            .GetProperty("id")
            .GetString()!;
        var list = (await api.GetAsync($"/v1/redemptions?gift_card_id={card}&state=completed")).GetProperty("data");
        Assert.Equal(id, Assert.Single(list.EnumerateArray()).GetProperty("id").GetString());
        var (_, stranger) = api.NewMerchant();
        Assert.Equal("not_found", GiftcardApi.Code(await api.GetAsync($"/v1/redemptions/{id}", 404, stranger)));
        Assert.Equal(
            "not_found",
            GiftcardApi.Code(await api.PostAsync($"/v1/redemptions/{id}/cancel", null, 404, key: stranger))
        );
        Assert.Equal(
            "not_found",
            GiftcardApi.Code(await api.PostAsync($"/v1/redemptions/{id}/refunds", null, 404, key: stranger))
        );
    }

    private IEnumerable<string?> TypesOf(string id) =>
        api
            .Sidecar.Published.Where(e => e.GetProperty("topic").GetString() == "giftcard.redemptions.v1")
            .Select(e => e.GetProperty("event").GetProperty("data"))
            .Where(e => e.GetProperty("key").GetString() == id)
            .OrderBy(e => e.GetProperty("sequence").GetInt64())
            .Select(e => e.GetProperty("type").GetString());

    private static string? State(JsonElement body) => body.GetProperty("state").GetString();
}
