using LocalPlus.Kernel;
using LocalPlus.Tests.Integration.Support;
using static LocalPlus.Tests.Integration.Wallet.Loyalty.LoyaltyApi;

namespace LocalPlus.Tests.Integration.Wallet.Loyalty;

/// <summary>Members who spend together.</summary>
public sealed class PoolTests(LoyaltyApi api) : IClassFixture<LoyaltyApi>
{
    [Fact]
    public async Task What_one_lacks_the_others_give_and_the_books_agree()
    {
        var (merchant, key) = api.NewMerchant();
        var program = await api.ProgramAsync(key);
        var family = await FamilyAsync(key, program, 1000, 2000, 3000);
        var reward = await RewardAsync(key, program, 45);
        Assert.Equal(60, await PooledAsync(key, family[0]));

        await BuyAsync(key, reward, family[0], 201);

        Assert.Equal(0, await api.PointsAsync(key, family[0]));
        Assert.Equal(15, await PooledAsync(key, family[1]));
        var refused = await BuyAsync(key, reward, family[1], 422);
        Assert.Equal("insufficient_balance", refused.GetProperty("code").GetString());
        var booked = 0L;
        foreach (var member in family)
        {
            booked += await api.BookedAsync(merchant, $"member:{member}:points");
            Assert.Equal(
                await api.PointsAsync(key, member),
                await api.BookedAsync(merchant, $"member:{member}:points")
            );
        }

        Assert.Equal(15, booked);
        Assert.Equal(15, await api.BookedAsync(merchant, "loyalty:liability"));
        var history = await api.GetAsync(key, $"/v1/members/{family[0]}/history");
        Assert.Contains("pool", history.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Points_that_end_first_are_spent_first_among_all()
    {
        var (_, key) = api.NewMerchant();
        var program = await api.ProgramAsync(key, new { expiry = new { kind = "after_earning", days = 100 } });
        var family = await FamilyAsync(key, program, 1000, 1000, 1000);
        await api.SqlAsync(
            $"UPDATE member_lots SET expires_at = now() + interval '1 day' WHERE member_id = '{Uuid(family[2])}'"
        );

        await BuyAsync(key, await RewardAsync(key, program, 15), family[0], 201);

        Assert.Equal(0, await api.PointsAsync(key, family[0]));
        Assert.Equal(10, await api.PointsAsync(key, family[1]));
        Assert.Equal(5, await api.PointsAsync(key, family[2]));
    }

    [Fact]
    public async Task Those_who_spend_at_once_spend_no_more_than_there_is()
    {
        var (merchant, key) = api.NewMerchant();
        var program = await api.ProgramAsync(key);
        var family = await FamilyAsync(key, program, 4000, 4000, 4000, 4000);
        var reward = await RewardAsync(key, program, 30);

        var statuses = await Task.WhenAll(
            Enumerable
                .Range(0, 16)
                .Select(async n =>
                {
                    using var answer = await api.Service.SendAsync(
                        HttpMethod.Post,
                        $"/v1/loyalty_rewards/{reward}/redeem",
                        key,
                        new { member_id = family[n % family.Length] },
                        $"{Guid.CreateVersion7()}"
                    );
                    return (int)answer.StatusCode;
                })
        );

        Assert.All(statuses, status => Assert.True(status is 201 or 422 or 503, $"{status}\n{api.Service.Output}"));
        var bought = statuses.Count(status => status == 201);
        Assert.InRange(bought, 1, 5);
        Assert.Equal(160 - 30 * bought, await PooledAsync(key, family[0]));
        Assert.Equal(160 - 30 * bought, await api.BookedAsync(merchant, "loyalty:liability"));
        Assert.DoesNotContain("40P01", api.Service.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_redemption_with_points_reserves_the_others_too()
    {
        var (merchant, key) = api.NewMerchant();
        var program = await api.ProgramAsync(key);
        var family = await FamilyAsync(key, program, 1000, 2000);
        await api.EverythingIsBookedAsync(merchant);
        var quote = await api.Service.InvokeAsync(
            HttpMethod.Post,
            "/internal/point_quotes",
            new
            {
                merchant_id = merchant.ToString(),
                live = false,
                member_id = family[0],
                max_amount = 25,
            }
        );
        Assert.Equal(25, quote.GetProperty("points").GetInt64());

        var held = await api.Service.InvokeAsync(
            HttpMethod.Post,
            "/internal/point_holds",
            new
            {
                redemption_id = RedemptionId.New(TimeProvider.System).ToString(),
                merchant_id = merchant.ToString(),
                live = false,
                member_id = family[0],
                max_amount = 25,
            }
        );

        Assert.Equal(25, held.GetProperty("points").GetInt64());
        Assert.Equal(5, await PooledAsync(key, family[1]));
        Assert.Equal(25, await api.BookedAsync(merchant, $"member:{family[0]}:held"));
    }

    [Fact]
    public async Task Who_leaves_keeps_its_points_and_spends_alone()
    {
        var (_, key) = api.NewMerchant();
        var program = await api.ProgramAsync(key);
        var family = await FamilyAsync(key, program, 1000, 2000, 3000);
        await api.PostAsync(key, $"/v1/members/{family[2]}/leave_pool", new { });

        var shown = await api.GetAsync(key, $"/v1/members/{family[0]}/pool");
        Assert.Equal(2, shown.GetProperty("members").GetArrayLength());
        Assert.Equal(30, shown.GetProperty("available").GetInt64());
        await api.GetAsync(key, $"/v1/members/{family[2]}/pool", 404);
        await BuyAsync(key, await RewardAsync(key, program, 31), family[0], 422);
        Assert.Equal(30, await api.PointsAsync(key, family[2]));
        // Whoever leaves the programme or becomes part of another is together with nobody either.
        await api.PostAsync(key, $"/v1/members/{family[1]}/leave", new { });
        await api.GetAsync(key, $"/v1/members/{family[0]}/pool", 404);
        // One that is left alone may go to others.
        await api.PostAsync(key, $"/v1/members/{family[2]}/pool", new { member_id = family[0] });
        Assert.Equal(40, await PooledAsync(key, family[2]));
    }

    [Fact]
    public async Task A_member_is_together_with_one_family_of_its_programme_and_of_bounded_size()
    {
        var (_, key) = api.NewMerchant();
        var program = await api.ProgramAsync(key);
        var (first, second) = (
            await FamilyAsync(key, program, [.. Enumerable.Repeat(100L, 10)]),
            await FamilyAsync(key, program, 100, 100)
        );

        var full = new { member_id = await api.MemberAsync(key, program) };
        await RefusedAsync("limit_exceeded", first[0], full, 422);
        await RefusedAsync("member_state", first[0], new { member_id = second[0] }, 409);
        await RefusedAsync("invalid_request", first[0], new { member_id = first[0] }, 400);
        var elsewhere = new { member_id = await api.MemberAsync(key, await api.ProgramAsync(key)) };
        await RefusedAsync("invalid_request", second[0], elsewhere, 400);
        // To be told again changes nothing.
        await api.PostAsync(key, $"/v1/members/{second[0]}/pool", new { member_id = second[1] });
        var stranger = api.NewMerchant().Key;
        await api.PostAsync(stranger, $"/v1/members/{second[0]}/pool", new { member_id = second[1] }, 404);
        await api.PostAsync(stranger, $"/v1/members/{second[0]}/leave_pool", new { }, 404);

        async Task RefusedAsync(string code, string member, object body, int status) =>
            Assert.Equal(code, Code(await api.PostAsync(key, $"/v1/members/{member}/pool", body, status)));
    }

    /// <summary>Members together, each with what so much money has earned.</summary>
    private async Task<string[]> FamilyAsync(string key, string program, params long[] amounts)
    {
        var members = new List<string>();
        foreach (var amount in amounts)
        {
            members.Add(await api.MemberAsync(key, program));
            await api.EarnAsync(key, members[^1], amount);
            if (members.Count > 1)
            {
                await api.PostAsync(key, $"/v1/members/{members[0]}/pool", new { member_id = members[^1] });
            }
        }

        return [.. members];
    }

    private async Task<string> RewardAsync(string key, string program, long points) =>
        Id(
            await api.PostAsync(
                key,
                "/v1/loyalty_rewards",
                new
                {
                    program_id = program,
                    name = "Cake",
                    points,
                },
                201
            )
        );

    private Task<System.Text.Json.JsonElement> BuyAsync(string key, string reward, string member, int status) =>
        api.PostAsync(key, $"/v1/loyalty_rewards/{reward}/redeem", new { member_id = member }, status);

    private async Task<long> PooledAsync(string key, string member) =>
        (await api.GetAsync(key, $"/v1/members/{member}/balance")).GetProperty("pooled").GetInt64();

    private static Guid Uuid(string id) => MemberId.Parse(id).Value;
}
