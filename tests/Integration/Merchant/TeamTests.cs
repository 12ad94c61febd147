using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;

namespace LocalPlus.Tests.Integration.Merchant;

/// <summary>A merchant's people and what their roles may do.</summary>
public sealed class TeamTests(MerchantApi api) : IClassFixture<MerchantApi>
{
    [Fact]
    public async Task An_administrator_adds_the_first_owner_and_the_owner_everybody_else()
    {
        var (merchant, key, _) = await api.OnboardAsync();
        var owner = await OwnerAsync(merchant);

        var (cashier, till) = await AddAsync(owner.Token, "cashier");

        await api.CallAsync(HttpMethod.Get, "/v1/locations", till);
        Assert.Equal("scope_missing", await CodeAsync(HttpMethod.Post, "/v1/locations", till, new { name = "x" }, 403));
        await api.CallAsync(HttpMethod.Get, "/v1/team_members", till, status: 403);
        var team = (await api.CallAsync(HttpMethod.Get, "/v1/team_members", key)).GetProperty("data");
        Assert.Equal(
            [(cashier, "cashier"), (owner.Id, "owner")],
            team.EnumerateArray().Select(m => (m.GetProperty("id").GetString()!, m.GetProperty("role").GetString()!))
        );
        // A first key reads the team, and hands out nothing.
        var body = new
        {
            name = "Me",
            role = "owner",
            subject = "me",
        };
        Assert.Equal("scope_missing", await CodeAsync(HttpMethod.Post, "/v1/team_members", key, body, 403));
        var books = await api.CallAsync(
            HttpMethod.Post,
            "/v1/api_keys",
            owner.Token,
            new { name = "books", scopes = new[] { "ledger:read", "ledger:write" } },
            201
        );
        Assert.True(books.TryGetProperty("key", out _));
        var changed = await api.PatchAsync(owner.Token, new { name = "Fournil" }, 1);
        Assert.Equal("Fournil", changed.GetProperty("name").GetString());
        var versions = await api.CallAsync(HttpMethod.Get, $"/v1/merchants/{merchant}/versions", key);
        var actor = versions.GetProperty("data")[0].GetProperty("actor");
        Assert.Equal(
            ("person", owner.Id),
            (actor.GetProperty("kind").GetString(), actor.GetProperty("id").GetString())
        );
    }

    [Theory]
    [InlineData("owner", "team:write", "ledger:write", null)]
    [InlineData("manager", "programs:write", "locations:write", "ledger:write")]
    [InlineData("manager", "team:read", "gift_cards:write", "team:write")]
    [InlineData("manager", "api_keys:read", "customers:write", "api_keys:write")]
    [InlineData("cashier", "redemptions:write", "customers:write", "programs:write")]
    [InlineData("cashier", "gift_cards:write", "locations:read", "reports:read")]
    [InlineData("accountant", "reports:read", "ledger:read", "redemptions:write")]
    [InlineData("accountant", "merchants:read", "gift_cards:read", "team:read")]
    public async Task A_role_stands_for_scopes(string role, string may, string also, string? mayNot)
    {
        var (merchant, _, _) = await api.OnboardAsync();
        var owner = await OwnerAsync(merchant);
        var (id, _) = await AddAsync(owner.Token, role);

        var scopes = (await api.CallAsync(HttpMethod.Get, $"/v1/team_members/{id}", owner.Token))
            .GetProperty("scopes")
            .EnumerateArray()
            .Select(s => s.GetString())
            .ToArray();

        Assert.Contains(may, scopes);
        Assert.Contains(also, scopes);
        Assert.DoesNotContain(mayNot ?? "nothing", scopes);
    }

    [Fact]
    public async Task Who_is_removed_is_out_and_who_is_changed_is_what_the_team_says()
    {
        var (merchant, _, _) = await api.OnboardAsync();
        var owner = await OwnerAsync(merchant);
        var (id, token) = await AddAsync(owner.Token, "cashier");
        var path = $"/v1/team_members/{id}";

        await api.PatchAsync(owner.Token, new { role = "manager" }, 1, path: path);
        await api.CallAsync(HttpMethod.Post, "/v1/locations", token, new { name = "Rue 1" }, 201);
        var late = await api.PatchAsync(owner.Token, new { role = "owner" }, 1, 412, path);
        Assert.Equal("version_conflict", late.GetProperty("code").GetString());
        await api.CallAsync(HttpMethod.Delete, path, owner.Token, status: 204);
        await api.CallAsync(HttpMethod.Delete, path, owner.Token, status: 204);

        await api.CallAsync(HttpMethod.Get, "/v1/locations", token, status: 401);
        await api.PatchAsync(owner.Token, new { role = "owner" }, 3, 404, path);
    }

    [Fact]
    public async Task A_team_keeps_an_owner_and_has_each_person_once()
    {
        var (merchant, _, _) = await api.OnboardAsync();
        var owner = await OwnerAsync(merchant);
        var path = $"/v1/team_members/{owner.Id}";

        Assert.Equal("last_owner", await CodeAsync(HttpMethod.Delete, path, owner.Token, null, 409));
        var demoted = await api.PatchAsync(owner.Token, new { role = "cashier" }, 1, 409, path);
        Assert.Equal("last_owner", demoted.GetProperty("code").GetString());
        var again = new
        {
            name = "Again",
            role = "cashier",
            subject = owner.Subject,
        };
        Assert.Equal(
            "team_member_exists",
            await CodeAsync(HttpMethod.Post, "/v1/team_members", owner.Token, again, 409)
        );
        var (second, _) = await AddAsync(owner.Token, "owner");
        await api.CallAsync(HttpMethod.Delete, path, owner.Token, status: 204);
        Assert.NotEqual(owner.Id, second);
    }

    [Fact]
    public async Task Who_is_in_two_teams_says_for_which_and_opens_no_third()
    {
        var (one, _, _) = await api.OnboardAsync();
        var (two, _, _) = await api.OnboardAsync();
        var (three, _, _) = await api.OnboardAsync();
        var owner = await OwnerAsync(one);
        await OwnerAsync(two, owner.Subject);

        await SeeAsync(owner.Token, null, 401);
        Assert.Equal(one, await SeeAsync(owner.Token, one, 200));
        Assert.Equal(two, await SeeAsync(owner.Token, two, 200));
        await SeeAsync(owner.Token, three, 401);
        await SeeAsync(owner.Token, "mrc_nobody", 401);
        // An operator is in no team, and one of a team is no operator.
        await SeeAsync(api.AdminToken, null, 401);
        await api.CallAsync(HttpMethod.Get, "/ops/v1/merchants", owner.Token, status: 403);
    }

    [Theory]
    [InlineData("""{"name":"x","role":"king","subject":"s"}""", "/role")]
    [InlineData("""{"name":" ","role":"owner","subject":"s"}""", "/name")]
    [InlineData("""{"name":"x","role":"owner","subject":""}""", "/subject")]
    public async Task What_is_wrong_with_a_person_is_named(string body, string pointer)
    {
        var (merchant, _, _) = await api.OnboardAsync();

        var problem = await api.OperateAsync(
            HttpMethod.Post,
            $"/ops/v1/merchants/{merchant}/team_members",
            "admin",
            body,
            400
        );

        Assert.Equal(pointer, problem.GetProperty("errors")[0].GetProperty("pointer").GetString());
    }

    private async Task<(string Id, string Subject, string Token)> OwnerAsync(string merchant, string? subject = null)
    {
        subject ??= $"owner-{Guid.CreateVersion7():N}";
        var made = await api.OperateAsync(
            HttpMethod.Post,
            $"/ops/v1/merchants/{merchant}/team_members",
            "admin",
            new
            {
                name = "Odile",
                role = "owner",
                subject,
            },
            201
        );
        return (made.GetProperty("id").GetString()!, subject, api.PersonToken(subject));
    }

    private async Task<(string Id, string Token)> AddAsync(string owner, string role)
    {
        var subject = $"{role}-{Guid.CreateVersion7():N}";
        var made = await api.CallAsync(
            HttpMethod.Post,
            "/v1/team_members",
            owner,
            new
            {
                name = "Somebody",
                role,
                subject,
            },
            201
        );
        return (made.GetProperty("id").GetString()!, api.PersonToken(subject));
    }

    private async Task<string> CodeAsync(HttpMethod method, string path, string bearer, object? body, int status) =>
        (await api.CallAsync(method, path, bearer, body, status)).GetProperty("code").GetString()!;

    private async Task<string?> SeeAsync(string token, string? merchant, int status)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/v1/merchants/me");
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        if (merchant is not null)
        {
            request.Headers.Add("LocalPlus-Merchant", merchant);
        }

        using var answer = await api.Service.Public.SendAsync(request);
        Assert.Equal(status, (int)answer.StatusCode);
        return status == 200
            ? (await answer.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("id").GetString()
            : null;
    }
}
