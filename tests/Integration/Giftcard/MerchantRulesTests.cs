using System.Text.Json;
using LocalPlus.Kernel;
using LocalPlus.Tests.Integration.Support;

namespace LocalPlus.Tests.Integration.Giftcard;

/// <summary>What comes with the verdict on a till's key: how its merchant wants its redemptions.</summary>
public sealed class MerchantRulesTests(GiftcardApi api) : IClassFixture<GiftcardApi>
{
    private const string Paid = "paid";

    [Fact]
    public async Task A_hold_lasts_and_a_part_suffices_as_the_merchant_says_unless_the_till_does()
    {
        var key = NewKey(new { hold_seconds = 60, partial = "allow" });
        var (_, code) = await api.SellAsync(1000, key: key);

        var hold = await RedeemAsync(key, GiftcardApi.Redemption(code, 1500, "two_phase"));
        var seconds = Lasts(hold);
        Assert.Equal(60, seconds);
        Assert.Equal(1000, hold.GetProperty("approved").GetProperty("amount").GetInt64());
        await api.PostAsync($"/v1/redemptions/{hold.GetProperty("id").GetString()}/cancel", new { }, key: key);

        var refused = await api.PostAsync(
            "/v1/redemptions",
            GiftcardApi.Redemption(code, 1500, partial: "refuse"),
            422,
            key: key
        );
        Assert.Equal("insufficient_balance", refused.GetProperty("code").GetString());
        var quote = await api.PostAsync("/v1/redemptions/quote", GiftcardApi.Redemption(code, 1500), key: key);
        Assert.Equal("partially_approved", quote.GetProperty("would_be").GetString());
    }

    [Fact]
    public async Task A_merchant_s_time_for_refunds_ends()
    {
        var key = NewKey(new { refund_days = 30 });
        var (_, code) = await api.SellAsync(1000, key: key);
        var (old, young) = (await IdAsync(key, code), await IdAsync(key, code));
        var id = GiftcardApi.Uuid(old);
        await api.SqlAsync(
            $"UPDATE redemptions SET created_at = created_at - interval '31 days' WHERE redemption_id = '{id}'"
        );

        var refund = new { amount = GiftcardApi.Eur(10), reason = "damaged" };
        await api.PostAsync($"/v1/redemptions/{young}/refunds", refund, 201, key: key);
        var late = await api.PostAsync($"/v1/redemptions/{old}/refunds", refund, 422, key: key);

        Assert.Equal("refund_window_closed", late.GetProperty("code").GetString());
    }

    [Fact]
    public async Task Of_many_redemptions_of_one_card_at_once_the_limit_lets_through_as_many_as_it_says()
    {
        const int allowed = 3;
        var key = NewKey(
            Limits(
                new
                {
                    per = "card",
                    within = "day",
                    count = allowed,
                }
            )
        );
        var (_, code) = await api.SellAsync(100_000, key: key);

        var outcomes = await Task.WhenAll(
            Enumerable.Range(0, 12).Select(_ => OutcomeAsync(key, GiftcardApi.Redemption(code, 100)))
        );

        Assert.Equal(allowed, outcomes.Count(outcome => outcome == Paid));
        Assert.Equal(12 - allowed, outcomes.Count(outcome => outcome == "velocity_limit"));
        var refusal = await api.PostAsync("/v1/redemptions", GiftcardApi.Redemption(code, 100), 429, key: key);
        Assert.Equal("velocity_limit", refusal.GetProperty("code").GetString());
        Assert.Equal("card", refusal.GetProperty("per").GetString());
        Assert.InRange(refusal.GetProperty("retry_after_seconds").GetInt64(), 0, 24 * 3600);
        // Another card has a count of its own, and so has another merchant.
        var (_, other) = await api.SellAsync(1000, key: key);
        await RedeemAsync(key, GiftcardApi.Redemption(other, 100));
    }

    [Fact]
    public async Task An_amount_is_limited_and_a_redemption_that_is_refused_counts_for_nothing()
    {
        var key = NewKey(
            Limits(
                new
                {
                    per = "card",
                    within = "hour",
                    amount = GiftcardApi.Eur(500),
                }
            )
        );
        var (_, code) = await api.SellAsync(450, key: key);

        await CodeAsync(key, GiftcardApi.Redemption(code, 501), 429, "velocity_limit");
        await CodeAsync(key, GiftcardApi.Redemption(code, 480), 422, "insufficient_balance");
        await RedeemAsync(key, GiftcardApi.Redemption(code, 400));
        await CodeAsync(key, GiftcardApi.Redemption(code, 101), 429, "velocity_limit");
        await RedeemAsync(key, GiftcardApi.Redemption(code, 50));
    }

    [Fact]
    public async Task Equal_requests_count_once()
    {
        var key = NewKey(
            Limits(
                new
                {
                    per = "card",
                    within = "day",
                    count = 2,
                }
            )
        );
        var (_, code) = await api.SellAsync(1000, key: key);
        var once = Guid.CreateVersion7().ToString();

        for (var i = 0; i < 3; i++)
        {
            await api.PostAsync("/v1/redemptions", GiftcardApi.Redemption(code, 10), 201, once, key);
        }

        await RedeemAsync(key, GiftcardApi.Redemption(code, 10));
        await CodeAsync(key, GiftcardApi.Redemption(code, 10), 429, "velocity_limit");
    }

    [Fact]
    public async Task A_terminal_that_is_limited_has_to_be_named()
    {
        var key = NewKey(
            Limits(
                new
                {
                    per = "terminal",
                    within = "hour",
                    count = 1,
                }
            )
        );
        var (_, code) = await api.SellAsync(1000, key: key);
        var terminal = TerminalId.New(TimeProvider.System).ToString();
        object At(string? till) =>
            new
            {
                mode = "immediate",
                amount = GiftcardApi.Eur(10),
                sources = new[] { new { gift_card = new { code } } },
                terminal_id = till,
            };

        await CodeAsync(key, At(null), 400, "invalid_request");
        await RedeemAsync(key, At(terminal));
        await CodeAsync(key, At(terminal), 429, "velocity_limit");
        await RedeemAsync(key, At(TerminalId.New(TimeProvider.System).ToString()));
    }

    /// <summary>What a till is told in the end, which asks again while it is told to.</summary>
    private async Task<string> OutcomeAsync(string key, object redemption)
    {
        var (once, outcome) = (Guid.CreateVersion7().ToString(), "");
        await Eventually.TrueAsync(async () =>
        {
            using var answer = await api.SendAsync(HttpMethod.Post, "/v1/redemptions", key, redemption, once);
            outcome =
                (int)answer.StatusCode == 201
                    ? Paid
                    : GiftcardApi.Code(JsonElement.Parse(await answer.Content.ReadAsStringAsync()));
            return outcome is Paid or "velocity_limit";
        });
        return outcome;
    }

    private static object Limits(params object[] limits) => new { velocity_limits = limits };

    private static double Lasts(JsonElement hold) =>
        Math.Round(
            (
                hold.GetProperty("hold_expires_at").GetDateTimeOffset()
                - hold.GetProperty("created_at").GetDateTimeOffset()
            ).TotalSeconds
        );

    private string NewKey(object settings)
    {
        var (_, key) = api.NewMerchant();
        api.Sidecar.Say(key, "settings", settings);
        return key;
    }

    private Task<JsonElement> RedeemAsync(string key, object redemption) =>
        api.PostAsync("/v1/redemptions", redemption, 201, key: key);

    private async Task<string> IdAsync(string key, string code) =>
        (await RedeemAsync(key, GiftcardApi.Redemption(code, 100))).GetProperty("id").GetString()!;

    private async Task CodeAsync(string key, object redemption, int status, string code) =>
        Assert.Equal(
            code,
            (await api.PostAsync("/v1/redemptions", redemption, status, key: key)).GetProperty("code").GetString()
        );
}
