using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using LocalPlus.Kernel;
using LocalPlus.Tests.Integration.Support;
using Npgsql;

namespace LocalPlus.Tests.Integration.Merchant;

/// <summary>What was found from outside at the merchant service, each kind over all of its routes.</summary>
public sealed class MerchantFaultTests(MerchantApi api) : IClassFixture<MerchantApi>
{
    private const string Onboarding =
        """{"name":"Le Fournil","country":"FR","currency":"EUR","contact_email":"a@b.test","locale":"fr","mode":"live"}""";

    private const string Location = """{"name":"Rue Haute","reference":"R-1"}""";
    private const string Key =
        """{"name":"till","scopes":["locations:read","locations:write"],"expires_at":"2099-01-01T00:00:00Z"}""";
    private const string Rotation = """{"overlap_seconds":3600}""";

    [Theory]
    [InlineData(2)]
    [InlineData(5)]
    [InlineData(50)]
    public async Task Fault_01_Equal_requests_at_once_have_one_effect_and_one_answer(int times)
    {
        var onboarded = await EqualRequests.SendAsync(
            key => api.OnboardAsync(Onboarding, idempotencyKey: key),
            times,
            201
        );
        var (merchant, bearer, keyId) = await api.OnboardAsync();
        var location = await EqualRequests.SendAsync(
            key => PostAsync("/v1/locations", bearer, Location, key),
            times,
            201
        );
        var made = await EqualRequests.SendAsync(key => PostAsync("/v1/api_keys", bearer, Key, key), times, 201);
        var rotated = await EqualRequests.SendAsync(
            key => PostAsync($"/v1/api_keys/{keyId}/rotate", bearer, Rotation, key),
            times,
            201
        );

        Assert.Equal(1L, await CountAsync($"merchants WHERE merchant_id = '{Uuid(onboarded)}'"));
        Assert.Equal(1L, await CountAsync($"api_keys WHERE merchant_id = '{Uuid(onboarded)}'"));
        Assert.Equal(1L, await CountAsync($"locations WHERE location_id = '{Uuid(location)}'"));
        var of = Ids.TryParse<MerchantId>(merchant, out var id) ? id.Value : default;
        Assert.Equal(1L, await CountAsync($"locations WHERE merchant_id = '{of}'"));
        Assert.Equal(3L, await CountAsync($"api_keys WHERE merchant_id = '{of}'"));
        Assert.NotEqual(Uuid(made), Uuid(rotated));
    }

    [Fact]
    public async Task Fault_01_An_answer_that_got_lost_on_its_way_is_had_again_with_its_secret()
    {
        var onboarding = Guid.CreateVersion7().ToString();
        var lost = await OnboardedAsync(onboarding);
        var found = await OnboardedAsync(onboarding);
        var key = found.GetProperty("api_key").GetProperty("key").GetString()!;
        var (making, turning) = (Guid.CreateVersion7().ToString(), Guid.CreateVersion7().ToString());
        var made = await api.CallAsync(HttpMethod.Post, "/v1/api_keys", key, Key, 201, making);
        var rotate = $"/v1/api_keys/{made.GetProperty("id").GetString()}/rotate";
        var turned = await api.CallAsync(HttpMethod.Post, rotate, key, Rotation, 201, turning);

        Assert.Equal(lost.GetRawText(), found.GetRawText());
        Assert.Equal(
            made.GetRawText(),
            (await api.CallAsync(HttpMethod.Post, "/v1/api_keys", key, Key, 201, making)).GetRawText()
        );
        Assert.Equal(
            turned.GetRawText(),
            (await api.CallAsync(HttpMethod.Post, rotate, key, Rotation, 201, turning)).GetRawText()
        );
        await api.CallAsync(HttpMethod.Get, "/v1/locations", turned.GetProperty("key").GetString());
    }

    [Fact]
    public async Task Fault_01_No_other_credential_gets_the_secret_of_a_repeat_and_nobody_after_a_day()
    {
        var (_, bearer, _) = await api.OnboardAsync();
        var narrow = (
            await api.CallAsync(
                HttpMethod.Post,
                "/v1/api_keys",
                bearer,
                new { name = "narrow", scopes = new[] { "api_keys:write" } },
                201
            )
        )
            .GetProperty("key")
            .GetString();
        var making = Guid.CreateVersion7().ToString();
        var made = await api.CallAsync(HttpMethod.Post, "/v1/api_keys", bearer, Key, 201, making);

        var taken = await api.CallAsync(HttpMethod.Post, "/v1/api_keys", narrow, Key, 201, making);
        await api.Database.AsOwnerAsync("UPDATE sealed_answers SET created_at = created_at - interval '24 hours'");
        var late = await api.CallAsync(HttpMethod.Post, "/v1/api_keys", bearer, Key, 201, making);

        Assert.True(made.TryGetProperty("key", out _));
        Assert.False(taken.TryGetProperty("key", out _));
        Assert.False(late.TryGetProperty("key", out _));
        Assert.Equal(made.GetProperty("id").GetString(), late.GetProperty("id").GetString());
    }

    [Fact]
    public async Task Fault_01_A_reference_that_another_request_took_is_no_answer_to_the_one_that_took_it()
    {
        var (_, bearer, _) = await api.OnboardAsync();
        var mine = Guid.CreateVersion7().ToString();
        var body = """{"name":"x","reference":"only one"}""";

        var first = await api.CallAsync(HttpMethod.Post, "/v1/locations", bearer, body, 201, mine);
        await api.CallAsync(HttpMethod.Post, "/v1/locations", bearer, body, 422);
        var again = await api.CallAsync(HttpMethod.Post, "/v1/locations", bearer, body, 201, mine);

        Assert.Equal(first.GetRawText(), again.GetRawText());
    }

    [Fact]
    public async Task Fault_10_A_key_that_ends_makes_no_key_that_outlives_it()
    {
        var (_, root, _) = await api.OnboardAsync();
        var ends = "2098-01-01T00:00:00.000Z";
        var mortal = await NewKeyAsync(root, ends);

        var heir = await api.CallAsync(HttpMethod.Post, "/v1/api_keys", mortal.Key, Body(null), 201);
        var earlier = await api.CallAsync(
            HttpMethod.Post,
            "/v1/api_keys",
            mortal.Key,
            Body("2097-01-01T00:00:00.000Z"),
            201
        );
        var later = await api.CallAsync(HttpMethod.Post, "/v1/api_keys", mortal.Key, Body("2099-01-01T00:00:00Z"), 400);

        Assert.Equal(ends, heir.GetProperty("expires_at").GetString());
        Assert.Equal("2097-01-01T00:00:00.000Z", earlier.GetProperty("expires_at").GetString());
        Assert.Equal("/expires_at", later.GetProperty("errors")[0].GetProperty("pointer").GetString());
    }

    [Fact]
    public async Task Fault_10_A_rotated_keys_successor_ends_when_it_would_have()
    {
        var (_, root, rootId) = await api.OnboardAsync();
        var ends = "2098-01-01T00:00:00.000Z";
        var mortal = await NewKeyAsync(root, ends);

        var bySelf = await api.CallAsync(HttpMethod.Post, $"/v1/api_keys/{mortal.Id}/rotate", mortal.Key, "{}", 201);
        var ofRoot = await api.CallAsync(
            HttpMethod.Post,
            $"/v1/api_keys/{rootId}/rotate",
            bySelf.GetProperty("key").GetString(),
            "{}",
            403
        );
        var byRoot = await api.CallAsync(
            HttpMethod.Post,
            $"/v1/api_keys/{bySelf.GetProperty("id").GetString()}/rotate",
            root,
            "{}",
            201
        );

        Assert.Equal(ends, bySelf.GetProperty("expires_at").GetString());
        Assert.Equal(ends, byRoot.GetProperty("expires_at").GetString());
        Assert.Equal("scope_missing", ofRoot.GetProperty("code").GetString());
    }

    [Fact]
    public async Task Fault_10_In_its_overlap_a_key_makes_nothing_that_lives_longer_and_takes_over_nothing()
    {
        var (_, first, firstId) = await api.OnboardAsync();
        var second = await api.CallAsync(
            HttpMethod.Post,
            $"/v1/api_keys/{firstId}/rotate",
            first,
            new { overlap_seconds = 3600 },
            201
        );

        var child = await api.CallAsync(HttpMethod.Post, "/v1/api_keys", first, Body(null), 201);
        var stolen = await api.CallAsync(
            HttpMethod.Post,
            $"/v1/api_keys/{second.GetProperty("id").GetString()}/rotate",
            first,
            "{}",
            403
        );

        Assert.True(
            child.GetProperty("expires_at").GetDateTimeOffset() <= TimeProvider.System.GetUtcNow().AddSeconds(3600)
        );
        Assert.Equal("scope_missing", stolen.GetProperty("code").GetString());
        await api.CallAsync(HttpMethod.Get, "/v1/merchants/me", second.GetProperty("key").GetString());
    }

    [Theory]
    [InlineData("application/cloudevents+json", "[")]
    [InlineData("application/cloudevents+json", "")]
    [InlineData("application/cloudevents+json; charset=utf-8", """{"specversion":"1.0","data_base64":"%%%"}""")]
    [InlineData(
        "application/cloudevents+json",
        """{"specversion":"1.0","id":"1","source":"x","type":"y","data":{"name":"wrapped"}}"""
    )]
    [InlineData("application/cloudevents-batch+json", "[]")]
    [InlineData("application/vnd.x+json", """{"name":"x"}""")]
    [InlineData("text/plain", """{"name":"x"}""")]
    [InlineData("nonsense", """{"name":"x"}""")]
    public async Task Fault_21_Nothing_but_JSON_comes_in_at_the_public_port(string type, string body)
    {
        var (_, bearer, keyId) = await api.OnboardAsync();
        foreach (
            var path in new[]
            {
                "/v1/merchants",
                "/v1/locations",
                "/v1/api_keys",
                $"/v1/api_keys/{keyId}/rotate",
                "/v1/none",
                "/events/x",
            }
        )
        {
            foreach (var key in new[] { bearer, null })
            {
                using var answer = await SendAsync(api.Service.Public, path, key, type, body);
                var text = await answer.Content.ReadAsStringAsync();
                Assert.True(415 == (int)answer.StatusCode, $"{path} {type}: {(int)answer.StatusCode} {text}");
                Assert.Equal("unsupported_media_type", JsonElement.Parse(text).GetProperty("code").GetString());
            }
        }

        var places = await api.CallAsync(HttpMethod.Get, "/v1/locations", bearer);
        Assert.Empty(places.GetProperty("data").EnumerateArray());
    }

    [Fact]
    public async Task Fault_21_On_the_app_port_CloudEvents_are_for_topics_alone()
    {
        using var answer = await SendAsync(
            api.Service.App,
            "/internal/api_keys/verify",
            null,
            "application/cloudevents+json",
            """{"data":{"key":"x"}}"""
        );

        Assert.Equal(415, (int)answer.StatusCode);
    }

    [Theory]
    [InlineData("/v1/locations?cursor=a%00b", "query")]
    [InlineData("/v1/locations?limit=%0A1", "query")]
    [InlineData("/v1/locations/loc_%0Ax", "path")]
    [InlineData("/v1/locations/loc_%1Fx", "path")]
    public async Task Fault_22_An_address_with_control_characters_is_refused_before_anything_else(
        string path,
        string where
    )
    {
        var (_, bearer, _) = await api.OnboardAsync();

        var problem = await api.CallAsync(HttpMethod.Get, path, bearer, status: 400);

        Assert.Equal(where, problem.GetProperty("errors")[0].GetProperty("pointer").GetString());
    }

    [Theory]
    [InlineData("2031-12-31")]
    [InlineData("2031-12-31T00:00:00")]
    public async Task Fault_24_An_instant_without_its_offset_is_refused(string instant)
    {
        var (_, bearer, _) = await api.OnboardAsync();

        var problem = await api.CallAsync(HttpMethod.Post, "/v1/api_keys", bearer, Body(instant), 400);

        Assert.Equal("/expires_at", problem.GetProperty("errors")[0].GetProperty("pointer").GetString());
    }

    [Theory]
    [InlineData("ZZZ", 400)]
    [InlineData("XAU", 400)]
    [InlineData("CLF", 201)]
    public async Task Fault_25_A_merchants_currency_is_one_of_ISO_4217(string currency, int status)
    {
        using var answer = await api.OnboardAsync(
            new
            {
                name = "x",
                country = "CL",
                currency,
                contact_email = "a@example.test",
            }
        );

        Assert.Equal(status, (int)answer.StatusCode);
    }

    [Fact]
    public async Task Fault_27_A_merchants_address_is_kept_as_mail_is_sent_to_it()
    {
        using var answer = await api.OnboardAsync(
            new
            {
                name = new string('n', 200),
                country = "DE",
                currency = "EUR",
                contact_email = "jo@bücher.example",
            }
        );

        var body = JsonElement.Parse(await answer.EnsureSuccessStatusCode().Content.ReadAsStringAsync());
        Assert.Equal("jo@xn--bcher-kva.example", body.GetProperty("contact_email").GetString());
        var key = body.GetProperty("api_key").GetProperty("key").GetString();
        var name = new string('n', 200);
        await api.CallAsync(HttpMethod.Post, "/v1/locations", key, new { name }, 201);
        await api.CallAsync(
            HttpMethod.Post,
            "/v1/api_keys",
            key,
            new { name, scopes = new[] { "locations:read" } },
            201
        );
        await api.CallAsync(HttpMethod.Post, "/v1/locations", key, new { name = name + "n" }, 400);
    }

    [Fact]
    public async Task Fault_28_A_reference_that_was_used_names_the_place_that_has_it()
    {
        var (_, bearer, _) = await api.OnboardAsync();
        var first = await api.CallAsync(HttpMethod.Post, "/v1/locations", bearer, Location, 201);

        var problem = await api.CallAsync(HttpMethod.Post, "/v1/locations", bearer, Location, 422);

        Assert.Equal("reference_reused", problem.GetProperty("code").GetString());
        Assert.Equal(first.GetProperty("id").GetString(), problem.GetProperty("used_by").GetString());
        Assert.Contains(
            first.GetProperty("id").GetString()!,
            problem.GetProperty("detail").GetString(),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task Fault_22_Every_route_survives_what_callers_and_libraries_get_wrong()
    {
        var (_, bearer, keyId) = await api.OnboardAsync();

        var looked = await InputCorpus.SurviveAsync(api.Service, "/v1/merchants", api.AdminToken, Onboarding);
        looked += await InputCorpus.SurviveAsync(api.Service, "/v1/locations", bearer, Location);
        looked += await InputCorpus.SurviveAsync(api.Service, "/v1/api_keys", bearer, Key);
        looked += await InputCorpus.SurviveAsync(api.Service, $"/v1/api_keys/{keyId}/rotate", bearer, Rotation);

        Assert.InRange(looked, 150, int.MaxValue);
        var places = await api.CallAsync(HttpMethod.Get, "/v1/locations", bearer);
        Assert.Empty(places.GetProperty("data").EnumerateArray());
    }

    private static object Body(string? expiresAt) =>
        new
        {
            name = "child",
            scopes = new[] { "api_keys:write", "locations:read" },
            expires_at = expiresAt,
        };

    private async Task<(string Id, string Key)> NewKeyAsync(string bearer, string expiresAt)
    {
        var all = await api.CallAsync(HttpMethod.Get, "/v1/api_keys", bearer);
        var scopes = all.GetProperty("data")[0]
            .GetProperty("scopes")
            .EnumerateArray()
            .Select(s => s.GetString())
            .ToArray();
        var made = await api.CallAsync(
            HttpMethod.Post,
            "/v1/api_keys",
            bearer,
            new
            {
                name = "mortal",
                scopes,
                expires_at = expiresAt,
            },
            201
        );
        return (made.GetProperty("id").GetString()!, made.GetProperty("key").GetString()!);
    }

    private Task<HttpResponseMessage> PostAsync(string path, string bearer, string body, string key) =>
        api.Service.SendAsync(HttpMethod.Post, path, bearer, body, key);

    private static async Task<HttpResponseMessage> SendAsync(
        HttpClient client,
        string path,
        string? bearer,
        string type,
        string body
    )
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path)
        {
            Content = new ByteArrayContent(Encoding.UTF8.GetBytes(body)),
            Version = client.DefaultRequestVersion,
            VersionPolicy = client.DefaultVersionPolicy,
        };
        request.Content.Headers.TryAddWithoutValidation("Content-Type", type);
        request.Headers.Add("Idempotency-Key", Guid.CreateVersion7().ToString());
        request.Headers.Authorization = bearer is null ? null : new AuthenticationHeaderValue("Bearer", bearer);
        return await client.SendAsync(request);
    }

    private static Guid Uuid(string body)
    {
        var id = JsonElement.Parse(body).GetProperty("id").GetString()!;
        return Base32.TryParse(id.AsSpan(id.IndexOf('_', StringComparison.Ordinal) + 1), out var value)
            ? value
            : default;
    }

    private async Task<JsonElement> OnboardedAsync(string key)
    {
        using var answer = await api.OnboardAsync(Onboarding, idempotencyKey: key);
        return JsonElement.Parse(await answer.EnsureSuccessStatusCode().Content.ReadAsStringAsync());
    }

    private async Task<long> CountAsync(string rows)
    {
        await using var connection = new NpgsqlConnection(api.Database.OwnerConnectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand($"SELECT count(*) FROM {rows}", connection);
        return (long)(await command.ExecuteScalarAsync())!;
    }
}
