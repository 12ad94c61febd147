using System.Net.Http.Json;
using System.Text.Json;
using LocalPlus.Tests.Integration.Support;

namespace LocalPlus.Tests.Integration.Merchant;

public sealed class MerchantTests(MerchantApi api) : IClassFixture<MerchantApi>
{
    [Fact]
    public async Task An_onboarded_merchant_has_one_key_that_opens_its_own_door()
    {
        using var answer = await api.OnboardAsync(
            new
            {
                name = "Le Fournil",
                country = "FR",
                currency = "EUR",
                contact_email = "hello@fournil.test",
            }
        );
        var merchant = await answer.Content.ReadFromJsonAsync<JsonElement>();
        var key = merchant.GetProperty("api_key").GetProperty("key").GetString()!;

        Assert.Equal(201, (int)answer.StatusCode);
        Assert.Equal($"/v1/merchants/{merchant.GetProperty("id").GetString()}", answer.Headers.Location!.ToString());
        Assert.Matches("^lp_test_[0-9a-z]{58}$", key);
        Assert.Equal("fr", merchant.GetProperty("locale").GetString());
        var me = await api.CallAsync(HttpMethod.Get, "/v1/merchants/me", key);
        Assert.Equal(merchant.GetProperty("id").GetString(), me.GetProperty("id").GetString());
        Assert.False(me.TryGetProperty("api_key", out _));
    }

    [Fact]
    public async Task A_live_merchant_gets_live_keys_only()
    {
        using var answer = await api.OnboardAsync(
            new
            {
                name = "Florist",
                country = "IE",
                currency = "EUR",
                contact_email = "a@b.test",
                mode = "live",
            }
        );
        var key = (await answer.Content.ReadFromJsonAsync<JsonElement>())
            .GetProperty("api_key")
            .GetProperty("key")
            .GetString()!;

        var second = await api.CallAsync(
            HttpMethod.Post,
            "/v1/api_keys",
            key,
            new { name = "till", scopes = new[] { "programs:read" } },
            201
        );

        Assert.StartsWith("lp_live_", key, StringComparison.Ordinal);
        Assert.StartsWith("lp_live_", second.GetProperty("key").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_repeated_onboarding_makes_one_merchant_and_shows_its_one_key_again()
    {
        var body = new
        {
            name = "Twice",
            country = "DE",
            currency = "EUR",
            contact_email = "a@b.test",
        };
        using var first = await api.OnboardAsync(body, idempotencyKey: "onboard-twice");
        using var second = await api.OnboardAsync(body, idempotencyKey: "onboard-twice");
        var one = await first.Content.ReadFromJsonAsync<JsonElement>();
        var two = await second.Content.ReadFromJsonAsync<JsonElement>();

        Assert.Equal("true", second.Headers.GetValues("Idempotency-Replayed").Single());
        Assert.Equal(one.GetProperty("id").GetString(), two.GetProperty("id").GetString());
        Assert.Equal(one.GetProperty("api_key").GetRawText(), two.GetProperty("api_key").GetRawText());
    }

    [Fact]
    public async Task Onboarding_is_announced_without_names_and_addresses()
    {
        var (id, _, _) = await api.OnboardAsync();

        await Eventually.TrueAsync(() => api.Announced(id).Length > 0);
        var published = Assert.Single(api.Announced(id));
        Assert.Equal("merchant.onboarded.v1", published.GetProperty("topic").GetString());
        var envelope = published.GetProperty("event").GetProperty("data");
        Assert.Equal(id, envelope.GetProperty("merchant_id").GetString());
        Assert.Equal("FR", envelope.GetProperty("data").GetProperty("country").GetString());
        Assert.DoesNotContain("fournil", published.ToString(), StringComparison.OrdinalIgnoreCase);
    }

    [Theory]
    [InlineData("viewer", 403, "scope_missing")]
    [InlineData("operator", 403, "scope_missing")]
    public async Task Only_administrators_onboard(string role, int status, string code)
    {
        using var answer = await api.OnboardAsync(
            new
            {
                name = "x",
                country = "FR",
                currency = "EUR",
                contact_email = "a@b.test",
            },
            role
        );

        Assert.Equal(status, (int)answer.StatusCode);
        Assert.Equal(code, (await answer.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("code").GetString());
    }

    [Theory]
    [InlineData(
        """{"name":"","country":"FR","currency":"EUR","contact_email":"a@b.test"}""",
        "invalid_request",
        "/name"
    )]
    [InlineData(
        """{"name":"x","country":"France","currency":"EUR","contact_email":"a@b.test"}""",
        "invalid_request",
        "/country"
    )]
    [InlineData(
        """{"name":"x","country":"FR","currency":"eur","contact_email":"a@b.test"}""",
        "invalid_request",
        "/currency"
    )]
    [InlineData(
        """{"name":"x","country":"FR","currency":"EUR","contact_email":"a@b"}""",
        "invalid_request",
        "/contact_email"
    )]
    [InlineData(
        """{"name":"x","country":"FR","currency":"EUR","contact_email":"a@b.test","mode":"prod"}""",
        "invalid_request",
        "/mode"
    )]
    [InlineData(
        """{"name":"x","country":"FR","currency":"EUR","contact_email":"a@b.test","locale":"de"}""",
        "invalid_request",
        "/locale"
    )]
    [InlineData(
        """{"name":"x\u0000","country":"FR","currency":"EUR","contact_email":"a@b.test"}""",
        "invalid_request",
        "/name"
    )]
    [InlineData(
        """{"name":"x","country":"FR","currency":"EUR","contact_email":"a@b.test","admin":true}""",
        "unknown_field",
        "/admin"
    )]
    public async Task What_is_wrong_with_an_onboarding_is_named(string body, string code, string pointer)
    {
        using var answer = await api.OnboardAsync(body);
        var problem = await answer.Content.ReadFromJsonAsync<JsonElement>();

        Assert.Equal(400, (int)answer.StatusCode);
        Assert.Equal("application/problem+json", answer.Content.Headers.ContentType!.MediaType);
        Assert.Equal(code, problem.GetProperty("code").GetString());
        Assert.Contains(
            problem.GetProperty("errors").EnumerateArray(),
            e => e.GetProperty("pointer").GetString() == pointer
        );
    }

    [Fact]
    public async Task Missing_members_and_broken_json_are_invalid_requests()
    {
        foreach (var body in new[] { "{}", "{", "[]", "null", "\"x\"" })
        {
            using var answer = await api.OnboardAsync(body);
            Assert.Equal(400, (int)answer.StatusCode);
            Assert.Equal(
                "invalid_request",
                (await answer.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("code").GetString()
            );
        }
    }

    [Fact]
    public async Task Another_merchant_is_not_found()
    {
        var (_, key, _) = await api.OnboardAsync();
        var (other, _, _) = await api.OnboardAsync();

        var problem = await api.CallAsync(HttpMethod.Get, $"/v1/merchants/{other}", key, status: 404);

        Assert.Equal("not_found", problem.GetProperty("code").GetString());
    }

    [Fact]
    public async Task Notification_learns_how_to_write_to_a_merchant()
    {
        var (id, _, _) = await api.OnboardAsync();

        var contact = await api.Service.App.GetFromJsonAsync<JsonElement>($"/internal/merchants/{id}/contact");

        Assert.Equal("hello@fournil.test", contact.GetProperty("contact_email").GetString());
        Assert.Equal("Le Fournil", contact.GetProperty("name").GetString());
        using var outside = await api.Service.Public.GetAsync(
            new Uri($"/internal/merchants/{id}/contact", UriKind.Relative)
        );
        Assert.Equal(404, (int)outside.StatusCode);
    }

    [Theory]
    [InlineData("GET", "/v1/locations")]
    [InlineData("POST", "/v1/merchants")]
    [InlineData("POST", "/internal/api_keys/verify")]
    [InlineData("GET", "/events/dead_letters")]
    public async Task A_path_is_found_on_its_own_port_alone_and_on_the_app_port_with_the_sidecars_token(
        string method,
        string path
    )
    {
        var isPublic = path.StartsWith("/v1/", StringComparison.Ordinal);
        var wrong = isPublic ? api.Service.App : api.Service.Public;
        using var request = new HttpRequestMessage(new HttpMethod(method), path)
        {
            Version = wrong.DefaultRequestVersion,
            VersionPolicy = wrong.DefaultVersionPolicy,
        };

        using var answer = await wrong.SendAsync(request);

        Assert.Equal(404, (int)answer.StatusCode);
        if (isPublic)
        {
            return;
        }

        using var stranger = new HttpClient
        {
            BaseAddress = api.Service.App.BaseAddress,
            DefaultRequestVersion = api.Service.App.DefaultRequestVersion,
            DefaultVersionPolicy = api.Service.App.DefaultVersionPolicy,
        };
        using var refused = await stranger.GetAsync(new Uri(path, UriKind.Relative));
        Assert.Equal(401, (int)refused.StatusCode);
    }

    [Fact]
    public async Task Locations_are_listed_newest_first_page_by_page()
    {
        var (_, key, _) = await api.OnboardAsync();
        foreach (var name in new[] { "one", "two", "three" })
        {
            await api.CallAsync(HttpMethod.Post, "/v1/locations", key, new { name, reference = $"shop-{name}" }, 201);
        }

        var first = await api.CallAsync(HttpMethod.Get, "/v1/locations?limit=2", key);
        var second = await api.CallAsync(
            HttpMethod.Get,
            $"/v1/locations?limit=2&cursor={first.GetProperty("next_cursor").GetString()}",
            key
        );

        Assert.Equal(
            ["three", "two"],
            first.GetProperty("data").EnumerateArray().Select(l => l.GetProperty("name").GetString())
        );
        Assert.Equal(
            ["one"],
            second.GetProperty("data").EnumerateArray().Select(l => l.GetProperty("name").GetString())
        );
        Assert.False(second.GetProperty("has_more").GetBoolean());
        var id = first.GetProperty("data")[0].GetProperty("id").GetString();
        Assert.StartsWith("loc_", id, StringComparison.Ordinal);
        Assert.Equal(
            "three",
            (await api.CallAsync(HttpMethod.Get, $"/v1/locations/{id}", key)).GetProperty("name").GetString()
        );
    }

    [Fact]
    public async Task A_location_of_another_merchant_is_not_found_and_its_cursor_not_taken()
    {
        var (_, key, _) = await api.OnboardAsync();
        var (_, stranger, _) = await api.OnboardAsync();
        var location = await api.CallAsync(HttpMethod.Post, "/v1/locations", key, new { name = "shop" }, 201);
        await api.CallAsync(HttpMethod.Post, "/v1/locations", key, new { name = "shop 2" }, 201);
        var page = await api.CallAsync(HttpMethod.Get, "/v1/locations?limit=1", key);

        await api.CallAsync(
            HttpMethod.Get,
            $"/v1/locations/{location.GetProperty("id").GetString()}",
            stranger,
            status: 404
        );
        await api.CallAsync(
            HttpMethod.Get,
            $"/v1/locations?cursor={page.GetProperty("next_cursor").GetString()}",
            stranger,
            status: 400
        );
        await api.CallAsync(HttpMethod.Get, "/v1/locations?limit=0", key, status: 400);
    }

    [Fact]
    public async Task A_location_s_reference_is_unique_per_merchant()
    {
        var (_, key, _) = await api.OnboardAsync();
        var (_, other, _) = await api.OnboardAsync();
        await api.CallAsync(HttpMethod.Post, "/v1/locations", key, new { name = "a", reference = "r1" }, 201);
        await api.CallAsync(HttpMethod.Post, "/v1/locations", other, new { name = "a", reference = "r1" }, 201);

        var problem = await api.CallAsync(
            HttpMethod.Post,
            "/v1/locations",
            key,
            new { name = "b", reference = "r1" },
            422
        );

        Assert.Equal("reference_reused", problem.GetProperty("code").GetString());
    }
}
