using LocalPlus.Kernel;
using LocalPlus.Tests.Integration.Support;

namespace LocalPlus.Tests.Integration.Giftcard;

/// <summary>A payment names a till that the merchant service knows, or none.</summary>
public sealed class TerminalTests(GiftcardApi api) : IClassFixture<GiftcardApi>
{
    [Fact]
    public async Task A_till_that_is_not_the_merchant_s_or_stands_elsewhere_pays_nothing()
    {
        var (_, code) = await api.SellAsync(1000);
        var till = TerminalId.New(TimeProvider.System);

        await RefusedAsync(Payment(code, new TerminalId(GiftcardApi.Stranger)), 400, "invalid_request");
        await RefusedAsync(Payment(code, till, LocationId.New(TimeProvider.System)), 400, "invalid_request");
        await RefusedAsync(Payment(code, new TerminalId(GiftcardApi.Unanswered)), 503, "busy");
        var paid = await api.PostAsync("/v1/redemptions", Payment(code, till, GiftcardApi.PlaceOf(till)), 201);
        Assert.Equal(till.ToString(), paid.GetProperty("terminal_id").GetString());
    }

    [Fact]
    public async Task A_blocked_till_pays_nothing_any_more_and_is_allowed_nothing()
    {
        var (_, code) = await api.SellAsync(1000);
        var till = TerminalId.New(TimeProvider.System);
        await api.PostAsync("/v1/redemptions", Payment(code, till), 201);
        api.BlockedTerminals[till] = true;

        // The merchant service is asked again within five seconds.
        await Eventually.TrueAsync(async () =>
        {
            using var answer = await api.Service.SendAsync(
                HttpMethod.Post,
                "/v1/redemptions/quote",
                api.Key,
                Payment(code, till)
            );
            return (int)answer.StatusCode == 403;
        });
        await RefusedAsync(Payment(code, till), 403, "terminal_blocked");
        var allowance = await api.PostAsync($"/v1/terminals/{till}/offline_allowances", Caps, 403);
        Assert.Equal("terminal_blocked", GiftcardApi.Code(allowance));
    }

    [Fact]
    public async Task Allowances_are_listed_and_one_that_is_taken_back_covers_what_was_sold_before()
    {
        var (_, code) = await api.SellAsync(1000);
        var till = await OfflineTill.OpenAsync(api, 500, 900);
        var path = till.BatchPath.Replace("offline_batches", "offline_allowances", StringComparison.Ordinal);
        var before = till.Item(code, 100);
        var id = (await api.GetAsync(path)).GetProperty("data")[0].GetProperty("id").GetString();

        var revoked = await api.PostAsync($"{path}/{id}/revoke", new { });
        var end = revoked.GetProperty("revoked_at").GetDateTimeOffset();
        var after = till.Item(code, 200, end.AddSeconds(1));
        var items = await till.SettledAsync(before, after);
        Assert.Equal(["done", "refused"], items.Select(i => i.GetProperty("state").GetString()));
        Assert.Equal("offline_allowance_invalid", GiftcardApi.Code(items[1]));

        var listed = (await api.GetAsync(path)).GetProperty("data")[0];
        Assert.Equal(100, GiftcardApi.Amount(listed, "accepted"));
        Assert.Equal(2, listed.GetProperty("items").GetInt32());
        Assert.False(listed.TryGetProperty("token", out _));
        var again = await api.PostAsync($"{path}/{id}/revoke", new { });
        Assert.Equal(end, again.GetProperty("revoked_at").GetDateTimeOffset());
        var (_, other) = api.NewMerchant();
        await api.PostAsync($"{path}/{id}/revoke", new { }, 404, key: other);
        Assert.Empty((await api.GetAsync(path, key: other)).GetProperty("data").EnumerateArray());
    }

    private static readonly object Caps = new
    {
        card_cap = GiftcardApi.Eur(100),
        total_cap = GiftcardApi.Eur(100),
        valid_seconds = 3600,
    };

    private static object Payment(string code, TerminalId till, LocationId? place = null) =>
        new
        {
            mode = "immediate",
            amount = GiftcardApi.Eur(10),
            sources = new[] { new { gift_card = new { code } } },
            terminal_id = till.ToString(),
            location_id = place?.ToString(),
        };

    private async Task RefusedAsync(object payment, int status, string code) =>
        Assert.Equal(code, GiftcardApi.Code(await api.PostAsync("/v1/redemptions", payment, status)));
}
