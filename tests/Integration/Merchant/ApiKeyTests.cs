using System.Net.Http.Json;
using System.Text.Json;
using Npgsql;

namespace LocalPlus.Tests.Integration.Merchant;

public sealed class ApiKeyTests(MerchantApi api) : IClassFixture<MerchantApi>
{
    [Fact]
    public async Task A_narrow_key_opens_only_what_its_scopes_say()
    {
        var (_, first, _) = await api.OnboardAsync();
        var made = await api.CallAsync(
            HttpMethod.Post,
            "/v1/api_keys",
            first,
            new { name = "till", scopes = new[] { "locations:read" } },
            201
        );
        var till = made.GetProperty("key").GetString()!;

        await api.CallAsync(HttpMethod.Get, "/v1/locations", till);
        var problem = await api.CallAsync(HttpMethod.Post, "/v1/locations", till, new { name = "x" }, 403);

        Assert.Equal("scope_missing", problem.GetProperty("code").GetString());
        await api.CallAsync(HttpMethod.Get, "/v1/api_keys", till, status: 403);
    }

    [Fact]
    public async Task A_key_can_not_make_or_rotate_a_key_that_may_do_more()
    {
        var (_, first, firstId) = await api.OnboardAsync();
        var made = await api.CallAsync(
            HttpMethod.Post,
            "/v1/api_keys",
            first,
            new { name = "janitor", scopes = new[] { "api_keys:write" } },
            201
        );
        var janitor = made.GetProperty("key").GetString()!;

        var wider = await api.CallAsync(
            HttpMethod.Post,
            "/v1/api_keys",
            janitor,
            new { name = "x", scopes = new[] { "redemptions:write" } },
            403
        );
        var stolen = await api.CallAsync(HttpMethod.Post, $"/v1/api_keys/{firstId}/rotate", janitor, new { }, 403);

        Assert.Equal("scope_missing", wider.GetProperty("code").GetString());
        Assert.Equal("scope_missing", stolen.GetProperty("code").GetString());
    }

    [Fact]
    public async Task A_rotated_key_works_beside_its_successor_until_it_expires()
    {
        var (_, first, firstId) = await api.OnboardAsync();

        var overlapping = await api.CallAsync(
            HttpMethod.Post,
            $"/v1/api_keys/{firstId}/rotate",
            first,
            new { overlap_seconds = 3600 },
            201
        );
        var second = overlapping.GetProperty("key").GetString()!;
        await api.CallAsync(HttpMethod.Get, "/v1/merchants/me", first);
        await api.CallAsync(HttpMethod.Get, "/v1/merchants/me", second);
        Assert.Equal(firstId, overlapping.GetProperty("replaces").GetString());
        var again = await api.CallAsync(HttpMethod.Post, $"/v1/api_keys/{firstId}/rotate", second, new { }, 409);
        Assert.Equal("api_key_already_rotated", again.GetProperty("code").GetString());

        var secondId = overlapping.GetProperty("id").GetString();
        var third = await api.CallAsync(
            HttpMethod.Post,
            $"/v1/api_keys/{secondId}/rotate",
            second,
            new { overlap_seconds = 0 },
            201
        );
        await api.CallAsync(HttpMethod.Get, "/v1/merchants/me", second, status: 401);
        await api.CallAsync(HttpMethod.Get, "/v1/merchants/me", third.GetProperty("key").GetString());
    }

    [Fact]
    public async Task A_revoked_key_stops_working_and_stays_listed()
    {
        var (_, first, firstId) = await api.OnboardAsync();
        var made = await api.CallAsync(
            HttpMethod.Post,
            "/v1/api_keys",
            first,
            new { name = "lost", scopes = new[] { "locations:read" } },
            201
        );
        var (lost, lostId) = (made.GetProperty("key").GetString()!, made.GetProperty("id").GetString()!);

        await api.CallAsync(HttpMethod.Delete, $"/v1/api_keys/{lostId}", first, status: 204);
        await api.CallAsync(HttpMethod.Delete, $"/v1/api_keys/{lostId}", first, status: 204);

        await api.CallAsync(HttpMethod.Get, "/v1/locations", lost, status: 401);
        var keys = (await api.CallAsync(HttpMethod.Get, "/v1/api_keys", first))
            .GetProperty("data")
            .EnumerateArray()
            .ToList();
        Assert.Equal(
            [(lostId, "revoked"), (firstId, "active")],
            keys.Select(k => (k.GetProperty("id").GetString()!, k.GetProperty("status").GetString()!))
        );
        Assert.All(keys, key => Assert.False(key.TryGetProperty("key", out _)));
        var problem = await api.CallAsync(HttpMethod.Post, $"/v1/api_keys/{lostId}/rotate", first, new { }, 409);
        Assert.Equal("api_key_not_active", problem.GetProperty("code").GetString());
    }

    [Fact]
    public async Task A_foreign_key_is_not_found()
    {
        var (_, mine, _) = await api.OnboardAsync();
        var (_, _, theirs) = await api.OnboardAsync();

        await api.CallAsync(HttpMethod.Delete, $"/v1/api_keys/{theirs}", mine, status: 404);
        await api.CallAsync(HttpMethod.Post, $"/v1/api_keys/{theirs}/rotate", mine, new { }, 404);
    }

    [Theory]
    [InlineData("""{"name":"x","scopes":[]}""", "/scopes")]
    [InlineData("""{"name":"x","scopes":["everything"]}""", "/scopes/0")]
    [InlineData("""{"name":"x","scopes":["locations:read"],"expires_at":"2020-01-01T00:00:00Z"}""", "/expires_at")]
    [InlineData("""{"name":" ","scopes":["locations:read"]}""", "/name")]
    public async Task What_is_wrong_with_a_new_key_is_named(string body, string pointer)
    {
        var (_, key, _) = await api.OnboardAsync();

        var problem = await api.CallAsync(HttpMethod.Post, "/v1/api_keys", key, body, 400);

        Assert.Equal("invalid_request", problem.GetProperty("code").GetString());
        Assert.Contains(
            problem.GetProperty("errors").EnumerateArray(),
            e => e.GetProperty("pointer").GetString() == pointer
        );
    }

    [Fact]
    public async Task Verification_tells_who_a_good_key_belongs_to_and_nothing_about_a_bad_one()
    {
        var (id, key, keyId) = await api.OnboardAsync();
        using var good = await VerifyAsync(key);
        var identity = await good.Content.ReadFromJsonAsync<JsonElement>();
        var wrongSecret = key[..^1] + (key[^1] == '0' ? '1' : '0');
        var otherMode = key.Replace("lp_test_", "lp_live_", StringComparison.Ordinal);
        await api.CallAsync(HttpMethod.Delete, $"/v1/api_keys/{keyId}", key, status: 204);

        Assert.Equal(id, identity.GetProperty("merchant_id").GetString());
        Assert.Equal(keyId, identity.GetProperty("key_id").GetString());
        Assert.False(identity.GetProperty("live").GetBoolean());
        Assert.Contains(
            "redemptions:write",
            identity.GetProperty("scopes").EnumerateArray().Select(s => s.GetString())
        );
        var refusals = new List<string>();
        foreach (var bad in new[] { key, wrongSecret, otherMode, "lp_test_x", "" })
        {
            using var answer = await VerifyAsync(bad);
            Assert.Equal(404, (int)answer.StatusCode);
            refusals.Add((await answer.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("detail").GetString()!);
        }

        Assert.Single(refusals.Distinct(StringComparer.Ordinal));
    }

    [Fact]
    public async Task No_key_is_stored_anywhere_in_the_database()
    {
        var (_, first, _) = await api.OnboardAsync();
        var made = await api.CallAsync(
            HttpMethod.Post,
            "/v1/api_keys",
            first,
            new { name = "n", scopes = new[] { "locations:read" } },
            201
        );

        await using var connection = new NpgsqlConnection(api.Database.OwnerConnectionString);
        await connection.OpenAsync();
        const string everything = """
            SELECT string_agg(t.row, ' ')
              FROM (SELECT k::text AS row FROM api_keys k
                    UNION ALL SELECT convert_from(body, 'UTF8') || COALESCE(location, '') FROM idempotency_keys
                    UNION ALL SELECT s.key || encode(s.sealed, 'escape') FROM sealed_answers s
                    UNION ALL SELECT o::text FROM outbox_events o) t
            """;
        await using var command = new NpgsqlCommand(everything, connection);
        var dump = (string)(await command.ExecuteScalarAsync())!;
        foreach (var key in new[] { first, made.GetProperty("key").GetString()! })
        {
            Assert.DoesNotContain(key[^32..], dump, StringComparison.Ordinal);
        }
    }

    private async Task<HttpResponseMessage> VerifyAsync(string key) =>
        await api.Service.App.PostAsJsonAsync("/internal/api_keys/verify", new { key });
}
