using System.Text.Json;
using LocalPlus.Kernel;

namespace LocalPlus.Tests.Integration.Giftcard;

/// <summary>What became of redemptions, each counted once, and their money as the ledger has it.</summary>
public sealed class FunnelTests(GiftcardApi api) : IClassFixture<GiftcardApi>
{
    /// <summary>Some tests go on beyond midnight.</summary>
    private static readonly DateTimeOffset Today = TimeProvider.System.GetUtcNow();

    [Fact]
    public async Task Each_redemption_is_completed_cancelled_abandoned_refused_or_open()
    {
        var (merchant, key) = api.NewMerchant();
        var program = await api.ProgramAsync(key: key);
        var (_, code) = await api.SellAsync(10_000, program, key);
        await api.PostAsync("/v1/redemptions", GiftcardApi.Redemption(code, 1_000), 201, key: key);
        var confirmed = await HoldAsync(code, 700, key);
        await api.PostAsync($"/v1/redemptions/{confirmed}/confirm", new { amount = GiftcardApi.Eur(600) }, key: key);
        await api.PostAsync($"/v1/redemptions/{await HoldAsync(code, 50, key)}/cancel", new { }, key: key);
        await HoldAsync(code, 40, key);
        await api.PostAsync("/v1/redemptions", GiftcardApi.Redemption(code, 90_000), 422, key: key);
        await api.PostAsync("/v1/redemptions", GiftcardApi.Redemption(code, 90_001), 422, key: key);
        var refunded = await api.PostAsync("/v1/redemptions", GiftcardApi.Redemption(code, 300), 201, key: key);
        await api.PostAsync(
            $"/v1/redemptions/{refunded.GetProperty("id").GetString()}/refunds",
            new { amount = GiftcardApi.Eur(300) },
            201,
            key: key
        );

        var line = Assert.Single(await LinesAsync(key, "&by=program"));
        Assert.Equal(program, line.GetProperty("program_id").GetString());
        Assert.Equal((7, 182_091), Step(line, "created"));
        Assert.Equal((3, 1_900), Step(line, "completed"));
        Assert.Equal(
            (3, 1, 1, 0, 2, 1),
            (
                Number(line, "held"),
                Number(line, "confirmed"),
                Number(line, "cancelled"),
                Number(line, "abandoned"),
                Number(line, "refused"),
                Number(line, "open")
            )
        );
        // What was captured, less the refund, is owed to the merchant.
        Assert.Equal(
            Step(line, "completed").Amount - 300,
            api.Ledger.AccountNamed(merchant.ToString(), "merchant:payable").Posted
        );
        var refusal = Assert.Single(line.GetProperty("refusals").EnumerateArray());
        Assert.Equal(("insufficient_balance", 2), (refusal.GetProperty("code").GetString(), Number(refusal, "count")));
        var durations = line.GetProperty("durations")
            .EnumerateArray()
            .ToDictionary(d => d.GetProperty("step").GetString()!, d => Number(d, "count"));
        Assert.Equal(
            (3, 1, 1, 3),
            (
                durations["created_to_held"],
                durations["held_to_confirmed"],
                durations["confirmed_to_completed"],
                durations["created_to_completed"]
            )
        );
    }

    [Fact]
    public async Task Durations_are_those_of_the_timeline_and_days_those_of_the_zone()
    {
        var (_, key) = api.NewMerchant();
        var (_, code) = await api.SellAsync(1_000, key: key);
        foreach (var (n, milliseconds) in new[] { 1_000, 2_000, 3_000, 60_000 }.Index())
        {
            var id = await HoldAsync(code, 10 + n, key);
            await api.PostAsync($"/v1/redemptions/{id}/confirm", new { }, key: key);
            await MoveAsync(id, "2024-03-30 23:30+00", milliseconds);
        }

        var line = Assert.Single(await LinesAsync(key, "&zone=Europe/Paris", "2024-03-31"));
        Assert.Equal("2024-03-31", line.GetProperty("date").GetString());
        Assert.Empty(await LinesAsync(key, "", "2024-03-31"));
        var step = line.GetProperty("durations")
            .EnumerateArray()
            .Single(d => d.GetProperty("step").GetString() == "created_to_completed");
        Assert.Equal(
            (4, 2_000, 60_000, 60_000),
            (Number(step, "count"), Number(step, "p50"), Number(step, "p90"), Number(step, "longest"))
        );
    }

    [Fact]
    public async Task Programmes_and_locations_can_be_told_apart_in_a_coalition_too()
    {
        var shop = api.NewMerchant();
        var (place, other) = (LocationId.New(TimeProvider.System), LocationId.New(TimeProvider.System));
        var program = await api.ProgramAsync(
            new
            {
                name = "Town",
                currency = "EUR",
                accepted_at = new[] { new { merchant_id = shop.Id.ToString(), commission_basis_points = 100 } },
            }
        );
        await api.AcceptAsync(program, shop.Key);
        var (_, theirs) = await api.SellAsync(1_000, program);
        var own = await api.ProgramAsync(key: shop.Key);
        var (_, ours) = await api.SellAsync(1_000, own, shop.Key);
        await RedeemAtAsync(theirs, 100, place, shop.Key);
        await RedeemAtAsync(ours, 200, place, shop.Key);
        await RedeemAtAsync(ours, 400, other, shop.Key);

        var byProgram = (await LinesAsync(shop.Key, "&by=program")).ToDictionary(
            line => line.GetProperty("program_id").GetString()!,
            line => Step(line, "completed")
        );
        Assert.Equal(((1, 100), (2, 600)), (byProgram[program], byProgram[own]));
        var byLocation = (await LinesAsync(shop.Key, "&by=location")).ToDictionary(
            line => line.GetProperty("location_id").GetString()!,
            line => Step(line, "completed")
        );
        Assert.Equal(((2, 300), (1, 400)), (byLocation[place.ToString()], byLocation[other.ToString()]));
        var one = Assert.Single(await LinesAsync(shop.Key, $"&by=program&program_id={own}&location_id={place}"));
        Assert.Equal((1, 200), Step(one, "completed"));
        // The issuer's tills had nothing of it.
        Assert.Empty(await LinesAsync(api.Key, $"&program_id={own}"));
        await api.GetAsync($"/v1/reports/funnel?from=2024-01-01&to=2024-01-01&by=weekday", 400, shop.Key);
        await api.GetAsync("/v1/reports/funnel?from=2024-01-01&to=2024-02-01", 400, shop.Key);
    }

    private Task<JsonElement> RedeemAtAsync(string code, long amount, LocationId place, string key) =>
        api.PostAsync(
            "/v1/redemptions",
            new
            {
                mode = "immediate",
                amount = GiftcardApi.Eur(amount),
                sources = new[] { new { gift_card = new { code } } },
                location_id = place.ToString(),
            },
            201,
            key: key
        );

    private async Task<string> HoldAsync(string code, long amount, string key) =>
        (await api.PostAsync("/v1/redemptions", GiftcardApi.Redemption(code, amount, "two_phase"), 201, key: key))
            .GetProperty("id")
            .GetString()!;

    /// <summary>As if it had begun then and taken so long.</summary>
    private Task MoveAsync(string redemption, string at, int milliseconds) =>
        api.SqlAsync(
            $"""
            UPDATE redemptions SET created_at = '{at}' WHERE redemption_id = '{GiftcardApi.Uuid(redemption)}';
            ALTER TABLE redemption_events DISABLE TRIGGER redemption_events_append_only;
            UPDATE redemption_events
               SET occurred_at = timestamptz '{at}' + interval '{milliseconds} milliseconds'
             WHERE redemption_id = '{GiftcardApi.Uuid(redemption)}';
            ALTER TABLE redemption_events ENABLE TRIGGER redemption_events_append_only;
            """
        );

    private async Task<JsonElement[]> LinesAsync(string key, string query, string? day = null)
    {
        var (from, to) = (day ?? $"{Today:yyyy-MM-dd}", day ?? $"{Today.AddDays(1):yyyy-MM-dd}");
        return
        [
            .. (await api.GetAsync($"/v1/reports/funnel?from={from}&to={to}{query}", key: key))
                .GetProperty("data")
                .EnumerateArray(),
        ];
    }

    private static (long Count, long Amount) Step(JsonElement line, string name) =>
        (Number(line.GetProperty(name), "count"), GiftcardApi.Amount(line.GetProperty(name), "amount"));

    private static long Number(JsonElement body, string name) => body.GetProperty(name).GetInt64();
}
