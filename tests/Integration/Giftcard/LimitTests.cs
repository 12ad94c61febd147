using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using LocalPlus.Giftcard.Cards;
using LocalPlus.Tests.Integration.Support;

namespace LocalPlus.Tests.Integration.Giftcard;

/// <summary>Limits as merchants meet them (ADR 0034), whatever they try to be counted as somebody else.</summary>
public sealed class LimitTests(LimitTests.TightApi tight) : IClassFixture<LimitTests.TightApi>
{
    private const int Lookups = 12;
    private const int Guesses = 8;

    /// <summary>What there is at least, with the store or without.</summary>
    private const int Least = Lookups / 4;
    private readonly GiftcardApi api = tight.Api;

    [Fact]
    public async Task T44_another_key_another_spelling_and_another_header_are_the_same_budget()
    {
        var (merchant, key) = api.NewMerchant();
        var (_, code) = await api.SellAsync(100, key: key);
        string[] keys =
        [
            key,
            .. Enumerable
                .Range(0, 4)
                .Select(_ => api.Sidecar.IssueKey(merchant, "gift_cards:read", "redemptions:read")),
        ];
        string[] spellings =
        [
            "/v1/gift_cards/lookup",
            "/V1/Gift_Cards/LOOKUP",
            "/v1/gift_cards/lookup/",
            "/v1//gift_cards/lookup",
            "/v1/gift%5Fcards/lookup",
            "/v1/%2e/gift_cards/lookup",
            "/v1/x/%2e%2e/gift_cards/lookup",
            "/v1/gift_cards/%6Cookup",
        ];

        var answers = new List<HttpStatusCode>();
        for (var ask = 0; ask < 10 * Lookups; ask++)
        {
            using var answer = await LookUpAsync(
                keys[ask % keys.Length],
                code,
                spellings[ask % spellings.Length],
                forwardedFor: $"198.51.100.{ask}"
            );
            answers.Add(answer.StatusCode);
        }

        // Fewer only where the store was too slow for the machine.
        Assert.InRange(answers.Count(status => status == HttpStatusCode.OK), Least, Lookups);
        Assert.Subset(
            new HashSet<HttpStatusCode> { HttpStatusCode.OK, HttpStatusCode.NotFound, HttpStatusCode.TooManyRequests },
            answers.ToHashSet()
        );
        // Another merchant's are its own.
        var (_, other) = api.NewMerchant();
        var (_, theirs) = await api.SellAsync(100, key: other);
        using var free = await LookUpAsync(other, theirs);
        Assert.Equal(HttpStatusCode.OK, free.StatusCode);
        // A store that was too slow for the first ones is asked again.
        await Eventually.TrueAsync(async () =>
        {
            using var more = await LookUpAsync(other, theirs);
            return api.State.Keys.Any(entry => entry.StartsWith("giftcard:limit:lookup:", StringComparison.Ordinal));
        });
    }

    [Fact]
    public async Task An_answer_says_the_limits_and_what_is_left_and_a_refusal_when_to_come_again()
    {
        var (_, key) = api.NewMerchant();
        var (_, code) = await api.SellAsync(100, key: key);

        using var first = await LookUpAsync(key, code);
        var policies = Header(first, "RateLimit-Policy");
        Assert.Contains($"\"lookup\";q={Lookups};w=60", policies, StringComparison.Ordinal);
        Assert.Contains("\"merchant\";q=", policies, StringComparison.Ordinal);
        Assert.Contains("\"key\";q=", policies, StringComparison.Ordinal);
        Assert.Matches("\"lookup\";r=[0-9]+;t=[0-9]+", Header(first, "RateLimit"));

        var (passed, refused) = (1, await LookUpAsync(key, code));
        for (; refused.StatusCode == HttpStatusCode.OK; passed++)
        {
            refused.Dispose();
            refused = await LookUpAsync(key, code);
        }

        Assert.InRange(passed, Least, Lookups);
        Assert.Equal(HttpStatusCode.TooManyRequests, refused.StatusCode);
        Assert.Contains("\"lookup\";r=0;t=", Header(refused, "RateLimit"), StringComparison.Ordinal);
        var problem = await refused.Content.ReadFromJsonAsync<JsonElement>();
        Assert.Equal("quota_exceeded", GiftcardApi.Code(problem));
        Assert.Equal("lookup", problem.GetProperty("violated-policies")[0].GetString());
        var seconds = problem.GetProperty("retry_after_seconds").GetInt64();
        Assert.InRange(seconds, 1, 64);
        Assert.Equal(seconds.ToString(CultureInfo.InvariantCulture), Header(refused, "Retry-After"));
        refused.Dispose();
    }

    [Fact]
    public async Task T43_an_address_that_guesses_is_slowed_down_whatever_merchants_it_guesses_at_and_nobody_else_is()
    {
        var statuses = new List<HttpStatusCode>();
        for (var guess = 0; guess < 3 * Guesses; guess++)
        {
            // Its own part of the header is whatever it likes; the last one is what the gateway saw.
            using var answer = await LookUpAsync(
                api.NewMerchant().Key,
                CardCode.New(),
                forwardedFor: $"198.51.100.{guess}, 203.0.113.7"
            );
            statuses.Add(answer.StatusCode);
        }

        Assert.InRange(statuses.Count(status => status == HttpStatusCode.NotFound), Guesses / 4, Guesses);
        Assert.All(statuses.TakeLast(Guesses), status => Assert.Equal(HttpStatusCode.TooManyRequests, status));
        using var elsewhere = await LookUpAsync(api.Key, CardCode.New(), forwardedFor: "203.0.113.8");
        Assert.Equal(HttpStatusCode.NotFound, elsewhere.StatusCode);
    }

    [Fact]
    public async Task Without_the_store_there_is_less_and_neither_everything_nor_nothing()
    {
        var (_, key) = api.NewMerchant();
        var (_, code) = await api.SellAsync(100, key: key);
        api.State.Up = false;
        try
        {
            var passed = 0;
            for (var ask = 0; ask < 3 * Lookups; ask++)
            {
                using var answer = await LookUpAsync(key, code);
                passed += answer.StatusCode == HttpStatusCode.OK ? 1 : 0;
            }

            Assert.InRange(passed, 1, Lookups / 2);
        }
        finally
        {
            // The replica that knows the store as silent ends with the test.
            api.State.Up = true;
            await tight.RestartAsync();
        }
    }

    /// <summary>The service with limits that a test can reach.</summary>
    public sealed class TightApi : IAsyncLifetime
    {
        public GiftcardApi Api { get; } = new();

        public async Task InitializeAsync()
        {
            await Api.InitializeAsync();
            await RestartAsync();
        }

        public Task DisposeAsync() => Api.DisposeAsync();

        public Task RestartAsync() =>
            Api.RestartAsync(("LP_LIMIT_LOOKUP", $"{Lookups}/60"), ("LP_LIMIT_GUESS_ADDRESS", $"{Guesses}/60"));
    }

    private static string Header(HttpResponseMessage answer, string name) =>
        string.Join(", ", answer.Headers.GetValues(name));

    private async Task<HttpResponseMessage> LookUpAsync(
        string key,
        string code,
        string path = "/v1/gift_cards/lookup",
        string? forwardedFor = null
    )
    {
        // As it is written, not as a good client would tidy it up.
        var written = new Uri(
            api.Service.Public.BaseAddress + path[1..],
            new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true }
        );
        using var request = new HttpRequestMessage(HttpMethod.Post, written)
        {
            Content = JsonContent.Create(new { code }),
        };
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", key);
        if (forwardedFor is not null)
        {
            request.Headers.Add("X-Forwarded-For", forwardedFor);
        }

        return await api.Service.Public.SendAsync(request);
    }
}
