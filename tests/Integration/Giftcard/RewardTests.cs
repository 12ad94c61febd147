using System.Text.Json;

namespace LocalPlus.Tests.Integration.Giftcard;

public sealed class RewardTests(GiftcardApi api) : IClassFixture<GiftcardApi>
{
    [Fact]
    public async Task A_reward_is_shown_with_its_picture_and_put_onto_a_card_once()
    {
        var terms = new
        {
            name = "A coffee",
            amount = GiftcardApi.Eur(300),
            image_url = "https://shop.test/coffee.png",
            validity_days = 30,
        };
        var reward = await api.PostAsync("/v1/rewards", terms, 201);
        var id = reward.GetProperty("id").GetString()!;
        Assert.Equal(
            "https://shop.test/coffee.png",
            (await api.GetAsync($"/v1/rewards/{id}")).GetProperty("image_url").GetString()
        );
        var (card, code) = await api.SellAsync(1000);
        Assert.Equal(1300, GiftcardApi.Amount(await RedeemAsync(id, card), "balance"));
        Assert.Equal("reference_reused", GiftcardApi.Code(await RedeemAsync(id, card, 422)));
        var lots = (await api.GetAsync($"/v1/gift_cards/{card}/lots")).GetProperty("data");
        Assert.Equal(("promo", 300), (lots[0].GetProperty("kind").GetString(), GiftcardApi.Amount(lots[0], "balance")));
        await api.PostAsync("/v1/redemptions", GiftcardApi.Redemption(code, 300), 201);
        Assert.Equal(1000, api.Ledger.AccountNamed(api.Merchant.ToString(), $"card:{card}:paid").Posted);
        Assert.Equal(1, (await api.GetAsync($"/v1/rewards/{id}")).GetProperty("granted").GetInt32());
        Assert.Equal(0, api.Ledger.Total());
    }

    [Fact]
    public async Task Of_the_last_reward_and_many_cards_one_gets_it()
    {
        var id = (
            await api.PostAsync(
                "/v1/rewards",
                new
                {
                    name = "The last one",
                    amount = GiftcardApi.Eur(100),
                    quantity = 1,
                },
                201
            )
        ).GetProperty("id").GetString()!;
        var program = await api.ProgramAsync();
        var cards = new List<string>();
        for (var i = 0; i < 6; i++)
        {
            cards.Add((await api.SellAsync(500, program)).Id);
        }

        var answers = await Task.WhenAll(
            cards.Select(async card =>
            {
                using var answer = await api.SendAsync(
                    HttpMethod.Post,
                    $"/v1/rewards/{id}/redeem",
                    api.Key,
                    new { gift_card_id = card },
                    null
                );
                return (int)answer.StatusCode;
            })
        );
        Assert.Single(answers, 200);
        Assert.Equal(5, answers.Count(status => status == 409));
        Assert.Equal("reward_gone", GiftcardApi.Code(await RedeemAsync(id, (await api.SellAsync(100)).Id, 409)));
    }

    [Fact]
    public async Task A_reward_is_changed_under_its_version_closed_and_its_merchants_own()
    {
        var created = await api.PostAsync(
            "/v1/rewards",
            new
            {
                name = "Cake",
                amount = GiftcardApi.Eur(100),
                reference = "cake",
            },
            201
        );
        var id = created.GetProperty("id").GetString()!;
        Assert.Equal(
            "reference_reused",
            GiftcardApi.Code(
                await api.PostAsync(
                    "/v1/rewards",
                    new
                    {
                        name = "Cake",
                        amount = GiftcardApi.Eur(1),
                        reference = "cake",
                    },
                    422
                )
            )
        );
        Assert.Equal(
            "if_match_required",
            GiftcardApi.Code(await api.PatchAsync($"/v1/rewards/{id}", new { name = "Tart" }, null, 428))
        );
        var changed = await api.PatchAsync($"/v1/rewards/{id}", new { name = "Tart", status = "closed" }, 1);
        Assert.Equal(
            ("Tart", "closed"),
            (changed.GetProperty("name").GetString(), changed.GetProperty("status").GetString())
        );
        Assert.Equal(
            "version_conflict",
            GiftcardApi.Code(await api.PatchAsync($"/v1/rewards/{id}", new { name = "Pie" }, 1, 412))
        );
        Assert.Equal("reward_gone", GiftcardApi.Code(await RedeemAsync(id, (await api.SellAsync(100)).Id, 409)));
        Assert.Contains(
            (await api.GetAsync("/v1/rewards?status=closed")).GetProperty("data").EnumerateArray(),
            r => r.GetProperty("id").GetString() == id
        );
        var (_, stranger) = api.NewMerchant();
        Assert.Equal("not_found", GiftcardApi.Code(await api.GetAsync($"/v1/rewards/{id}", 404, stranger)));
        Assert.Equal(
            "not_found",
            GiftcardApi.Code(await api.PatchAsync($"/v1/rewards/{id}", new { name = "Mine" }, 2, 404, stranger))
        );
        Assert.Equal(
            "invalid_request",
            GiftcardApi.Code(
                await api.PostAsync(
                    "/v1/rewards",
                    new
                    {
                        name = "x",
                        amount = GiftcardApi.Eur(1),
                        image_url = "javascript:x",
                    },
                    400
                )
            )
        );
        var other = await api.PostAsync(
            "/v1/rewards",
            new { name = "Franc", amount = new { amount = 100, currency = "CHF" } },
            201
        );
        Assert.Equal(
            "currency_mismatch",
            GiftcardApi.Code(
                await RedeemAsync(other.GetProperty("id").GetString()!, (await api.SellAsync(100)).Id, 422)
            )
        );
    }

    private Task<JsonElement> RedeemAsync(string reward, string card, int status = 200) =>
        api.PostAsync($"/v1/rewards/{reward}/redeem", new { gift_card_id = card }, status);
}
