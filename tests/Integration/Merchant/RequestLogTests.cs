using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using LocalPlus.Kernel;
using LocalPlus.Tests.Integration.Giftcard;
using LocalPlus.Tests.Integration.Support;

namespace LocalPlus.Tests.Integration.Merchant;

/// <summary>What a merchant asked of any service is in its log: for that merchant alone, masked, and once.</summary>
public sealed class RequestLogTests(MerchantApi api, GiftcardApi shop)
    : IClassFixture<MerchantApi>,
        IClassFixture<GiftcardApi>
{
    private const string Canary = "canary-7431";
    private static readonly string[] Scopes = ["gift_cards:read", "gift_cards:write", "programs:read"];
    private int told;

    [Fact]
    public async Task A_request_to_another_service_is_found_by_the_id_that_its_answer_named_and_is_masked()
    {
        var (id, key, _) = await api.OnboardAsync();
        var (_, stranger, _) = await api.OnboardAsync();
        var till = shop.Sidecar.IssueKey(MerchantId.Parse(id), Scopes);
        var asked = await shop.Service.CallAsync(
            HttpMethod.Get,
            $"/v1/gift_cards/{Canary}?reference={Canary}",
            till,
            status: 400
        );
        var request = Text(asked, "request_id")!;

        var found = await FindAsync(key, request);

        Assert.Equal(
            ("giftcard", "GET", "/v1/gift_cards/{id}", "/v1/gift_cards/***", 400, Text(asked, "code"), "127.0.0.0/24"),
            (
                Text(found, "service"),
                Text(found, "method"),
                Text(found, "route"),
                Text(found, "path"),
                found.GetProperty("status").GetInt32(),
                Text(found, "code"),
                Text(found, "address")
            )
        );
        Assert.StartsWith("key_", Text(found, "credential"), StringComparison.Ordinal);
        Assert.InRange(found.GetProperty("duration_ms").GetInt64(), 0, long.MaxValue);
        Assert.DoesNotContain(shop.Sidecar.Requests, e => e.GetRawText().Contains(Canary, StringComparison.Ordinal));
        await api.CallAsync(HttpMethod.Get, $"/v1/requests/{request}", stranger, status: 404);
        Assert.Empty(Data(await api.CallAsync(HttpMethod.Get, $"/v1/requests?request_id={request}", stranger)));
    }

    [Fact]
    public async Task T50_bodies_and_their_secrets_are_in_no_log()
    {
        var (id, key, _) = await api.OnboardAsync();
        var till = shop.Sidecar.IssueKey(MerchantId.Parse(id), Scopes);
        var refused = await shop.Service.CallAsync(
            HttpMethod.Post,
            "/v1/gift_cards/lookup",
            till,
            $$"""{"code":"{{Canary}}","pin":"{{Canary}}"}""",
            status: 400
        );

        var found = await FindAsync(key, Text(refused, "request_id")!);

        Assert.Equal("/v1/gift_cards/lookup", Text(found, "path"));
        Assert.True(found.GetProperty("bytes").GetInt64() > 0);
        Assert.DoesNotContain(Canary, found.GetRawText(), StringComparison.Ordinal);
        Assert.DoesNotContain(till, string.Join('\n', shop.Sidecar.Requests), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Filters_and_cursors_find_each_request_once()
    {
        var (id, key, keyId) = await api.OnboardAsync();
        var began = TimeProvider.System.GetUtcNow();
        await TellAsync(
            "wallet.requests.v1",
            [
                .. Enumerable
                    .Range(0, 7)
                    .Select(i => Request(id, keyId, began.AddSeconds(i - 60), i % 2 == 0 ? 200 : 404)),
            ]
        );

        Assert.Equal(7, await CountAsync("service=wallet"));
        Assert.Equal(3, await CountAsync("service=wallet&status=404"));
        Assert.Equal(3, await CountAsync("service=wallet&min_status=400"));
        Assert.Equal(7, await CountAsync("service=wallet&path=/v1/customers&method=GET"));
        Assert.Equal(7, await CountAsync($"route={Uri.EscapeDataString("/v1/customers/{id}")}"));
        Assert.Equal(0, await CountAsync("service=wallet&method=POST"));
        Assert.Equal(7, await CountAsync($"service=wallet&credential={keyId}"));
        Assert.Equal(0, await CountAsync("service=ledger"));
        // To the millisecond, and a bound belongs to what comes after it.
        var (from, until) = (Instant(began.AddSeconds(2 - 60)), Instant(began.AddSeconds(5 - 60)));
        Assert.Equal(3, await CountAsync($"service=wallet&from={from}&until={until}"));

        var seen = new List<string>();
        string? cursor = null;
        do
        {
            var page = await api.CallAsync(
                HttpMethod.Get,
                $"/v1/requests?service=wallet&limit=3{(cursor is null ? "" : $"&cursor={cursor}")}",
                key
            );
            seen.AddRange(Data(page).Select(request => Text(request, "request_id")!));
            cursor = Text(page, "next_cursor");
        } while (cursor is not null);

        Assert.Equal(7, seen.Distinct().Count());
        Assert.Equal(7, seen.Count);
        var first = await api.CallAsync(HttpMethod.Get, "/v1/requests?service=wallet&limit=3", key);
        await api.CallAsync(
            HttpMethod.Get,
            $"/v1/requests?service=ledger&cursor={Text(first, "next_cursor")}",
            key,
            status: 400
        );

        async Task<int> CountAsync(string query) =>
            Data(await api.CallAsync(HttpMethod.Get, $"/v1/requests?{query}", key)).Length;
    }

    [Fact]
    public async Task What_is_delivered_again_counts_once()
    {
        var (id, key, keyId) = await api.OnboardAsync();
        object[] requests = [Request(id, keyId, TimeProvider.System.GetUtcNow(), 200)];
        var e = Batch(requests);

        await api.Service.DeliverAsync("ledger.requests.v1", e);
        await api.Service.DeliverAsync("ledger.requests.v1", e);
        // And in another message, as after a publication whose answer was lost.
        await TellAsync("ledger.requests.v1", requests);

        Assert.Single(Data(await api.CallAsync(HttpMethod.Get, "/v1/requests?service=ledger", key)));
    }

    [Fact]
    public async Task A_key_without_the_scope_reads_none_and_what_was_refused_is_in_the_log_too()
    {
        var (_, key, _) = await api.OnboardAsync();
        var narrow = await api.CallAsync(
            HttpMethod.Post,
            "/v1/api_keys",
            key,
            new { name = "Till", scopes = new[] { "gift_cards:read" } },
            201
        );

        var refused = await api.CallAsync(HttpMethod.Get, "/v1/requests", Text(narrow, "key"), status: 403);

        JsonElement? found = null;
        await Eventually.TrueAsync(async () =>
        {
            await DeliverAsync(api.Sidecar, "merchant.requests.v1");
            var page = await api.CallAsync(
                HttpMethod.Get,
                $"/v1/requests?request_id={Text(refused, "request_id")}",
                key
            );
            return (found = Data(page).Cast<JsonElement?>().SingleOrDefault()) is not null;
        });
        Assert.Equal(
            (403, "scope_missing", Text(narrow, "id")),
            (found!.Value.GetProperty("status").GetInt32(), Text(found.Value, "code"), Text(found.Value, "credential"))
        );
    }

    private static object Request(string merchant, string key, DateTimeOffset at, int status) =>
        new
        {
            id = new EventId(Guid.CreateVersion7(at)).ToString(),
            merchant_id = merchant,
            request_id = System.Diagnostics.ActivityTraceId.CreateRandom().ToHexString(),
            credential = key,
            method = "GET",
            route = "/v1/customers/{id}",
            path = "/v1/customers/***",
            status,
            duration_ms = 3,
            occurred_at = at,
        };

    private static TestEvent Batch(object[] requests) =>
        new("request.batch", "r", 1, new MerchantId(Guid.Empty), new { requests });

    private static string Instant(DateTimeOffset at) => Uri.EscapeDataString($"{at:yyyy-MM-ddTHH:mm:ss.fffZ}");

    private static JsonElement[] Data(JsonElement page) => [.. page.GetProperty("data").EnumerateArray()];

    private static string? Text(JsonElement of, string member) =>
        of.TryGetProperty(member, out var value) ? value.GetString() : null;

    private Task TellAsync(string topic, object[] requests) => api.Service.DeliverAsync(topic, Batch(requests));

    /// <summary>Gives merchant what giftcard has told since, until the request is there.</summary>
    private async Task<JsonElement> FindAsync(string key, string request)
    {
        JsonElement[] found = [];
        await Eventually.TrueAsync(async () =>
        {
            await DeliverAsync(shop.Sidecar, "giftcard.requests.v1");
            found = Data(await api.CallAsync(HttpMethod.Get, $"/v1/requests?request_id={request}", key));
            return found.Length > 0;
        });
        var one = await api.CallAsync(HttpMethod.Get, $"/v1/requests/{request}", key);
        Assert.Equal(found.Single().GetRawText(), one.GetRawText());
        return one;
    }

    private async Task DeliverAsync(StubSidecar from, string topic)
    {
        foreach (var told in from.Requests.Skip(told).ToArray())
        {
            Assert.Equal(topic, told.GetProperty("topic").GetString());
            using var content = JsonContent.Create(
                told.GetProperty("event"),
                new MediaTypeHeaderValue("application/cloudevents+json")
            );
            using var answer = await api.Service.App.PostAsync(new Uri($"/events/{topic}", UriKind.Relative), content);
            answer.EnsureSuccessStatusCode();
            this.told++;
        }
    }
}
