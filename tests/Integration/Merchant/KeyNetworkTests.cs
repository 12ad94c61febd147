using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;

namespace LocalPlus.Tests.Integration.Merchant;

/// <summary>From where keys are used, and may be.</summary>
public sealed class KeyNetworkTests(MerchantApi api) : IClassFixture<MerchantApi>
{
    private static readonly string[] Shop = ["203.0.113.0/24", "2001:db8::/32"];

    [Fact]
    public async Task A_key_of_a_network_is_refused_elsewhere_whatever_the_caller_says_of_itself()
    {
        var (_, first, _) = await api.OnboardAsync();
        var key = await NewKeyAsync(first, Shop);

        await SeeAsync(key, "203.0.113.9", 200);
        await SeeAsync(key, "2001:db8::7", 200);
        await SeeAsync(key, "198.51.100.1", 403);
        // Only what our proxy saw counts: the last address, not those that the caller wrote before it.
        await SeeAsync(key, "203.0.113.9, 198.51.100.1", 403);
        await SeeAsync(key, "198.51.100.1, 203.0.113.9", 200);
        await SeeAsync(key, "not an address", 403);
        await SeeAsync(key, null, 403);
        await SeeAsync(first, "198.51.100.1", 200);
    }

    [Fact]
    public async Task A_key_makes_and_rotates_no_key_that_could_be_used_from_more_places()
    {
        var (_, first, firstId) = await api.OnboardAsync();
        var key = await NewKeyAsync(first, Shop);

        var wider = await PostAsync(key, Body("0.0.0.0/0"), 400);
        Assert.Equal("outside_callers", wider.GetProperty("errors")[0].GetProperty("code").GetString());
        var inherits = await PostAsync(key, Body(), 201);
        var narrower = await PostAsync(key, Body("203.0.113.200/25"), 201);
        var stolen = await PostAsync(key, new { }, 403, $"/v1/api_keys/{firstId}/rotate");

        Assert.Equal(Shop, Networks(inherits));
        Assert.Equal(["203.0.113.128/25"], Networks(narrower));
        Assert.Equal("scope_missing", stolen.GetProperty("code").GetString());
        var successor = await PostAsync(
            key,
            new { },
            201,
            $"/v1/api_keys/{narrower.GetProperty("id").GetString()}/rotate"
        );
        Assert.Equal(["203.0.113.128/25"], Networks(successor));
    }

    [Theory]
    [InlineData("203.0.113.0")]
    [InlineData("anywhere")]
    [InlineData("203.0.113.0/33")]
    public async Task What_is_no_network_is_named(string network)
    {
        var (_, first, _) = await api.OnboardAsync();

        var problem = await api.CallAsync(HttpMethod.Post, "/v1/api_keys", first, Body(network), 400);

        Assert.Equal("/allowed_networks/0", problem.GetProperty("errors")[0].GetProperty("pointer").GetString());
    }

    [Fact]
    public async Task The_day_and_place_of_a_key_s_last_use_are_shown()
    {
        var (_, first, _) = await api.OnboardAsync();
        var made = await PostAsync(first, Body(), 201, from: "192.0.2.1");
        Assert.False(made.TryGetProperty("last_used_on", out _));

        // As another service asks on behalf of a till.
        using var asked = new HttpRequestMessage(HttpMethod.Post, "/internal/api_keys/verify")
        {
            Content = JsonContent.Create(new { key = made.GetProperty("key").GetString() }),
            Version = api.Service.App.DefaultRequestVersion,
            VersionPolicy = api.Service.App.DefaultVersionPolicy,
        };
        asked.Headers.Add("localplus-client-address", "198.51.100.77");
        using var verdict = await api.Service.App.SendAsync(asked);
        Assert.Equal(200, (int)verdict.StatusCode);

        var keys = await api.CallAsync(HttpMethod.Get, "/v1/api_keys", first);
        var (till, own) = (keys.GetProperty("data")[0], keys.GetProperty("data")[1]);
        Assert.Equal("198.51.100.77", till.GetProperty("last_used_from").GetString());
        Assert.Matches(@"^\d{4}-\d{2}-\d{2}$", till.GetProperty("last_used_on").GetString());
        Assert.Equal("192.0.2.1", own.GetProperty("last_used_from").GetString());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_first_key_keeps_books_only_where_that_is_said(bool bookkeeping)
    {
        using var answer = await api.OnboardAsync(
            new
            {
                name = "Le Fournil",
                country = "FR",
                currency = "EUR",
                contact_email = "hello@fournil.test",
                bookkeeping,
            }
        );
        var scopes = (await answer.Content.ReadFromJsonAsync<JsonElement>())
            .GetProperty("api_key")
            .GetProperty("scopes")
            .EnumerateArray()
            .Select(s => s.GetString())
            .ToArray();

        Assert.Equal(bookkeeping, scopes.Contains("ledger:write"));
        Assert.Superset(
            new HashSet<string?> { "gift_cards:write", "redemptions:write", "customers:write", "ledger:read" },
            scopes.ToHashSet()
        );
    }

    private static object Body(params string[] networks) =>
        networks.Length == 0
            ? new { name = "till", scopes = new[] { "locations:read" } }
            : new
            {
                name = "till",
                scopes = new[] { "locations:read" },
                allowed_networks = networks,
            };

    private static IEnumerable<string?> Networks(JsonElement key) =>
        key.GetProperty("allowed_networks").EnumerateArray().Select(n => n.GetString());

    private async Task<string> NewKeyAsync(string first, string[] networks) => (
            await api.CallAsync(
                HttpMethod.Post,
                "/v1/api_keys",
                first,
                new
                {
                    name = "shop",
                    scopes = new[] { "api_keys:write", "locations:read" },
                    allowed_networks = networks,
                },
                201
            )
        ).GetProperty("key").GetString()!;

    private async Task<JsonElement> PostAsync(
        string key,
        object body,
        int status,
        string path = "/v1/api_keys",
        string from = "203.0.113.9"
    )
    {
        using var request = Request(HttpMethod.Post, path, key, from);
        request.Headers.Add("Idempotency-Key", Guid.CreateVersion7().ToString());
        request.Content = JsonContent.Create(body);
        using var answer = await api.Service.Public.SendAsync(request);
        Assert.Equal(status, (int)answer.StatusCode);
        return await answer.Content.ReadFromJsonAsync<JsonElement>();
    }

    private async Task SeeAsync(string key, string? from, int status)
    {
        using var request = Request(HttpMethod.Get, "/v1/locations", key, from);
        using var answer = await api.Service.Public.SendAsync(request);
        Assert.True(status == (int)answer.StatusCode, $"{from}: {(int)answer.StatusCode}");
        if (status == 403)
        {
            var problem = await answer.Content.ReadFromJsonAsync<JsonElement>();
            Assert.Equal("network_not_allowed", problem.GetProperty("code").GetString());
        }
    }

    private static HttpRequestMessage Request(HttpMethod method, string path, string key, string? from)
    {
        var request = new HttpRequestMessage(method, path);
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", key);
        if (from is not null)
        {
            request.Headers.TryAddWithoutValidation("X-Forwarded-For", from);
        }

        return request;
    }
}
