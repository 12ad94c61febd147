using System.Text.Json;
using LocalPlus.Kernel;

namespace LocalPlus.Tests.Integration.Giftcard.Faults;

/// <summary>A merchant takes another's cards because it said so, at the rate it said, and in no other case.</summary>
public sealed class ConsentTests(GiftcardApi api) : IClassFixture<GiftcardApi>
{
    private const int Rate = 250;
    private static readonly string[] Routes = ["lookup", "quote", "immediate", "two_phase", "holds", "offline"];

    public static TheoryData<string, string, string> Matrix()
    {
        var rows = new TheoryData<string, string, string>();
        foreach (var route in Routes)
        {
            foreach (var consent in new[] { "accepted", "offered", "declined", "ended", "withdrawn", "never asked" })
            {
                rows.Add(route, consent, "same mode");
            }

            // An offer cannot be accepted over the border between test and live, so there is only the asking.
            rows.Add(route, "offered", "other mode");
            rows.Add(route, "never asked", "other mode");
        }

        return rows;
    }

    [Theory]
    [MemberData(nameof(Matrix))]
    public async Task Fault_02_a_card_is_good_at_another_merchant_only_with_its_consent_and_in_one_mode(
        string route,
        string consent,
        string mode
    )
    {
        var shop = api.NewMerchant(live: mode == "other mode");
        var program = consent == "never asked" ? await api.ProgramAsync() : await OfferAsync(shop.Id, Rate);
        var (_, code) = await api.SellAsync(1000, program);
        switch (consent)
        {
            case "accepted" or "ended" or "withdrawn":
                await api.AcceptAsync(program, shop.Key);
                break;
            case "declined":
                await api.PostAsync($"/v1/acceptances/{program}/decline", new { }, key: shop.Key);
                break;
            default:
                break;
        }

        if (consent == "ended")
        {
            await api.PostAsync($"/v1/acceptances/{program}/end", new { }, key: shop.Key);
        }

        if (consent == "withdrawn")
        {
            await ReofferAsync(program);
        }

        var isGood = consent == "accepted" && mode == "same mode";
        Assert.Equal(isGood ? "good" : "gift_card_not_usable", await SpendAsync(route, code, shop.Key));
        Assert.Equal(0, api.Ledger.Total());
    }

    [Fact]
    public async Task Fault_02_a_changed_rate_needs_consent_again()
    {
        var shop = api.NewMerchant();
        var program = await OfferAsync(shop.Id, Rate);
        var (_, code) = await api.SellAsync(1000, program);
        await api.AcceptAsync(program, shop.Key);
        Assert.Equal("good", await SpendAsync("immediate", code, shop.Key));
        await ReofferAsync(program, (shop.Id, 10_000));
        Assert.Equal("gift_card_not_usable", await SpendAsync("immediate", code, shop.Key));
        Assert.Equal(
            "acceptance_changed",
            GiftcardApi.Code(
                await api.PostAsync(
                    $"/v1/acceptances/{program}/accept",
                    new { commission_basis_points = Rate },
                    409,
                    key: shop.Key
                )
            )
        );
        Assert.Equal("gift_card_not_usable", await SpendAsync("immediate", code, shop.Key));

        // The same rate once more is no change: what was said stays.
        await ReofferAsync(program, (shop.Id, 300));
        await api.AcceptAsync(program, shop.Key);
        await ReofferAsync(program, (shop.Id, 300), (MerchantId.New(TimeProvider.System), 0));
        Assert.Equal("good", await SpendAsync("immediate", code, shop.Key));
    }

    [Fact]
    public async Task Fault_02_an_acceptance_ends_with_notice()
    {
        var shop = api.NewMerchant();
        var program = await OfferAsync(shop.Id, Rate);
        var (_, code) = await api.SellAsync(1000, program);
        Assert.Equal(
            "acceptance_state",
            GiftcardApi.Code(await api.PostAsync($"/v1/acceptances/{program}/end", new { }, 409, key: shop.Key))
        );
        await api.AcceptAsync(program, shop.Key);
        Assert.Equal(
            "acceptance_state",
            GiftcardApi.Code(await api.PostAsync($"/v1/acceptances/{program}/decline", new { }, 409, key: shop.Key))
        );
        var notice = TimeProvider
            .System.GetUtcNow()
            .AddDays(30)
            .ToString("yyyy-MM-ddTHH:mm:ss.fffZ", System.Globalization.CultureInfo.InvariantCulture);
        var ended = await api.PostAsync($"/v1/acceptances/{program}/end", new { ends_at = notice }, key: shop.Key);
        Assert.Equal(
            ("ended", notice),
            (ended.GetProperty("state").GetString(), ended.GetProperty("ends_at").GetString())
        );
        Assert.Equal("good", await SpendAsync("immediate", code, shop.Key));
        await api.SqlAsync(
            $"""
            UPDATE program_acceptances SET ends_at = now() - interval '1 second'
             WHERE merchant_id = '{shop.Id.Value}'
            """
        );
        Assert.Equal("gift_card_not_usable", await SpendAsync("immediate", code, shop.Key));
    }

    [Fact]
    public async Task Fault_02_the_till_sees_the_commission_before_the_goods_are_gone()
    {
        var shop = api.NewMerchant();
        var program = await OfferAsync(shop.Id, Rate);
        var (_, code) = await api.SellAsync(5000, program);
        await api.AcceptAsync(program, shop.Key);
        var quote = await api.PostAsync("/v1/redemptions/quote", GiftcardApi.Redemption(code, 1999), key: shop.Key);
        Assert.Equal(49, GiftcardApi.Amount(quote, "commission"));
        var held = await api.PostAsync(
            "/v1/redemptions",
            GiftcardApi.Redemption(code, 1999, "two_phase"),
            201,
            key: shop.Key
        );
        Assert.Equal(("held", 49), (held.GetProperty("state").GetString(), GiftcardApi.Amount(held, "commission")));
        var hold = await api.PostAsync(
            "/v1/holds",
            new { amount = GiftcardApi.Eur(1999), sources = Sources(code) },
            201,
            key: shop.Key
        );
        Assert.Equal(49, GiftcardApi.Amount(hold, "commission"));
        var own = await api.PostAsync("/v1/redemptions/quote", GiftcardApi.Redemption(code, 100));
        Assert.False(own.TryGetProperty("commission", out _));
    }

    [Fact]
    public async Task Fault_02_both_sides_see_what_was_offered_and_said_and_nobody_else_does()
    {
        var (shop, stranger, live) = (api.NewMerchant(), api.NewMerchant(), api.NewMerchant(live: true));
        var program = await OfferAsync(shop.Id, Rate);
        var listed = (await api.GetAsync("/v1/acceptances?state=offered", key: shop.Key)).GetProperty("data")[0];
        Assert.Equal(
            (program, api.Merchant.ToString(), Rate, "offered"),
            (
                listed.GetProperty("program_id").GetString(),
                listed.GetProperty("issuer_id").GetString(),
                listed.GetProperty("commission_basis_points").GetInt32(),
                listed.GetProperty("state").GetString()
            )
        );
        foreach (var other in new[] { stranger.Key, live.Key, api.Key })
        {
            Assert.Equal("not_found", GiftcardApi.Code(await api.GetAsync($"/v1/acceptances/{program}", 404, other)));
            foreach (var verb in new[] { "accept", "decline", "end" })
            {
                object body = verb == "accept" ? new { commission_basis_points = Rate } : new { };
                Assert.Equal(
                    "not_found",
                    GiftcardApi.Code(await api.PostAsync($"/v1/acceptances/{program}/{verb}", body, 404, key: other))
                );
            }
        }

        await api.AcceptAsync(program, shop.Key);
        var offer = (await api.GetAsync($"/v1/programs/{program}")).GetProperty("accepted_at")[0];
        Assert.Equal(
            (shop.Id.ToString(), "accepted"),
            (offer.GetProperty("merchant_id").GetString(), offer.GetProperty("state").GetString())
        );
        Assert.Equal("invalid_request", GiftcardApi.Code(await api.GetAsync("/v1/acceptances?state=maybe", 400)));
        Assert.Equal(
            2,
            await api.CountAsync($"SELECT count(*) FROM acceptance_decisions WHERE merchant_id = '{shop.Id.Value}'")
        );
    }

    private static object[] Sources(string code) => [new { gift_card = new { code } }];

    private Task<string> OfferAsync(MerchantId shop, int rate) =>
        api.ProgramAsync(
            new
            {
                name = "Town card",
                currency = "EUR",
                accepted_at = new[] { new { merchant_id = shop.ToString(), commission_basis_points = rate } },
            }
        );

    private async Task ReofferAsync(string program, params (MerchantId Id, int Rate)[] offers)
    {
        var version = (await api.GetAsync($"/v1/programs/{program}")).GetProperty("version").GetInt64();
        await api.PatchAsync(
            $"/v1/programs/{program}",
            new
            {
                accepted_at = offers
                    .Select(o => new { merchant_id = o.Id.ToString(), commission_basis_points = o.Rate })
                    .ToArray(),
            },
            version
        );
    }

    /// <summary>"good", or the code of the refusal; for an offline item why the card paid nothing.</summary>
    private async Task<string> SpendAsync(string route, string code, string key)
    {
        var (path, body) = route switch
        {
            "lookup" => ("/v1/gift_cards/lookup", (object)new { code }),
            "quote" => ("/v1/redemptions/quote", GiftcardApi.Redemption(code, 100)),
            "holds" => ("/v1/holds", new { amount = GiftcardApi.Eur(100), sources = Sources(code) }),
            "offline" => await OfflineAsync(code, key),
            _ => ("/v1/redemptions", GiftcardApi.Redemption(code, 100, route)),
        };
        using var answer = await api.SendAsync(HttpMethod.Post, path, key, body, null);
        var text = JsonSerializer.Deserialize<JsonElement>(await answer.Content.ReadAsStringAsync());
        if (!answer.IsSuccessStatusCode)
        {
            return GiftcardApi.Code(text);
        }

        return route == "offline" && text.GetProperty("items")[0].TryGetProperty("code", out var why)
            ? why.GetString()!
            : "good";
    }

    private async Task<(string Path, object Body)> OfflineAsync(string code, string key)
    {
        var till = await OfflineTill.OpenAsync(api, 1000, 1000, key);
        return (till.BatchPath, till.Batch(till.Item(code, 100)));
    }
}
