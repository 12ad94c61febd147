using System.Text.Json;
using LocalPlus.Kernel;
using LocalPlus.Tests.Integration.Support;
using static LocalPlus.Tests.Integration.Wallet.Loyalty.LoyaltyApi;

namespace LocalPlus.Tests.Integration.Wallet.Loyalty;

/// <summary>Points as a customer's wallet shows them.</summary>
public sealed class WalletPointsTests(LoyaltyApi api) : IClassFixture<LoyaltyApi>
{
    private const string Members = "wallet.members.v1";
    private readonly HashSet<string> delivered = [];

    [Fact]
    public async Task A_wallet_shows_the_points_of_each_membership_and_what_they_are_worth()
    {
        var (merchant, key) = api.NewMerchant();
        var worth = new { point_value = new { points = 10, value = Eur(25) } };
        var program = await api.ProgramAsync(
            key,
            new { worth.point_value, expiry = new { kind = "after_earning", days = 45 } }
        );
        var other = await api.ProgramAsync(key);
        var customer = Id(await api.PostAsync(key, "/v1/customers", new { email = "points@example.test" }, 201));
        var path = $"/v1/customers/{customer}/wallet";
        Assert.Empty((await api.GetAsync(key, path)).GetProperty("memberships").EnumerateArray());

        var member = await JoinAsync(key, program, customer);
        await JoinAsync(key, other, customer);
        await api.EarnAsync(key, member, 1200);
        await api.EarnAsync(key, member, 700, releaseAt: TimeProvider.System.GetUtcNow().AddDays(3));
        await DeliverAsync(merchant);

        var wallet = await api.GetAsync(key, path);
        var shown = wallet.GetProperty("memberships").EnumerateArray().ToArray();
        Assert.Equal(2, shown.Length);
        var points = shown.Single(m => m.GetProperty("program_id").GetString() == program);
        Assert.Equal("Points", points.GetProperty("program").GetString());
        Assert.Equal((12, 0, 12, 7, 0), Figures(points));
        Assert.Equal(30, points.GetProperty("value").GetProperty("amount").GetInt64());
        Assert.Equal(
            [(30, 0L), (60, 12L), (90, 12L)],
            points
                .GetProperty("expiring")
                .EnumerateArray()
                .Select(e => (e.GetProperty("within_days").GetInt32(), e.GetProperty("points").GetInt64()))
        );
        Assert.Equal((0, 0, 0, 0, 0), Figures(shown.Single(m => m.GetProperty("program_id").GetString() == other)));
        var told = News(merchant, "wallet.balance-updated.v1").Last().GetProperty("data").GetProperty("points");
        Assert.Contains(
            told.EnumerateArray(),
            p => p.GetProperty("available").GetInt64() == 12 && p.GetProperty("pending").GetInt64() == 7
        );
        var today = (await api.GetAsync(key, $"{path}/days")).GetProperty("data").EnumerateArray().Last();
        Assert.Contains(
            today.GetProperty("points").EnumerateArray(),
            p => p.GetProperty("posted").GetInt64() == 12 && p.GetProperty("pending").GetInt64() == 7
        );
    }

    [Fact]
    public async Task Points_that_a_redemption_holds_are_shown_and_are_not_left()
    {
        var (merchant, key) = api.NewMerchant();
        var program = await api.ProgramAsync(key);
        var customer = Id(await api.PostAsync(key, "/v1/customers", new { email = "held@example.test" }, 201));
        var member = await JoinAsync(key, program, customer);
        await api.EarnAsync(key, member, 5000);
        await DeliverAsync(merchant);
        await ShownAsync((50, 0, 50, 0, 0));

        await api.SqlAsync(
            $"""
            UPDATE members SET points = 30, held = 20 WHERE customer_id = '{CustomerId.Parse(customer).Value}';
            UPDATE member_lots SET remaining = 30 WHERE member_id = '{MemberId.Parse(member).Value}'
            """
        );
        await api.Service.DeliverAsync(Members, Changed(merchant, member, 999));

        await ShownAsync((50, 20, 30, 0, 0));

        async Task ShownAsync((long, long, long, long, long) figures) =>
            Assert.Equal(
                figures,
                Figures((await api.GetAsync(key, $"/v1/customers/{customer}/wallet")).GetProperty("memberships")[0])
            );
    }

    [Fact]
    public async Task A_membership_that_ends_or_becomes_another_s_is_gone_from_the_wallet_that_it_was_in()
    {
        var (merchant, key) = api.NewMerchant();
        var program = await api.ProgramAsync(key);
        var customers = new List<string>();
        var members = new List<string>();
        foreach (var name in new[] { "one", "two", "three" })
        {
            customers.Add(Id(await api.PostAsync(key, "/v1/customers", new { email = $"{name}@example.test" }, 201)));
            members.Add(await JoinAsync(key, program, customers[^1]));
            await api.EarnAsync(key, members[^1], 100);
        }

        await DeliverAsync(merchant);
        foreach (var customer in customers)
        {
            Assert.Equal(1, await CountAsync(customer));
        }

        await api.PostAsync(key, $"/v1/members/{members[0]}/merge", new { into = members[1] });
        await api.PostAsync(key, $"/v1/members/{members[2]}/leave", new { });
        await DeliverAsync(merchant);

        foreach (var (customer, left) in customers.Zip([0, 1, 0]))
        {
            Assert.Equal(left, await CountAsync(customer));
        }

        Assert.Equal(
            (2, 0, 2, 0, 0),
            Figures((await api.GetAsync(key, $"/v1/customers/{customers[1]}/wallet")).GetProperty("memberships")[0])
        );

        async Task<int> CountAsync(string customer) =>
            (await api.GetAsync(key, $"/v1/customers/{customer}/wallet")).GetProperty("memberships").GetArrayLength();
    }

    private static (long, long, long, long, long) Figures(JsonElement membership) =>
        (
            membership.GetProperty("posted").GetInt64(),
            membership.GetProperty("held").GetInt64(),
            membership.GetProperty("available").GetInt64(),
            membership.GetProperty("pending").GetInt64(),
            membership.GetProperty("owed").GetInt64()
        );

    private async Task<string> JoinAsync(string key, string program, string customer) =>
        Id(await api.PostAsync(key, "/v1/members", new { program_id = program, customer_id = customer }, 201));

    private IEnumerable<JsonElement> News(MerchantId merchant, string topic) =>
        api
            .Sidecar.Published.Where(p => p.GetProperty("topic").GetString() == topic)
            .Select(p => p.GetProperty("event").GetProperty("data"))
            .Where(e => e.GetProperty("merchant_id").GetString() == merchant.ToString())
            .OrderBy(e => e.GetProperty("sequence").GetInt64());

    /// <summary>
    /// As the broker does: what was told of the merchant's members comes back, and then that of wallets.
    /// </summary>
    private async Task DeliverAsync(MerchantId merchant)
    {
        await Eventually.TrueAsync(async () => await api.CountAsync("outbox_events") == 0);
        foreach (var topic in new[] { Members, "wallet.balance-updated.v1" })
        {
            foreach (var e in News(merchant, topic).ToArray())
            {
                if (delivered.Add(e.GetProperty("id").GetString()!))
                {
                    await api.Service.DeliverAsync(
                        topic,
                        new(
                            e.GetProperty("type").GetString()!,
                            e.GetProperty("key").GetString()!,
                            e.GetProperty("sequence").GetInt64(),
                            merchant,
                            e.GetProperty("data")
                        )
                    );
                }
            }

            await Eventually.TrueAsync(async () => await api.CountAsync("outbox_events") == 0);
        }
    }

    private static TestEvent Changed(MerchantId merchant, string member, long sequence) =>
        new("member.points_changed", member, sequence, merchant, new { member_id = member });
}
