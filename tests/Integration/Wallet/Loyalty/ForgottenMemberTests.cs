using Microsoft.AspNetCore.Http;
using static LocalPlus.Tests.Integration.Wallet.Loyalty.LoyaltyApi;

namespace LocalPlus.Tests.Integration.Wallet.Loyalty;

/// <summary>What a person who is erased, or was two customers, has in loyalty programmes.</summary>
public sealed class ForgottenMemberTests(LoyaltyApi api) : IClassFixture<LoyaltyApi>
{
    [Fact]
    public async Task The_memberships_of_a_person_who_is_erased_go_on_without_the_person()
    {
        var (_, key) = api.NewMerchant();
        var (first, second) = (await api.ProgramAsync(key), await api.ProgramAsync(key));
        var customer = await CustomerAsync(key, "member@example.test");
        var named = Id(
            await api.PostAsync(
                key,
                "/v1/members",
                new
                {
                    program_id = first,
                    customer_id = customer,
                    phone = "+33123456700",
                    birth_month = 5,
                },
                201
            )
        );
        var addressed = Id(
            await api.PostAsync(key, "/v1/members", new { program_id = second, email = "MEMBER@example.test" }, 201)
        );
        var other = await api.MemberAsync(key, first);
        await api.EarnAsync(key, named, 5000);
        foreach (var peer in new[] { "giftcard", "notification" })
        {
            api.Sidecar.OnInvoke(
                peer,
                "internal/holders/*",
                _ => Task.FromResult(Results.Json(new { data = Array.Empty<object>() }))
            );
        }

        var export = await api.GetAsync(key, $"/v1/customers/{customer}/export");
        var memberships = export.GetProperty("memberships").EnumerateArray().ToArray();
        Assert.Equal(
            new[] { named, addressed },
            memberships.Select(m => m.GetProperty("member").GetProperty("id").GetString())
        );
        Assert.Equal(50, memberships[0].GetProperty("movements")[0].GetProperty("points").GetInt64());
        Assert.Equal(50, memberships[0].GetProperty("earnings")[0].GetProperty("points").GetInt64());

        await api.PostAsync(key, $"/v1/customers/{customer}/erase", new { });

        foreach (var id in new[] { named, addressed })
        {
            var member = await api.GetAsync(key, $"/v1/members/{id}");
            Assert.Equal("active", member.GetProperty("state").GetString());
            Assert.False(member.GetProperty("has_email").GetBoolean());
            Assert.False(member.GetProperty("has_phone").GetBoolean());
            Assert.False(member.TryGetProperty("customer_id", out _));
            Assert.False(member.TryGetProperty("birth_month", out _));
        }

        Assert.Equal(50, await api.PointsAsync(key, named));
        Assert.True((await api.GetAsync(key, $"/v1/members/{other}")).GetProperty("has_email").GetBoolean());
        var lost = new { program_id = second, email = "member@example.test" };
        await api.PostAsync(key, "/v1/members/find", lost, 404);
        // Whoever joins with the address is somebody new.
        await api.PostAsync(key, "/v1/members", lost, 201);
    }

    [Fact]
    public async Task Memberships_go_along_with_a_merged_customer_and_two_in_one_programme_are_merged_first()
    {
        var (_, key) = api.NewMerchant();
        var (first, second) = (await api.ProgramAsync(key), await api.ProgramAsync(key));
        var from = await CustomerAsync(key, "from@example.test");
        var into = await CustomerAsync(key, "into@example.test");
        var moved = await JoinAsync(key, first, from);
        var doubled = await JoinAsync(key, second, from);
        var kept = await JoinAsync(key, second, into);

        var refused = await api.PostAsync(key, $"/v1/customers/{from}/merge", new { into }, 409);
        Assert.Equal("member_exists", Code(refused));
        Assert.Equal(doubled, refused.GetProperty("member_id").GetString());
        await api.PostAsync(key, $"/v1/members/{doubled}/merge", new { into = kept });
        await api.PostAsync(key, $"/v1/customers/{from}/merge", new { into });

        var member = await api.GetAsync(key, $"/v1/members/{moved}");
        Assert.Equal(into, member.GetProperty("customer_id").GetString());
        // Whoever still says the old id means the customer that is left, who is a member.
        var again = await api.PostAsync(key, "/v1/members", new { program_id = first, customer_id = from }, 409);
        Assert.Equal(moved, again.GetProperty("member_id").GetString());
    }

    private async Task<string> CustomerAsync(string key, string email) =>
        Id(await api.PostAsync(key, "/v1/customers", new { email }, 201));

    private async Task<string> JoinAsync(string key, string program, string customer) =>
        Id(await api.PostAsync(key, "/v1/members", new { program_id = program, customer_id = customer }, 201));
}
