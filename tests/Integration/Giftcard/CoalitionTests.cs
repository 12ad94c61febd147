using System.Text.Json;
using LocalPlus.Kernel;

namespace LocalPlus.Tests.Integration.Giftcard;

/// <summary>
/// One card, many merchants: what they leave to the issuer and what they are owed, as the ledger's accounts say.
/// </summary>
public sealed class CoalitionTests(GiftcardApi api) : IClassFixture<GiftcardApi>
{
    private const int Rate = 250;

    [Theory]
    [InlineData("immediate", "refuse")]
    [InlineData("immediate", "allow")]
    [InlineData("two_phase", "refuse")]
    public async Task A_payment_at_another_merchant_is_owed_to_it_less_the_commission(string mode, string partial)
    {
        var shop = api.NewMerchant();
        var (_, code) = await api.SellAsync(5000, await ProgramAsync(shop));
        var redemption = await api.PostAsync(
            "/v1/redemptions",
            GiftcardApi.Redemption(code, 1999, mode, partial),
            201,
            key: shop.Key
        );
        if (mode == "two_phase")
        {
            redemption = await api.PostAsync(
                $"/v1/redemptions/{redemption.GetProperty("id").GetString()}/confirm",
                new { amount = GiftcardApi.Eur(1999) },
                key: shop.Key
            );
        }

        Assert.Equal(
            ("completed", 49),
            (redemption.GetProperty("state").GetString(), GiftcardApi.Amount(redemption, "commission"))
        );
        Assert.Equal((1950, 49), (Posted($"payable:{shop.Id}"), Posted($"commission:{shop.Id}")));
        Assert.Equal(0, api.Ledger.Total());
        var owed = Line(await api.GetAsync("/v1/reports/settlement"), "owed_to_others", shop.Id.ToString());
        Assert.Equal(
            (1999, 49, 1950),
            (
                GiftcardApi.Amount(owed, "captured"),
                GiftcardApi.Amount(owed, "commission"),
                GiftcardApi.Amount(owed, "net")
            )
        );
        var due = Line(
            await api.GetAsync("/v1/reports/settlement", key: shop.Key),
            "owed_to_us",
            api.Merchant.ToString()
        );
        Assert.Equal(1950, GiftcardApi.Amount(due, "net"));
    }

    [Fact]
    public async Task A_partial_payment_pays_the_commission_on_what_was_there()
    {
        var shop = api.NewMerchant();
        var (_, code) = await api.SellAsync(1000, await ProgramAsync(shop));
        var redemption = await api.PostAsync(
            "/v1/redemptions",
            GiftcardApi.Redemption(code, 4000, partial: "allow"),
            201,
            key: shop.Key
        );
        Assert.Equal(
            (1000, 25),
            (GiftcardApi.Amount(redemption, "captured"), GiftcardApi.Amount(redemption, "commission"))
        );
        Assert.Equal((975, 25), (Posted($"payable:{shop.Id}"), Posted($"commission:{shop.Id}")));
    }

    [Fact]
    public async Task Refunds_give_the_commission_back_to_the_last_cent()
    {
        var shop = api.NewMerchant();
        var (card, code) = await api.SellAsync(5000, await ProgramAsync(shop));
        var id = (await api.PostAsync("/v1/redemptions", GiftcardApi.Redemption(code, 999), 201, key: shop.Key))
            .GetProperty("id")
            .GetString();
        for (var i = 0; i < 3; i++)
        {
            await api.PostAsync(
                $"/v1/redemptions/{id}/refunds",
                new { amount = GiftcardApi.Eur(333) },
                201,
                key: shop.Key
            );
        }

        Assert.Equal((0, 0), (Posted($"payable:{shop.Id}"), Posted($"commission:{shop.Id}")));
        Assert.Equal(5000, GiftcardApi.Amount(await api.GetAsync($"/v1/gift_cards/{card}"), "balance"));
        var owed = Line(await api.GetAsync("/v1/reports/settlement"), "owed_to_others", shop.Id.ToString());
        Assert.Equal(
            (999, 0, 0),
            (
                GiftcardApi.Amount(owed, "refunded"),
                GiftcardApi.Amount(owed, "commission"),
                GiftcardApi.Amount(owed, "net")
            )
        );
    }

    [Fact]
    public async Task Cards_of_programmes_with_different_rates_pay_each_its_own()
    {
        var shop = api.NewMerchant();
        var (_, dear) = await api.SellAsync(1000, await ProgramAsync(shop, 1000));
        var (_, cheap) = await api.SellAsync(1000, await ProgramAsync(shop, 100));
        var body = new
        {
            mode = "immediate",
            amount = GiftcardApi.Eur(1500),
            sources = new[] { new { gift_card = new { code = dear } }, new { gift_card = new { code = cheap } } },
        };
        Assert.Equal(
            105,
            GiftcardApi.Amount(await api.PostAsync("/v1/redemptions", body, 201, key: shop.Key), "commission")
        );
        Assert.Equal((1395, 105), (Posted($"payable:{shop.Id}"), Posted($"commission:{shop.Id}")));
    }

    [Fact]
    public async Task A_card_is_good_only_where_and_as_long_as_its_programme_says()
    {
        var (shop, location) = (api.NewMerchant(), LocationId.New(TimeProvider.System));
        var program = await api.ProgramAsync(
            new
            {
                name = "Own",
                currency = "EUR",
                locations = new[] { location.ToString() },
            }
        );
        var (_, code) = await api.SellAsync(1000, program);
        Assert.Equal(
            "gift_card_not_usable",
            GiftcardApi.Code(
                await api.PostAsync("/v1/redemptions", GiftcardApi.Redemption(code, 1), 404, key: shop.Key)
            )
        );
        Assert.Equal(
            "not_accepted_here",
            GiftcardApi.Code(await api.PostAsync("/v1/redemptions", GiftcardApi.Redemption(code, 1), 422))
        );
        var seen = await api.GetAsync($"/v1/programs/{program}");
        var changed = await api.PatchAsync(
            $"/v1/programs/{program}",
            new
            {
                locations = Array.Empty<string>(),
                accepted_at = new[] { new { merchant_id = shop.Id.ToString(), commission_basis_points = 0 } },
            },
            seen.GetProperty("version").GetInt64()
        );
        await api.AcceptAsync(program, shop.Key);
        await api.PostAsync("/v1/redemptions", GiftcardApi.Redemption(code, 1), 201, key: shop.Key);
        await api.PostAsync("/v1/redemptions", GiftcardApi.Redemption(code, 1), 201);
        Assert.Equal(
            "version_conflict",
            GiftcardApi.Code(
                await api.PatchAsync(
                    $"/v1/programs/{program}",
                    new { name = "Late" },
                    seen.GetProperty("version").GetInt64(),
                    412
                )
            )
        );
        Assert.Equal(
            "if_match_required",
            GiftcardApi.Code(await api.PatchAsync($"/v1/programs/{program}", new { name = "Blind" }, null, 428))
        );
        Assert.Equal(
            "not_found",
            GiftcardApi.Code(
                await api.PatchAsync($"/v1/programs/{program}", new { name = "Not mine" }, 1, 404, shop.Key)
            )
        );
        await api.PatchAsync(
            $"/v1/programs/{program}",
            new { status = "closed" },
            changed.GetProperty("version").GetInt64()
        );
        Assert.Equal(
            "program_state",
            GiftcardApi.Code(
                await api.PostAsync("/v1/gift_cards", new { program_id = program, amount = GiftcardApi.Eur(100) }, 409)
            )
        );
        await api.PostAsync("/v1/redemptions", GiftcardApi.Redemption(code, 1), 201);
    }

    [Fact]
    public async Task A_programme_names_other_merchants_only_and_pictures_by_https()
    {
        var self = new[] { new { merchant_id = api.Merchant.ToString(), commission_basis_points = 100 } };
        Assert.Equal(
            "invalid_request",
            GiftcardApi.Code(
                await api.PostAsync(
                    "/v1/programs",
                    new
                    {
                        name = "Self",
                        currency = "EUR",
                        accepted_at = self,
                    },
                    400
                )
            )
        );
        Assert.Equal(
            "invalid_request",
            GiftcardApi.Code(
                await api.PostAsync(
                    "/v1/programs",
                    new
                    {
                        name = "Picture",
                        currency = "EUR",
                        image_url = "http://shop.test/a.png",
                    },
                    400
                )
            )
        );
    }

    [Fact]
    public async Task Liability_and_breakage_are_told_as_of_any_instant()
    {
        var (_, key) = api.NewMerchant();
        var program = await api.ProgramAsync(
            new
            {
                name = "Dated",
                currency = "EUR",
                validity_days = 10,
                vat_kind = "single_purpose",
            },
            key
        );
        var (card, code) = await api.SellAsync(1000, program, key);
        await api.PostAsync("/v1/redemptions", GiftcardApi.Redemption(code, 300), 201, key: key);
        var before = TimeProvider.System.GetUtcNow();
        await api.SqlAsync(
            $"""
            UPDATE gift_cards SET expires_at = now() - interval '1 hour' WHERE gift_card_id = '{GiftcardApi.CardUuid(
                card
            )}';
            UPDATE gift_card_lots SET expires_at = now() - interval '1 hour' WHERE gift_card_id = '{GiftcardApi.CardUuid(
                card
            )}'
            """
        );
        await api.RunJobAsync("expired-giftcards");

        var then = (
            await api.GetAsync($"/v1/reports/liability?as_of={before:yyyy-MM-ddTHH:mm:ss.fffZ}", key: key)
        ).GetProperty("data")[0];
        Assert.Equal(
            (700, 1, "single_purpose"),
            (
                GiftcardApi.Amount(then, "outstanding"),
                then.GetProperty("cards_with_value").GetInt64(),
                then.GetProperty("vat_kind").GetString()
            )
        );
        Assert.Equal(
            0,
            GiftcardApi.Amount(
                (await api.GetAsync("/v1/reports/liability", key: key)).GetProperty("data")[0],
                "outstanding"
            )
        );
        var breakage = (await api.GetAsync("/v1/reports/breakage", key: key)).GetProperty("data")[0];
        Assert.Equal(
            (1000, 300, 700),
            (
                GiftcardApi.Amount(breakage, "loaded"),
                GiftcardApi.Amount(breakage, "redeemed"),
                GiftcardApi.Amount(breakage, "breakage")
            )
        );
        Assert.Equal(
            "invalid_request",
            GiftcardApi.Code(await api.GetAsync("/v1/reports/liability?as_of=2999-01-01T00:00:00Z", 400, key))
        );
        Assert.Equal(
            "invalid_request",
            GiftcardApi.Code(await api.GetAsync("/v1/reports/settlement?from=2999-01-01T00:00:00Z", 400, key))
        );
    }

    private async Task<string> ProgramAsync((MerchantId Id, string Key) shop, int rate = Rate)
    {
        var program = await api.ProgramAsync(
            new
            {
                name = "Town card",
                currency = "EUR",
                accepted_at = new[] { new { merchant_id = shop.Id.ToString(), commission_basis_points = rate } },
            }
        );
        await api.AcceptAsync(program, shop.Key);
        return program;
    }

    private long Posted(string account) => api.Ledger.AccountNamed(api.Merchant.ToString(), account).Posted;

    private static JsonElement Line(JsonElement report, string direction, string merchant) =>
        report
            .GetProperty("data")
            .EnumerateArray()
            .Single(l =>
                l.GetProperty("direction").GetString() == direction
                && l.GetProperty("merchant_id").GetString() == merchant
            );
}
