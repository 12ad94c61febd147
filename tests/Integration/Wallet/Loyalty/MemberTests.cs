using System.Text.Json;
using LocalPlus.Tests.Integration.Support;
using static LocalPlus.Tests.Integration.Wallet.Loyalty.LoyaltyApi;

namespace LocalPlus.Tests.Integration.Wallet.Loyalty;

/// <summary>Programmes, the merchants that take part in them, and members.</summary>
public sealed class MemberTests(LoyaltyApi api) : IClassFixture<LoyaltyApi>
{
    [Fact]
    public async Task A_programme_is_made_changed_and_shown_to_its_merchant_alone()
    {
        var (_, key) = api.NewMerchant();
        var program = await api.ProgramAsync(key, new { reference = "points-1" });

        var again = await api.PostAsync(key, "/v1/loyalty_programs", Terms("points-1"), 422);
        Assert.Equal("reference_reused", Code(again));
        Assert.Equal(program, again.GetProperty("used_by").GetString());
        var changed = await api.PatchAsync(
            key,
            $"/v1/loyalty_programs/{program}",
            new { name = "Better points", rounding = "up" },
            1
        );
        Assert.Equal("up", changed.GetProperty("rounding").GetString());
        Assert.Equal(2, changed.GetProperty("version").GetInt64());
        var stale = await api.PatchAsync(key, $"/v1/loyalty_programs/{program}", new { name = "Worse" }, 1, 412);
        Assert.Equal("version_conflict", Code(stale));
        var list = await api.GetAsync(key, "/v1/loyalty_programs");
        Assert.Equal(program, Id(list.GetProperty("data")[0]));
        await api.GetAsync(api.NewMerchant().Key, $"/v1/loyalty_programs/{program}", 404);
    }

    [Theory]
    [InlineData("time_zone", "\"Mars/Olympus\"")]
    [InlineData("time_zone", "\"../../../dev/zero\"")]
    [InlineData("earn", "{\"points\":0,\"per\":{\"amount\":100,\"currency\":\"EUR\"}}")]
    [InlineData("expiry", "{\"kind\":\"after_earning\"}")]
    [InlineData("tiers", "{\"qualification_days\":365,\"grace_days\":30,\"levels\":[]}")]
    public async Task Terms_that_can_not_be_are_refused(string member, string value)
    {
        var (_, key) = api.NewMerchant();
        var terms = JsonSerializer.SerializeToNode(Terms(null))!.AsObject();
        terms[member] = System.Text.Json.Nodes.JsonNode.Parse(value);

        var problem = await api.PostAsync(key, "/v1/loyalty_programs", terms.ToJsonString(), 400);

        Assert.StartsWith($"/{member}", problem.GetProperty("errors")[0].GetProperty("pointer").GetString());
    }

    [Fact]
    public async Task A_person_is_found_by_what_they_enrolled_with_and_is_one_member()
    {
        var (_, key) = api.NewMerchant();
        var program = await api.ProgramAsync(key);
        var member = await api.PostAsync(
            key,
            "/v1/members",
            new
            {
                program_id = program,
                email = "Anna@Example.test",
                phone = "+33 1 23 45 67 89",
            },
            201
        );

        foreach (
            var by in new object[]
            {
                new { program_id = program, email = "anna@example.test" },
                new { program_id = program, phone = "0033-1-23456789" },
                new { program_id = program, card_number = member.GetProperty("card_number").GetString() },
            }
        )
        {
            Assert.Equal(Id(member), Id(await api.PostAsync(key, "/v1/members/find", by)));
        }

        var twice = await api.PostAsync(key, "/v1/members", new { program_id = program, phone = "+33123456789" }, 409);
        Assert.Equal("member_exists", Code(twice));
        Assert.Equal(Id(member), twice.GetProperty("member_id").GetString());
        Assert.DoesNotContain("anna", member.GetRawText(), StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task A_partner_enrols_and_finds_once_it_has_agreed_and_until_it_ends()
    {
        var (_, issuer) = api.NewMerchant();
        var (partner, till) = api.NewMerchant();
        var program = await api.ProgramAsync(
            issuer,
            new { partners = new[] { new { merchant_id = partner.ToString(), funding_basis_points = 5000 } } }
        );
        object enrolment = new { program_id = program, email = "ben@example.test" };
        await api.PostAsync(till, "/v1/members", enrolment, 404);

        var offers = await api.GetAsync(till, "/v1/loyalty_partnerships?state=offered");
        Assert.Equal(program, offers.GetProperty("data")[0].GetProperty("program_id").GetString());
        var accept = $"/v1/loyalty_partnerships/{program}/accept";
        var other = await api.PostAsync(till, accept, new { funding_basis_points = 1 }, 409);
        Assert.Equal("acceptance_changed", Code(other));
        await api.PostAsync(till, accept, new { funding_basis_points = 5000 });
        var member = await api.PostAsync(till, "/v1/members", enrolment, 201);
        await api.GetAsync(till, $"/v1/members/{Id(member)}");

        await api.PostAsync(till, $"/v1/loyalty_partnerships/{program}/end", new { });
        await api.GetAsync(till, $"/v1/members/{Id(member)}", 404);
        await api.GetAsync(issuer, $"/v1/members/{Id(member)}");
    }

    [Fact]
    public async Task Test_and_live_never_meet()
    {
        var (merchant, test) = api.NewMerchant();
        var live = api.Sidecar.IssueKey(merchant, live: true, "loyalty:read", "members:write");
        var program = await api.ProgramAsync(test);

        await api.GetAsync(live, $"/v1/loyalty_programs/{program}", 404);
        await api.PostAsync(live, "/v1/members", new { program_id = program }, 404);
    }

    [Fact]
    public async Task Who_leaves_is_forgotten_and_may_come_again()
    {
        var (merchant, key) = api.NewMerchant();
        var program = await api.ProgramAsync(key);
        object person = new { program_id = program, email = "cleo@example.test" };
        var member = Id(await api.PostAsync(key, "/v1/members", person, 201));
        await api.EarnAsync(key, member, 1000);

        var left = await api.PostAsync(key, $"/v1/members/{member}/leave", new { reason = "moved away" });

        Assert.Equal("left", left.GetProperty("state").GetString());
        Assert.Equal(0, left.GetProperty("points").GetInt64());
        Assert.Equal(0, await api.BookedAsync(merchant, $"member:{member}:points"));
        await api.PostAsync(key, "/v1/members/find", person, 404);
        Assert.Equal("member_state", Code(await api.EarnAsync(key, member, 100, status: 409)));
        Assert.NotEqual(member, Id(await api.PostAsync(key, "/v1/members", person, 201)));
    }

    [Fact]
    public async Task Two_memberships_become_one_with_all_that_was_in_both()
    {
        var (merchant, key) = api.NewMerchant();
        var program = await api.ProgramAsync(key);
        var old = await api.PostAsync(key, "/v1/members", new { program_id = program, phone = "+33123456780" }, 201);
        var into = await api.MemberAsync(key, program);
        var earning = Id(await api.EarnAsync(key, Id(old), 1000));
        await api.EarnAsync(key, Id(old), 200, releaseAt: TimeProvider.System.GetUtcNow().AddDays(3));
        await api.EarnAsync(key, into, 300);

        var merged = await api.PostAsync(key, $"/v1/members/{Id(old)}/merge", new { into });

        Assert.Equal(13, merged.GetProperty("points").GetInt64());
        Assert.Equal(2, merged.GetProperty("pending").GetInt64());
        Assert.True(merged.GetProperty("has_phone").GetBoolean());
        var found = await api.PostAsync(
            key,
            "/v1/members/find",
            new { program_id = program, card_number = old.GetProperty("card_number").GetString() }
        );
        Assert.Equal(into, Id(found));
        Assert.Equal("member_state", Code(await api.EarnAsync(key, Id(old), 100, status: 409)));
        await api.PostAsync(key, $"/v1/earnings/{earning}/refund", new { reference = "r" }, 201);
        Assert.Equal(3, await api.PointsAsync(key, into));
        Assert.Equal(3, await api.BookedAsync(merchant, $"member:{into}:points"));
        Assert.Equal(2, await api.BookedAsync(merchant, $"member:{into}:pending"));
        Assert.Equal(0, await api.BookedAsync(merchant, $"member:{Id(old)}:points"));
    }

    [Theory]
    [InlineData("/v1/loyalty_programs")]
    [InlineData("/v1/members")]
    [InlineData("/v1/members/find")]
    [InlineData("/v1/earning_rules")]
    [InlineData("/v1/earnings")]
    [InlineData("/v1/earnings/quote")]
    public async Task Every_route_survives_what_callers_and_libraries_get_wrong(string path)
    {
        var (_, key) = api.NewMerchant();
        const string id = "_01jz0dw00071r8000000000001";
        var good = path switch
        {
            "/v1/loyalty_programs" => JsonSerializer.Serialize(Terms("ref")),
            "/v1/members" => $$"""{"program_id":"prg{{id}}","email":"jo@example.test","phone":"+33123456789"}""",
            "/v1/members/find" => $$"""{"program_id":"prg{{id}}","email":"jo@example.test"}""",
            "/v1/earning_rules" =>
                $$$"""{"program_id":"prg{{{id}}}","name":"n","definition":{"effect":"bonus","points":5},"budget":7}""",
            "/v1/earnings" =>
                $$$"""{"member_id":"mem{{{id}}}","reference":"r","amount":{"amount":100,"currency":"EUR"}}""",
            _ => $$$"""{"member_id":"mem{{{id}}}","amount":{"amount":100,"currency":"EUR"},"lines":[]}""",
        };

        Assert.InRange(await InputCorpus.SurviveAsync(api.Service, path, key, good), 25, int.MaxValue);
    }

    private static Dictionary<string, object?> Terms(string? reference) =>
        new Dictionary<string, object?>
        {
            ["name"] = "Points",
            ["currency"] = "EUR",
            ["earn"] = new { points = 1, per = Eur(100) },
            ["point_value"] = new { points = 1, value = Eur(1) },
            ["time_zone"] = "Europe/Paris",
            ["reference"] = reference ?? "r",
        };
}
