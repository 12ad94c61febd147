using System.Text.Json;
using LocalPlus.Kernel;
using LocalPlus.Tests.Integration.Support;
using static LocalPlus.Tests.Integration.Giftcard.GiftcardApi;

namespace LocalPlus.Tests.Integration.Giftcard;

/// <summary>Points and cards in one redemption, over giftcard, wallet and a ledger that run.</summary>
public sealed class PointsRedemptionTests(PointsApi api) : IClassFixture<PointsApi>
{
    [Fact]
    public async Task A_card_and_points_pay_in_one_act_and_get_back_what_is_refunded()
    {
        var shop = api.NewShop();
        var (card, code) = await shop.CardAsync(3500);
        var member = await shop.MemberAsync(800);
        object[] sources = [Card(code), Points(member, 500)];
        var quote = await shop.AskAsync(
            "/v1/redemptions/quote",
            new
            {
                mode = "two_phase",
                amount = Eur(4250),
                sources,
                partial = "allow",
            }
        );
        var held = await shop.RedeemAsync(4250, sources, mode: "two_phase", partial: "allow");

        Assert.Equal("partially_approved", Text(quote, "would_be"));
        Assert.Equal((500L, 500L), (Amount(quote.GetProperty("sources")[1], "take"), Number(quote, 1, "points")));
        Assert.Equal((4000L, 250L), (Amount(held, "approved"), Amount(held, "remaining_due")));
        Assert.Equal(3500, Amount(held.GetProperty("sources")[0], "held"));
        Assert.Equal(member, held.GetProperty("sources")[1].GetProperty("member_id").GetString());
        Assert.Equal((500L, 500L), (Amount(held.GetProperty("sources")[1], "held"), Number(held, 1, "points")));
        await shop.HasAsync(member, 300, 500);

        var id = Text(held, "id");
        var paid = await shop.AskAsync($"/v1/redemptions/{id}/confirm");
        Assert.Equal((4000L, "completed"), (Amount(paid, "captured"), Text(paid, "state")));
        await shop.HasAsync(member, 300, 0);
        Assert.Equal(4000, await shop.BookedAsync("merchant:payable"));
        Assert.Equal(300, await shop.BookedAsync("loyalty:liability"));
        Assert.Equal(0, await shop.BookedAsync($"points:{member}"));

        // What was spent last comes back first: the points, then the card.
        var refund = await shop.AskAsync($"/v1/redemptions/{id}/refunds", new { amount = Eur(700) }, 201);
        Assert.Equal((500L, 500L), (Amount(refund.GetProperty("sources")[1], "amount"), Number(refund, 1, "points")));
        Assert.Equal(200, Amount(refund.GetProperty("sources")[0], "amount"));
        await shop.HasAsync(member, 800, 0);
        Assert.Equal(200, Amount(await api.Giftcard.GetAsync($"/v1/gift_cards/{card}", key: shop.Key), "balance"));
        var whole = await shop.AskAsync($"/v1/redemptions/{id}/refunds", null, 201);
        Assert.Equal("refunded", Text(whole, "redemption_state"));
        Assert.Equal(0, await shop.BookedAsync("merchant:payable"));
        Assert.Equal(800, await shop.BookedAsync("loyalty:liability"));

        var kinds = (await api.Wallet.GetAsync(shop.LoyaltyKey, $"/v1/members/{member}/history"))
            .GetProperty("data")
            .EnumerateArray()
            .ToArray();
        Assert.Equal(["refund", "redeem", "hold", "adjust"], kinds.Select(m => Text(m, "kind")));
        Assert.All(kinds[..3], movement => Assert.Equal(id, Text(movement, "redemption_id")));
        Assert.Single(kinds.SelectMany(m => m.GetProperty("lots").EnumerateArray()).DistinctBy(l => Text(l, "lot_id")));
        var timeline = await api.Giftcard.GetAsync($"/v1/redemptions/{id}/timeline", key: shop.Key);
        Assert.Contains("points_settled", timeline.GetProperty("data").EnumerateArray().Select(e => Text(e, "kind")));
        var run = await api.Giftcard.InspectAsync($"/ops/v1/runs/{id}");
        Assert.Equal(member, run.GetProperty("sources")[1].GetProperty("member_id").GetString());
        Assert.Equal(2, run.GetProperty("ledger").GetProperty("legs").GetArrayLength());
    }

    [Theory]
    [InlineData(0)]
    [InlineData(120)]
    public async Task What_is_told_of_points_adds_up_to_what_the_ledger_owes_for_them(int refund)
    {
        var shop = api.NewShop();
        var (_, code) = await shop.CardAsync(300);
        var member = await shop.MemberAsync(800);
        var paid = await shop.RedeemAsync(700, [Card(code), Points(member, 400)]);
        if (refund > 0)
        {
            await shop.AskAsync($"/v1/redemptions/{Text(paid, "id")}/refunds", new { amount = Eur(refund) }, 201);
        }

        var owed = await shop.BookedAsync("loyalty:liability");
        Assert.Equal(400 + refund, owed);
        await Eventually.TrueAsync(() => Task.FromResult(Movements(shop.Merchant).Sum(m => m.Value) == owed));
        Assert.All(Movements(shop.Merchant), m => Assert.Equal("EUR", m.Currency));
    }

    private (long Value, string? Currency)[] Movements(MerchantId merchant) =>
        [
            .. api
                .Wallet.Sidecar.Published.Where(p => p.GetProperty("topic").GetString() == "wallet.members.v1")
                .Select(p => p.GetProperty("event").GetProperty("data"))
                .Where(e => e.GetProperty("merchant_id").GetString() == merchant.ToString())
                .Select(e => e.GetProperty("data"))
                .Where(data => data.TryGetProperty("movement", out _))
                .Select(data => data.GetProperty("movement"))
                .Select(m => (m.GetProperty("value").GetInt64(), m.GetProperty("currency").GetString())),
        ];

    [Fact]
    public async Task Many_tills_on_one_balance_spend_what_is_there_and_not_a_point_more()
    {
        var shop = api.NewShop();
        var member = await shop.MemberAsync(1000);
        var answers = await Task.WhenAll(
            Enumerable
                .Range(0, 24)
                .Select(i =>
                    DecidedAsync(
                        shop,
                        new
                        {
                            mode = i % 2 == 0 ? "immediate" : "two_phase",
                            amount = Eur(100),
                            sources = new[] { Points(member) },
                        }
                    )
                )
        );

        var paid = answers.Where(a => a.Status == 201).ToArray();
        Assert.Equal(10, paid.Length);
        Assert.All(
            answers.Where(a => a.Status != 201),
            a => Assert.Equal((422, "insufficient_balance"), (a.Status, Code(a.Body)))
        );
        foreach (var held in paid.Where(a => Text(a.Body, "state") == "held"))
        {
            await shop.AskAsync($"/v1/redemptions/{Text(held.Body, "id")}/confirm");
        }

        await shop.HasAsync(member, 0, 0);
        Assert.Equal(
            (1000L, 0L),
            (await shop.BookedAsync("merchant:payable"), await shop.BookedAsync("loyalty:liability"))
        );
    }

    [Fact]
    public async Task What_a_hold_does_not_take_comes_back_to_the_lots_it_came_from()
    {
        var shop = api.NewShop();
        var member = await shop.MemberAsync(100, new { expiry = new { kind = "after_earning", days = 30 } });
        await shop.GiveAsync(member, 50);
        var before = await LotsAsync(shop, member);
        var cancelled = Text(await shop.RedeemAsync(120, [Points(member)], mode: "two_phase"), "id");
        var parted = Text(await shop.RedeemAsync(30, [Points(member)], mode: "two_phase"), "id");

        await shop.HasAsync(member, 0, 150);
        await shop.AskAsync($"/v1/redemptions/{cancelled}/cancel");
        await shop.HasAsync(member, 120, 30);
        var part = await shop.AskAsync($"/v1/redemptions/{parted}/confirm", new { amount = Eur(10) });
        Assert.Equal((10L, 10L), (Amount(part.GetProperty("sources")[0], "captured"), Number(part, 0, "points")));
        await shop.HasAsync(member, 140, 0);
        var gone = Text(await shop.RedeemAsync(140, [Points(member)], mode: "two_phase"), "id");
        await api.Giftcard.SqlAsync(
            $"""
            UPDATE redemptions SET hold_expires_at = now() - interval '1 minute' WHERE redemption_id = '{Uuid(gone)}'
            """
        );
        await Eventually.TrueAsync(async () =>
            Text(await api.Giftcard.GetAsync($"/v1/redemptions/{gone}", key: shop.Key), "state") == "expired"
        );
        await shop.HasAsync(member, 140, 0);
        await shop.AskAsync($"/v1/redemptions/{parted}/refunds", null, 201);
        Assert.Equal(before, await LotsAsync(shop, member));
        Assert.Equal(150, await shop.BookedAsync("loyalty:liability"));
    }

    [Theory]
    [InlineData("refuse")]
    [InlineData("allow")]
    public async Task Too_few_points_are_refused_or_pay_what_they_can(string partial)
    {
        var shop = api.NewShop();
        var (_, code) = await shop.CardAsync(100);
        var member = await shop.MemberAsync(40);
        object[] sources = [Points(member), Card(code)];

        var answer = await shop.RedeemAsync(200, sources, partial == "allow" ? 201 : 422, partial: partial);

        if (partial == "allow")
        {
            Assert.Equal((140L, 60L), (Amount(answer, "captured"), Amount(answer, "remaining_due")));
            await shop.HasAsync(member, 0, 0);
        }
        else
        {
            Assert.Equal(("insufficient_balance", 140L), (Code(answer), Amount(answer, "available")));
            await shop.HasAsync(member, 40, 0);
        }

        var nothing = await shop.RedeemAsync(10, [Points(await shop.MemberAsync(0))], 422, partial: partial);
        Assert.Equal("insufficient_balance", Code(nothing));
    }

    [Fact]
    public async Task A_member_of_another_merchant_or_mode_and_one_that_has_left_pay_nothing()
    {
        var (shop, other, live) = (api.NewShop(), api.NewShop(), api.NewShop(live: true));
        var (mine, gone) = (await shop.MemberAsync(100), await shop.MemberAsync(100));
        var sameMerchantLive = shop with
        {
            Key = api.Giftcard.Sidecar.IssueKey(shop.Merchant, true, "redemptions:write"),
        };
        await api.Wallet.PostAsync(shop.LoyaltyKey, $"/v1/members/{gone}/leave", new { });
        (PointsApi.Shop At, string Whose)[] wrong =
        [
            (other, mine),
            (live, mine),
            (sameMerchantLive, mine),
            (shop, gone),
            (shop, MemberId.New(TimeProvider.System).ToString()),
        ];
        foreach (var (at, whose) in wrong)
        {
            Assert.Equal("member_not_usable", Code(await at.RedeemAsync(10, [Points(whose)], 404)));
        }

        var (_, theirs) = await other.CardAsync(100);
        Assert.NotEqual(201, (await AnsweredAsync(shop, Body(50, Points(mine, 10), Card(theirs)))).Status);
        Assert.Equal(
            "currency_mismatch",
            Code(
                (
                    await AnsweredAsync(
                        shop,
                        new
                        {
                            mode = "immediate",
                            amount = new { amount = 10, currency = "USD" },
                            sources = new[] { Points(mine) },
                        }
                    )
                ).Body
            )
        );
        foreach (
            var sources in (object[][])
                [
                    [Points(mine), Points(mine)],
                    [new { }],
                    [new { member_id = mine, gift_card = new { code = theirs } }],
                    [new { member_id = mine, max_points = 0 }],
                    [new { gift_card = new { code = theirs }, max_points = 1 }],
                    [new { member_id = mine, max_amount = Eur(1) }],
                ]
        )
        {
            Assert.Equal("invalid_request", Code((await AnsweredAsync(shop, Body(10, sources))).Body));
        }

        await shop.HasAsync(mine, 100, 0);
    }

    /// <summary>A point is worth seven cents, and no amount here is a whole number of them.</summary>
    [Fact]
    public async Task Points_are_whole_and_the_cents_between_them_are_never_lost()
    {
        var shop = api.NewShop();
        var member = await shop.MemberAsync(20, new { point_value = new { points = 1, value = Eur(7) } });
        var held = await shop.RedeemAsync(60, [Points(member)], mode: "two_phase", partial: "allow");
        Assert.Equal((56L, 8L), (Amount(held, "approved"), Number(held, 0, "points")));
        var id = Text(held, "id");

        await shop.AskAsync($"/v1/redemptions/{id}/confirm", new { amount = Eur(30) });
        await shop.HasAsync(member, 15, 0);
        var points = 0L;
        foreach (var amount in new[] { 1, 4, 25 })
        {
            var refund = await shop.AskAsync($"/v1/redemptions/{id}/refunds", new { amount = Eur(amount) }, 201);
            points += Number(refund, 0, "points");
        }

        Assert.Equal(5, points);
        await shop.HasAsync(member, 20, 0);
        Assert.Equal(
            (0L, 140L),
            (await shop.BookedAsync($"points:{member}"), await shop.BookedAsync("loyalty:liability"))
        );
    }

    /// <summary>FloCafe#78: points that had ended were taken twice. Here they end while a till holds them.</summary>
    [Fact]
    [Trait("Bug", "FloCafe#78")]
    public async Task Points_that_end_while_they_are_held_end_once_when_they_come_back()
    {
        var shop = api.NewShop();
        var member = await shop.MemberAsync(100, new { expiry = new { kind = "after_earning", days = 30 } });
        var id = Text(await shop.RedeemAsync(60, [Points(member)], mode: "two_phase"), "id");
        await api.Wallet.SqlAsync(
            $"""
            UPDATE member_lots SET expires_at = now() - interval '1 minute'
             WHERE member_id = '{MemberId.Parse(member).Value}'
            """
        );
        await Task.WhenAll(api.Wallet.RunJobAsync("loyalty-expiry"), api.Wallet.RunJobAsync("loyalty-expiry"));
        await shop.HasAsync(member, 0, 60);

        await shop.AskAsync($"/v1/redemptions/{id}/cancel");
        await Task.WhenAll(api.Wallet.RunJobAsync("loyalty-expiry"), api.Wallet.RunJobAsync("loyalty-expiry"));

        await shop.HasAsync(member, 0, 0);
        Assert.Equal(100, await shop.BookedAsync("loyalty:breakage"));
        Assert.Equal(
            (0L, 0L),
            (await shop.BookedAsync("loyalty:liability"), await shop.BookedAsync($"points:{member}"))
        );
    }

    [Fact]
    public async Task What_comes_back_to_a_membership_that_was_merged_or_left_goes_where_the_rest_went()
    {
        var shop = api.NewShop();
        var program = await api.Wallet.ProgramAsync(shop.LoyaltyKey);
        var (old, heir) = (
            await api.Wallet.MemberAsync(shop.LoyaltyKey, program),
            await api.Wallet.MemberAsync(shop.LoyaltyKey, program)
        );
        await shop.GiveAsync(old, 100);
        var held = Text(await shop.RedeemAsync(60, [Points(old)], mode: "two_phase"), "id");
        await api.Wallet.PostAsync(shop.LoyaltyKey, $"/v1/members/{old}/merge", new { into = heir });

        await shop.AskAsync($"/v1/redemptions/{held}/confirm", new { amount = Eur(20) });
        await shop.HasAsync(heir, 80, 0);
        await shop.AskAsync($"/v1/redemptions/{held}/refunds", null, 201);
        await shop.HasAsync(heir, 100, 0);

        var last = Text(await shop.RedeemAsync(100, [Points(heir)]), "id");
        await api.Wallet.PostAsync(shop.LoyaltyKey, $"/v1/members/{heir}/leave", new { });
        await shop.AskAsync($"/v1/redemptions/{last}/refunds", null, 201);
        await shop.HasAsync(heir, 0, 0);
        Assert.Equal(
            (100L, 0L),
            (await shop.BookedAsync("loyalty:breakage"), await shop.BookedAsync("merchant:payable"))
        );
    }

    [Theory]
    [InlineData("point_holds", true)]
    [InlineData("point_holds", false)]
    [InlineData("/settle", true)]
    [InlineData("/settle", false)]
    [InlineData("/refunds", true)]
    [InlineData("/refunds", false)]
    public async Task A_wallet_that_is_away_at_any_step_costs_time_and_no_points(string step, bool isDeaf)
    {
        var shop = api.NewShop();
        var member = await shop.MemberAsync(100);
        var (pay, back) = ($"{Guid.CreateVersion7()}", $"{Guid.CreateVersion7()}");
        (api.DeafFor, api.MuteFor) = isDeaf ? (step, null) : ((string?)null, step);
        string id;
        try
        {
            if (step == "point_holds")
            {
                Assert.Equal(503, (await AnsweredAsync(shop, Body(60, Points(member)), pay)).Status);
            }
            else
            {
                var early = await shop.RedeemAsync(60, [Points(member)], key: pay);
                var silent = await AnsweredAsync(shop, new { }, back, $"/v1/redemptions/{Text(early, "id")}/refunds");
                Assert.Equal(503, silent.Status);
            }
        }
        finally
        {
            (api.DeafFor, api.MuteFor) = (null, null);
        }

        id = Text(await shop.RedeemAsync(60, [Points(member)], key: pay), "id");
        await api.Giftcard.PostAsync($"/v1/redemptions/{id}/refunds", null, 201, back, shop.Key);
        await shop.HasAsync(member, 100, 0);
        Assert.Equal(
            (0L, 100L),
            (await shop.BookedAsync("merchant:payable"), await shop.BookedAsync("loyalty:liability"))
        );
    }

    [Trait("Run", "named")]
    [Theory]
    [InlineData("HoldPoints.before")]
    [InlineData("HoldPoints.answered")]
    [InlineData("ExecuteBatchRequest.answered")]
    [InlineData("SettlePoints.before")]
    [InlineData("SettlePoints.answered")]
    [InlineData("ReverseTransactionRequest.answered")]
    [InlineData("RefundPoints.answered")]
    public async Task A_crash_between_any_two_steps_loses_and_doubles_nothing(string failpoint)
    {
        var shop = api.NewShop();
        var (card, code) = await shop.CardAsync(100);
        var member = await shop.MemberAsync(100);
        var (pay, back) = ($"{Guid.CreateVersion7()}", $"{Guid.CreateVersion7()}");
        var body = Body(150, Card(code), Points(member));
        await api.Giftcard.RestartAsync(("LP_FAILPOINTS", $"{failpoint}=crash"));
        try
        {
            var paid = await AnsweredAsync(shop, body, pay);
            await AnsweredAsync(shop, new { }, back, $"/v1/redemptions/{Text(paid.Body, "id")}/refunds");
            Assert.Fail("It did not crash.");
        }
        catch (HttpRequestException)
        {
            // The process is gone.
        }

        await api.Giftcard.RestartAsync();
        var redeemed = await api.Giftcard.PostAsync("/v1/redemptions", body, 201, pay, shop.Key);
        Assert.Equal(150, Amount(redeemed, "captured"));
        if (!failpoint.StartsWith("Re", StringComparison.Ordinal))
        {
            await shop.HasAsync(member, 50, 0);
            Assert.Equal(150, await shop.BookedAsync("merchant:payable"));
        }

        await api.Giftcard.PostAsync($"/v1/redemptions/{Text(redeemed, "id")}/refunds", null, 201, back, shop.Key);
        await shop.HasAsync(member, 100, 0);
        Assert.Equal(100, Amount(await api.Giftcard.GetAsync($"/v1/gift_cards/{card}", key: shop.Key), "balance"));
        Assert.Equal(
            (0L, 0L),
            (await shop.BookedAsync("merchant:payable"), await shop.BookedAsync($"points:{member}"))
        );
    }

    [Fact]
    public async Task The_liability_report_counts_points_that_were_not_spent_and_the_books_agree()
    {
        var shop = api.NewShop();
        var (_, code) = await shop.CardAsync(500);
        var member = await shop.MemberAsync(300);
        await shop.RedeemAsync(120, [Points(member)]);
        await shop.RedeemAsync(80, [Points(member)], mode: "two_phase");
        await shop.RedeemAsync(100, [Card(code)]);
        await api.Wallet.EverythingIsBookedAsync(shop.Merchant);

        var report = await api.Giftcard.GetAsync("/v1/reports/liability", key: shop.Key);

        Assert.Equal(400, Amount(report.GetProperty("data")[0], "outstanding"));
        var points = report.GetProperty("points")[0];
        Assert.Equal((180L, 180L), (points.GetProperty("points").GetInt64(), Amount(points, "outstanding")));
        Assert.Equal(180, await shop.BookedAsync("loyalty:liability") + await shop.BookedAsync($"points:{member}"));
    }

    private static object Card(string code) => new { gift_card = new { code } };

    private static object Points(string member, long? max = null) =>
        max is { } most ? new { member_id = member, max_points = most } : new { member_id = member };

    private static object Body(long amount, params object[] sources) =>
        new
        {
            mode = "immediate",
            amount = Eur(amount),
            sources,
        };

    private static string Text(JsonElement body, string name) => body.GetProperty(name).GetString()!;

    private static long Number(JsonElement body, int source, string name) =>
        body.GetProperty("sources")[source].GetProperty(name).GetInt64();

    private async Task<(int Status, JsonElement Body)> AnsweredAsync(
        PointsApi.Shop shop,
        object body,
        string? key = null,
        string path = "/v1/redemptions"
    )
    {
        using var answer = await api.Giftcard.SendAsync(HttpMethod.Post, path, shop.Key, body, key);
        var text = await answer.Content.ReadAsStringAsync();
        return ((int)answer.StatusCode, JsonElement.Parse(text));
    }

    /// <summary>Asked again with its key while it is busy, as a till does: a decision in the end.</summary>
    private async Task<(int Status, JsonElement Body)> DecidedAsync(PointsApi.Shop shop, object body)
    {
        var (key, answer) = ($"{Guid.CreateVersion7()}", (Status: 0, Body: default(JsonElement)));
        await Eventually.TrueAsync(async () =>
        {
            answer = await AnsweredAsync(shop, body, key);
            return answer.Status is 201 or 422;
        });
        return answer;
    }

    private async Task<string> LotsAsync(PointsApi.Shop shop, string member) =>
        (await api.Wallet.GetAsync(shop.LoyaltyKey, $"/v1/members/{member}/lots")).GetProperty("data").GetRawText();
}
