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
    public async Task What_is_sold_loaded_and_paid_at_a_till_is_told_with_it_and_with_its_programme()
    {
        var till = TerminalId.New(TimeProvider.System);
        var place = GiftcardApi.PlaceOf(till);
        var program = await api.ProgramAsync();
        var sale = new
        {
            program_id = program,
            amount = GiftcardApi.Eur(1000),
            location_id = place.ToString(),
            terminal_id = till.ToString(),
        };
        var sold = await api.PostAsync("/v1/gift_cards", sale, 201);
        var card = sold.GetProperty("id").GetString()!;
        await api.PostAsync(
            $"/v1/gift_cards/{card}/load",
            new { amount = GiftcardApi.Eur(500), terminal_id = till.ToString() }
        );
        var paid = await api.PostAsync(
            "/v1/redemptions",
            Payment(sold.GetProperty("code").GetString()!, till, place),
            201
        );
        await api.PostAsync($"/v1/redemptions/{paid.GetProperty("id").GetString()}/refunds", new { }, 201);
        var told = await ToldAsync(card, "gift_card.activated");
        Assert.Equal(
            (place.ToString(), till.ToString(), "activate"),
            (Text(told, "location_id"), Text(told, "terminal_id"), Text(told, "activity"))
        );
        var loaded = await ToldAsync(card, "gift_card.loaded");
        Assert.False(loaded.TryGetProperty("location_id", out _));
        Assert.Equal((till.ToString(), "load"), (Text(loaded, "terminal_id"), Text(loaded, "activity")));
        foreach (var type in (string[])["redemption.completed", "redemption.refunded"])
        {
            var redemption = await ToldAsync(paid.GetProperty("id").GetString()!, type);
            Assert.Equal(till.ToString(), Text(redemption, "terminal_id"));
            Assert.Equal(program, Text(redemption.GetProperty("sources")[0], "program_id"));
        }

        // Nothing is sold at a till that is not the merchant's.
        await RefusedSaleAsync(sale with { terminal_id = new TerminalId(GiftcardApi.Stranger).ToString() });
    }

    private async Task RefusedSaleAsync(object sale) =>
        Assert.Equal("invalid_request", GiftcardApi.Code(await api.PostAsync("/v1/gift_cards", sale, 400)));

    private async Task<System.Text.Json.JsonElement> ToldAsync(string key, string type)
    {
        System.Text.Json.JsonElement told = default;
        await Eventually.TrueAsync(() =>
        {
            told = api
                .Sidecar.Published.Select(p => p.GetProperty("event").GetProperty("data"))
                .FirstOrDefault(e =>
                    e.GetProperty("key").GetString() == key && e.GetProperty("type").GetString() == type
                );
            return Task.FromResult(told.ValueKind == System.Text.Json.JsonValueKind.Object);
        });
        return told.GetProperty("data");
    }

    private static string? Text(System.Text.Json.JsonElement body, string name) => body.GetProperty(name).GetString();

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
