using System.Text.Json;
using LocalPlus.Kernel;
using LocalPlus.Tests.Integration.Wallet.Loyalty;

namespace LocalPlus.Tests.Integration.Giftcard;

/// <summary>What users of other systems complain about in their points: it must not happen here.</summary>
public sealed class PointsRegressionTests(PointsApi api) : IClassFixture<PointsApi>
{
    /// <summary>
    /// Points that were earned on one kind of document were not deducted on another: the discount was given and the
    /// balance stayed. Here it does not matter where they came from or what they are spent on.
    /// </summary>
    [Fact]
    [Trait("Bug", "frappe/erpnext#59050")]
    public async Task Points_are_deducted_wherever_they_came_from_and_whatever_they_pay()
    {
        var shop = api.NewShop();
        var program = await api.Wallet.ProgramAsync(shop.LoyaltyKey);
        var (member, friend) = (
            await api.Wallet.MemberAsync(shop.LoyaltyKey, program),
            await api.Wallet.MemberAsync(shop.LoyaltyKey, program)
        );
        await api.Wallet.EarnAsync(shop.LoyaltyKey, member, 5000);
        await shop.GiveAsync(friend, 30);
        await api.Wallet.PostAsync(
            shop.LoyaltyKey,
            $"/v1/members/{friend}/transfer",
            new { to = member, points = 30 },
            201
        );
        await shop.GiveAsync(member, 20);
        await shop.HasAsync(member, 100, 0);

        await shop.RedeemAsync(90, [new { member_id = member }]);
        var reward = await api.Wallet.PostAsync(
            shop.LoyaltyKey,
            "/v1/loyalty_rewards",
            new
            {
                program_id = program,
                name = "A sweet",
                points = 10,
            },
            201
        );
        var path = $"/v1/loyalty_rewards/{LoyaltyApi.Id(reward)}/redeem";
        await api.Wallet.PostAsync(shop.LoyaltyKey, path, new { member_id = member }, 201);

        await shop.HasAsync(member, 0, 0);
        await shop.RedeemAsync(1, [new { member_id = member }], 422);
        await api.Wallet.PostAsync(shop.LoyaltyKey, path, new { member_id = member }, 422);
        Assert.Equal(0, await shop.BookedAsync("loyalty:liability"));
    }

    /// <summary>A purchase that was refunded left its points: buying and returning made points of nothing.</summary>
    [Theory]
    [InlineData("owed")]
    [InlineData("allow")]
    [Trait("Bug", "odoo/odoo#257854")]
    public async Task Buying_and_returning_makes_no_points_also_when_they_were_spent_meanwhile(string negative)
    {
        var shop = api.NewShop();
        var program = await api.Wallet.ProgramAsync(shop.LoyaltyKey, new { negative });
        var member = await api.Wallet.MemberAsync(shop.LoyaltyKey, program);
        for (var i = 0; i < 3; i++)
        {
            var bought = LoyaltyApi.Id(await api.Wallet.EarnAsync(shop.LoyaltyKey, member, 4000));
            await api.Wallet.PostAsync(
                shop.LoyaltyKey,
                $"/v1/earnings/{bought}/refund",
                new { reference = $"{bought}" },
                201
            );
        }

        await shop.HasAsync(member, 0, 0);
        var spent = LoyaltyApi.Id(await api.Wallet.EarnAsync(shop.LoyaltyKey, member, 4000));
        var paid = await shop.RedeemAsync(30, [new { member_id = member }]);
        await api.Wallet.PostAsync(shop.LoyaltyKey, $"/v1/earnings/{spent}/refund", new { reference = "last" }, 201);
        await shop.RedeemAsync(1, [new { member_id = member }], 422);

        // What the payment gives back settles what is owed, and not a point of it is there to spend.
        await shop.AskAsync($"/v1/redemptions/{paid.GetProperty("id").GetString()}/refunds", null, 201);
        var balance = await shop.BalanceAsync(member);
        Assert.Equal((0L, 0L), (Number(balance, "available"), Number(balance, "owed")));
        Assert.Equal(0, await shop.BookedAsync($"member:{member}:points"));
        Assert.Equal(
            (0L, 0L),
            (await shop.BookedAsync("loyalty:liability"), await shop.BookedAsync($"points:{member}"))
        );
    }

    /// <summary>
    /// Points without a link to their award never ended, or ended twice. What is spent here is a lot's, the one that
    /// ends first; what a refund gives back has its lot's end and not a new one.
    /// </summary>
    [Fact]
    [Trait("Bug", "odoo/odoo#206048")]
    public async Task What_is_spent_belongs_to_the_award_that_ends_first_and_comes_back_with_its_end()
    {
        var shop = api.NewShop();
        var member = await shop.MemberAsync(40, new { expiry = new { kind = "after_earning", days = 30 } });
        await api.Wallet.SqlAsync(
            $"""
            UPDATE member_lots SET expires_at = now() + interval '1 hour'
             WHERE member_id = '{MemberId.Parse(member).Value}'
            """
        );
        await shop.GiveAsync(member, 60);
        var first = await LotsAsync(shop, member);

        var paid = await shop.RedeemAsync(50, [new { member_id = member }]);
        Assert.Equal([50L, 0L], (await LotsAsync(shop, member)).Select(lot => Number(lot, "remaining")));
        await shop.AskAsync($"/v1/redemptions/{paid.GetProperty("id").GetString()}/refunds", null, 201);

        Assert.Equal(
            first.Select(lot => lot.GetRawText()),
            (await LotsAsync(shop, member)).Select(lot => lot.GetRawText())
        );
        await api.Wallet.SqlAsync(
            $"""
            UPDATE member_lots SET expires_at = now() - interval '1 minute'
             WHERE lot_id = (SELECT min(lot_id::text)::uuid FROM member_lots
                              WHERE member_id = '{MemberId.Parse(member).Value}')
            """
        );
        await shop.RedeemAsync(61, [new { member_id = member }], 422);
        await shop.RedeemAsync(60, [new { member_id = member }]);
        Assert.Equal(40, await shop.BookedAsync("loyalty:breakage"));
    }

    /// <summary>
    /// A till that lost the connection told a payment again, and it counted again. The key is the till's word that it
    /// is the same one.
    /// </summary>
    [Fact]
    [Trait("Bug", "odoo/odoo#270532")]
    [Trait("Bug", "OCA/pos#185")]
    public async Task A_payment_with_points_that_is_told_again_and_at_once_counts_once()
    {
        var shop = api.NewShop();
        var member = await shop.MemberAsync(100);
        var key = $"{Guid.CreateVersion7()}";

        var answers = await Task.WhenAll(
            Enumerable.Range(0, 12).Select(_ => shop.RedeemAsync(40, [new { member_id = member }], key: key))
        );

        Assert.Single(answers.Select(answer => answer.GetProperty("id").GetString()).Distinct());
        await shop.HasAsync(member, 60, 0);
    }

    private static long Number(JsonElement body, string name) => body.GetProperty(name).GetInt64();

    private async Task<JsonElement[]> LotsAsync(PointsApi.Shop shop, string member) =>
        [
            .. (await api.Wallet.GetAsync(shop.LoyaltyKey, $"/v1/members/{member}/lots"))
                .GetProperty("data")
                .EnumerateArray(),
        ];
}
