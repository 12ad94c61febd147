using LocalPlus.Kernel;
using LocalPlus.Tests.Integration.Support;

namespace LocalPlus.Tests.Integration.Giftcard;

/// <summary>What a till may do whose merchant is not active.</summary>
public sealed class SuspendedTests(GiftcardApi api) : IClassFixture<GiftcardApi>
{
    [Fact]
    public async Task A_suspension_reaches_the_till_and_what_it_holds_is_settled()
    {
        var (_, key) = api.NewMerchant();
        var (card, code) = await api.SellAsync(5000, key: key);
        var confirmed = await HoldAsync(code, key);
        var cancelled = await HoldAsync(code, key);
        var paid = await api.PostAsync("/v1/redemptions", GiftcardApi.Redemption(code, 300), 201, key: key);
        api.Sidecar.Say(key, "status", "suspended");

        // The verdict on the key is asked for again within five seconds.
        await Eventually.TrueAsync(async () =>
        {
            using var answer = await api.Service.SendAsync(
                HttpMethod.Post,
                "/v1/redemptions/quote",
                key,
                new { amount = GiftcardApi.Eur(100), sources = new[] { new { gift_card = new { code } } } }
            );
            return (int)answer.StatusCode == 403;
        });
        foreach (
            var (path, body) in new (string, object)[]
            {
                ("/v1/redemptions", GiftcardApi.Redemption(code, 100)),
                ("/v1/programs", new { name = "More", currency = "EUR" }),
                ($"/v1/gift_cards/{card}/load", new { amount = GiftcardApi.Eur(100) }),
            }
        )
        {
            var refusal = await api.PostAsync(path, body, 403, key: key);
            Assert.Equal("merchant_suspended", refusal.GetProperty("code").GetString());
        }

        await api.PostAsync($"/v1/redemptions/{confirmed}/confirm", new { }, key: key);
        await api.PostAsync($"/v1/redemptions/{cancelled}/cancel", new { }, key: key);
        var id = paid.GetProperty("id").GetString();
        await api.PostAsync(
            $"/v1/redemptions/{id}/refunds",
            new { amount = GiftcardApi.Eur(100), reason = "damaged" },
            201,
            key: key
        );
        var seen = await api.GetAsync($"/v1/gift_cards/{card}", key: key);
        Assert.Equal(5000 - 1000 - 300 + 100, seen.GetProperty("balance").GetProperty("amount").GetInt64());
    }

    [Theory]
    [InlineData("draft", "merchant_not_active")]
    [InlineData("review", "merchant_not_active")]
    [InlineData("closed", "merchant_closed")]
    public async Task Who_is_not_active_reads_and_sells_nothing(string status, string code)
    {
        var merchant = MerchantId.New(TimeProvider.System);
        var key = api.Sidecar.IssueKey(merchant, "programs:read", "programs:write", "redemptions:write");
        api.Sidecar.Say(key, "status", status);

        var refusal = await api.PostAsync("/v1/programs", new { name = "x", currency = "EUR" }, 403, key: key);

        Assert.Equal(code, refusal.GetProperty("code").GetString());
        await api.GetAsync("/v1/programs", key: key);
        // Refunds of a closed merchant go on: this one only lacks its redemption.
        var refund = $"/v1/redemptions/{RedemptionId.New(TimeProvider.System)}/refunds";
        await api.PostAsync(
            refund,
            new { amount = GiftcardApi.Eur(1), reason = "late" },
            status == "closed" ? 404 : 403,
            key: key
        );
    }

    private async Task<string> HoldAsync(string code, string key) =>
        (await api.PostAsync("/v1/redemptions", GiftcardApi.Redemption(code, 1000, "two_phase"), 201, key: key))
            .GetProperty("id")
            .GetString()!;
}
