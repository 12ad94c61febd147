using System.Text.Json;

namespace LocalPlus.Tests.Integration.Giftcard;

/// <summary>
/// Holds are two-phase redemptions by another name; merging, lots and refunds of other tenders beside them.
/// </summary>
public sealed class HoldTests(GiftcardApi api) : IClassFixture<GiftcardApi>
{
    [Fact]
    public async Task A_hold_is_placed_extended_and_captured_and_is_a_redemption_all_along()
    {
        var (card, code) = await api.SellAsync(1000);
        var body = new { amount = GiftcardApi.Eur(400), sources = new[] { new { gift_card = new { code } } } };
        var hold = await api.PostAsync("/v1/holds", body, 201, "hold-1");
        Assert.Equal(hold.GetRawText(), (await api.PostAsync("/v1/holds", body, 201, "hold-1")).GetRawText());
        var id = hold.GetProperty("id").GetString();
        Assert.Equal(
            ("hold", "pending", 400),
            (
                hold.GetProperty("object").GetString(),
                hold.GetProperty("state").GetString(),
                GiftcardApi.Amount(hold, "held")
            )
        );
        var end = hold.GetProperty("expires_at").GetDateTimeOffset().AddMinutes(5);
        var extended = await api.PostAsync(
            $"/v1/holds/{id}/extend",
            new { hold_expires_at = end },
            idempotencyKey: "extend-1"
        );
        Assert.Equal(end, extended.GetProperty("expires_at").GetDateTimeOffset());
        Assert.Equal(
            extended.GetRawText(),
            (
                await api.PostAsync($"/v1/holds/{id}/extend", new { hold_expires_at = end }, idempotencyKey: "extend-1")
            ).GetRawText()
        );

        var captured = await api.PostAsync($"/v1/holds/{id}/capture", new { amount = GiftcardApi.Eur(300) });
        Assert.Equal(
            ("captured", 300),
            (captured.GetProperty("state").GetString(), GiftcardApi.Amount(captured, "captured"))
        );
        Assert.Equal(300, GiftcardApi.Amount(await api.PostAsync($"/v1/holds/{id}/capture", null), "captured"));
        Assert.Equal("already_confirmed", GiftcardApi.Code(await api.PostAsync($"/v1/holds/{id}/release", null, 409)));
        var redemption = await api.GetAsync($"/v1/redemptions/{hold.GetProperty("redemption_id").GetString()}");
        Assert.Equal("completed", redemption.GetProperty("state").GetString());
        Assert.Equal("captured", (await api.GetAsync($"/v1/holds/{id}")).GetProperty("state").GetString());
        Assert.Equal(700, GiftcardApi.Amount(await api.GetAsync($"/v1/gift_cards/{card}"), "balance"));
        var (_, stranger) = api.NewMerchant();
        Assert.Equal("not_found", GiftcardApi.Code(await api.GetAsync($"/v1/holds/{id}", 404, stranger)));
        Assert.Equal(
            "not_found",
            GiftcardApi.Code(await api.PostAsync($"/v1/holds/{id}/release", null, 404, key: stranger))
        );
    }

    [Fact]
    public async Task A_released_hold_is_free_and_refusals_are_those_of_a_redemption()
    {
        var (card, code) = await api.SellAsync(1000);
        var body = new { amount = GiftcardApi.Eur(1001), sources = new[] { new { gift_card = new { code } } } };
        Assert.Equal("insufficient_balance", GiftcardApi.Code(await api.PostAsync("/v1/holds", body, 422)));
        var hold = await api.PostAsync("/v1/holds", body with { amount = GiftcardApi.Eur(1000) }, 201);
        Assert.Equal(
            "released",
            (await api.PostAsync($"/v1/holds/{hold.GetProperty("id").GetString()}/release", new { reason = "no sale" }))
                .GetProperty("state")
                .GetString()
        );
        Assert.Equal(1000, GiftcardApi.Amount(await api.GetAsync($"/v1/gift_cards/{card}"), "balance"));
    }

    [Fact]
    public async Task A_till_extends_its_hold_forwards_within_bounds_and_only_while_it_is_held()
    {
        var (_, code) = await api.SellAsync(1000);
        var held = await api.PostAsync("/v1/redemptions", GiftcardApi.Redemption(code, 400, "two_phase"), 201);
        var id = held.GetProperty("id").GetString()!;
        var end = held.GetProperty("hold_expires_at").GetDateTimeOffset();
        Assert.Equal("invalid_request", GiftcardApi.Code(await ExtendAsync(id, end.AddMinutes(-1), 400)));
        Assert.Equal("invalid_request", GiftcardApi.Code(await ExtendAsync(id, end.AddDays(8), 400)));
        Assert.Equal(
            "invalid_request",
            GiftcardApi.Code(await ExtendAsync(id, TimeProvider.System.GetUtcNow().AddDays(-1), 400))
        );
        await ExtendAsync(id, end.AddMinutes(10));
        Assert.Equal(
            end.AddMinutes(10),
            api.Ledger.HoldsOf(id).Single().ExpiresAt.ToDateTimeOffset(),
            TimeSpan.FromMilliseconds(1)
        );
        await api.PostAsync($"/v1/redemptions/{id}/confirm", null);
        Assert.Equal("redemption_not_held", GiftcardApi.Code(await ExtendAsync(id, end.AddMinutes(20), 409)));
    }

    [Fact]
    public async Task Extensions_and_a_confirm_at_the_same_moment_leave_one_truth()
    {
        var (card, code) = await api.SellAsync(1000);
        var held = await api.PostAsync("/v1/redemptions", GiftcardApi.Redemption(code, 400, "two_phase"), 201);
        var id = held.GetProperty("id").GetString()!;
        var end = held.GetProperty("hold_expires_at").GetDateTimeOffset();
        var answers = await Task.WhenAll(
            Enumerable
                .Range(1, 8)
                .Select(async i =>
                {
                    using var answer =
                        i == 4
                            ? await api.SendAsync(HttpMethod.Post, $"/v1/redemptions/{id}/confirm", api.Key, null, null)
                            : await api.SendAsync(
                                HttpMethod.Post,
                                $"/v1/redemptions/{id}/extend",
                                api.Key,
                                new { hold_expires_at = end.AddMinutes(i) },
                                null
                            );
                    return (int)answer.StatusCode;
                })
        );
        Assert.All(answers, status => Assert.True(status is 200 or 400 or 409, $"{status}"));
        Assert.Equal(200, answers[3]);
        Assert.Equal("completed", (await api.GetAsync($"/v1/redemptions/{id}")).GetProperty("state").GetString());
        Assert.Equal(600, GiftcardApi.Amount(await api.GetAsync($"/v1/gift_cards/{card}"), "balance"));
    }

    [Fact]
    public async Task A_merged_card_gives_all_it_has_and_is_closed()
    {
        var (to, _) = await api.SellAsync(1000);
        var (from, code) = await api.SellAsync(500);
        await api.PostAsync(
            $"/v1/gift_cards/{from}/load",
            new
            {
                amount = GiftcardApi.Eur(200),
                kind = "promo",
                expires_at = TimeProvider.System.GetUtcNow().AddDays(3),
            }
        );
        var merged = await api.PostAsync(
            $"/v1/gift_cards/{to}/merge",
            new { from = new { code } },
            idempotencyKey: "merge-1"
        );
        Assert.Equal(1700, GiftcardApi.Amount(merged, "balance"));
        Assert.Equal(
            merged.GetRawText(),
            (
                await api.PostAsync(
                    $"/v1/gift_cards/{to}/merge",
                    new { from = new { code } },
                    idempotencyKey: "merge-1"
                )
            ).GetRawText()
        );
        Assert.Equal("closed", (await api.GetAsync($"/v1/gift_cards/{from}")).GetProperty("status").GetString());
        Assert.Equal(
            "gift_card_not_usable",
            GiftcardApi.Code(await api.PostAsync($"/v1/gift_cards/{to}/merge", new { from = new { code } }, 404))
        );
        var lots = (await api.GetAsync($"/v1/gift_cards/{to}/lots")).GetProperty("data").EnumerateArray().ToList();
        Assert.Equal(
            [("promo", 200), ("paid", 1500)],
            lots.Select(l => (l.GetProperty("kind").GetString(), GiftcardApi.Amount(l, "balance")))
        );
        Assert.Equal(0, api.Ledger.Total());
    }

    [Fact]
    public async Task A_card_with_held_value_or_of_another_merchant_or_itself_is_not_merged()
    {
        var (to, own) = await api.SellAsync(1000);
        var (_, code) = await api.SellAsync(500);
        await api.PostAsync("/v1/redemptions", GiftcardApi.Redemption(code, 100, "two_phase"), 201);
        Assert.Equal(
            "gift_card_state",
            GiftcardApi.Code(await api.PostAsync($"/v1/gift_cards/{to}/merge", new { from = new { code } }, 409))
        );
        Assert.Equal(
            "invalid_request",
            GiftcardApi.Code(await api.PostAsync($"/v1/gift_cards/{to}/merge", new { from = new { code = own } }, 400))
        );
        Assert.Equal(
            "invalid_request",
            GiftcardApi.Code(await api.PostAsync($"/v1/gift_cards/{to}/merge", new { from = new { id = to } }, 400))
        );
        var (_, key) = api.NewMerchant();
        var (_, foreign) = await api.SellAsync(100, key: key);
        Assert.Equal(
            "gift_card_not_usable",
            GiftcardApi.Code(
                await api.PostAsync($"/v1/gift_cards/{to}/merge", new { from = new { code = foreign } }, 404)
            )
        );
    }

    [Fact]
    public async Task A_merge_and_a_payment_at_the_same_moment_spend_nothing_twice()
    {
        for (var round = 0; round < 5; round++)
        {
            var (to, _) = await api.SellAsync(1000);
            var (from, code) = await api.SellAsync(500);
            await Task.WhenAll(
                Send($"/v1/gift_cards/{to}/merge", new { from = new { id = from } }),
                Send("/v1/redemptions", GiftcardApi.Redemption(code, 500))
            );
            var (target, source) = (
                await api.GetAsync($"/v1/gift_cards/{to}"),
                await api.GetAsync($"/v1/gift_cards/{from}")
            );
            var spent =
                (await api.GetAsync($"/v1/redemptions?gift_card_id={from}")).GetProperty("data").GetArrayLength() * 500;
            Assert.Equal(1500, GiftcardApi.Amount(target, "balance") + GiftcardApi.Amount(source, "balance") + spent);
            Assert.Equal(0, api.Ledger.Total());
        }
    }

    [Fact]
    public async Task What_was_paid_elsewhere_is_refunded_onto_a_card_even_one_that_is_not_reloadable()
    {
        var program = await api.ProgramAsync(
            new
            {
                name = "Once",
                currency = "EUR",
                reloadable = false,
                max_load = GiftcardApi.Eur(1000),
                max_balance = GiftcardApi.Eur(5000),
            }
        );
        var (id, _) = await api.SellAsync(1000, program);
        Assert.Equal(
            "program_state",
            GiftcardApi.Code(
                await api.PostAsync($"/v1/gift_cards/{id}/load", new { amount = GiftcardApi.Eur(100) }, 409)
            )
        );
        var card = await api.PostAsync(
            $"/v1/gift_cards/{id}/load",
            new
            {
                amount = GiftcardApi.Eur(2000),
                kind = "refund",
                reference = "card-payment-1",
            }
        );
        Assert.Equal(3000, GiftcardApi.Amount(card, "balance"));
        Assert.Equal(2000, api.Ledger.AccountNamed(api.Merchant.ToString(), $"card:{id}:refund").Posted);
        Assert.Equal(
            "reference_reused",
            GiftcardApi.Code(
                await api.PostAsync(
                    $"/v1/gift_cards/{id}/load",
                    new
                    {
                        amount = GiftcardApi.Eur(2000),
                        kind = "refund",
                        reference = "card-payment-1",
                    },
                    422
                )
            )
        );
        Assert.Equal(
            "limit_exceeded",
            GiftcardApi.Code(
                await api.PostAsync(
                    $"/v1/gift_cards/{id}/load",
                    new { amount = GiftcardApi.Eur(2001), kind = "refund" },
                    422
                )
            )
        );
    }

    private Task<JsonElement> ExtendAsync(string id, DateTimeOffset end, int status = 200) =>
        api.PostAsync($"/v1/redemptions/{id}/extend", new { hold_expires_at = end }, status);

    private async Task Send(string path, object body)
    {
        using var answer = await api.SendAsync(HttpMethod.Post, path, api.Key, body, null);
        Assert.True((int)answer.StatusCode is < 500 or 503, $"{answer.StatusCode}");
    }
}
