using System.Text;
using System.Text.Json;
using LocalPlus.Kernel;
using LocalPlus.Tests.Integration.Analytics;
using LocalPlus.Tests.Integration.Support;

namespace LocalPlus.Tests.Integration.Events;

/// <summary>What operators see of dead letters and do about them.</summary>
public sealed class DeadLetterTests(AnalyticsApi api) : IClassFixture<AnalyticsApi>
{
    private const string Cards = "giftcard.cards.v1";
    private const string Letters = "/ops/v1/analytics/dead_letters";
    private static readonly object Why = new { reason = "looked at it" };

    [Fact]
    public async Task A_letter_whose_cause_is_gone_is_replayed_and_takes_effect_once()
    {
        var (merchant, key) = api.NewMerchant();
        const long refused = 41_337;
        await api.Database.AsOwnerAsync($"ALTER TABLE facts ADD CONSTRAINT no_{refused} CHECK (amount <> {refused})");
        var letter = Card(merchant, refused);
        await api.Service.DeliverRawAsync(Cards, letter.OnTheWire());
        var id = await IdAsync(letter);

        var again = await CallAsync(HttpMethod.Post, $"{Letters}/{id}/replay", "operator", Why, 422);
        Assert.Equal("dead_letter_refused", again.GetProperty("code").GetString());
        Assert.Equal(("parked", 2), await StateAsync(id));

        await api.Database.AsOwnerAsync($"ALTER TABLE facts DROP CONSTRAINT no_{refused}");
        var replayed = await CallAsync(HttpMethod.Post, $"{Letters}/{id}/replay", "operator", Why);
        Assert.Equal("replayed", replayed.GetProperty("state").GetString());
        Assert.Equal("looked at it", replayed.GetProperty("decision_reason").GetString());
        Assert.Equal(1, await SoldAsync(key));

        var late = await CallAsync(HttpMethod.Post, $"{Letters}/{id}/replay", "operator", Why, 409);
        Assert.Equal("dead_letter_state", late.GetProperty("code").GetString());
        await api.Service.DeliverRawAsync(Cards, letter.OnTheWire());
        Assert.Equal(1, await SoldAsync(key));
    }

    [Fact]
    public async Task What_is_no_event_is_shown_as_text_and_discarded_with_a_reason()
    {
        byte[] bytes = [.. Encoding.UTF8.GetBytes($"no event {Guid.CreateVersion7()} "), 0xff];
        await api.Service.DeliverRawAsync(Cards, bytes);
        var letter = (await ListAsync($"topic={Cards}"))[0];
        var id = letter.GetProperty("id").GetInt64();
        Assert.False(letter.TryGetProperty("text", out _));
        Assert.Equal(bytes.Length, letter.GetProperty("bytes").GetInt32());

        var shown = await CallAsync(HttpMethod.Get, $"{Letters}/{id}", "operator");
        Assert.Equal(Encoding.UTF8.GetString(bytes), shown.GetProperty("text").GetString());

        await CallAsync(HttpMethod.Post, $"{Letters}/{id}/discard", "operator", new { reason = "no" }, 400);
        await CallAsync(HttpMethod.Post, $"{Letters}/{id}/discard", "operator", Why);
        Assert.Equal(("discarded", 1), await StateAsync(id));
        await CallAsync(HttpMethod.Post, $"{Letters}/{id}/discard", "operator", Why, 409);
        Assert.DoesNotContain(await ListAsync($"topic={Cards}"), l => l.GetProperty("id").GetInt64() == id);
        Assert.Contains(await ListAsync("state=discarded"), l => l.GetProperty("id").GetInt64() == id);
    }

    [Fact]
    public async Task All_of_a_topic_are_counted_dry_and_then_replayed_and_those_refused_again_are_named()
    {
        var (merchant, key) = api.NewMerchant();
        const string topic = "ledger.transactions.v1";
        await CallAsync(HttpMethod.Post, $"{Letters}/replay", "operator", new { reason = "start clean", topic });
        await api.Service.DeliverRawAsync(topic, Encoding.UTF8.GetBytes($"poison {Guid.CreateVersion7()}"));
        var bad = (await ListAsync($"topic={topic}"))[0].GetProperty("id").GetInt64();

        var dry = await CallAsync(
            HttpMethod.Post,
            $"{Letters}/replay",
            "operator",
            new
            {
                reason = "dry",
                topic,
                dry_run = true,
            }
        );
        Assert.Equal((1, 0), (dry.GetProperty("matched").GetInt32(), dry.GetProperty("replayed").GetInt32()));
        var why = (await ListAsync($"topic={topic}"))[0].GetProperty("reason").GetString()!;
        foreach (var (error, matches) in new[] { (why, 1), ("an error that nobody had", 0) })
        {
            Assert.Equal(matches, (await ListAsync($"topic={topic}&error={Uri.EscapeDataString(error)}")).Count);
            var some = await CallAsync(
                HttpMethod.Post,
                $"{Letters}/replay",
                "operator",
                new
                {
                    reason = "dry",
                    topic,
                    error,
                    dry_run = true,
                }
            );
            Assert.Equal(matches, some.GetProperty("matched").GetInt32());
        }

        var wet = await CallAsync(HttpMethod.Post, $"{Letters}/replay", "operator", new { reason = "wet", topic });

        Assert.Equal(0, wet.GetProperty("replayed").GetInt32());
        Assert.Contains(wet.GetProperty("refused_ids").EnumerateArray(), l => l.GetInt64() == bad);
        Assert.Equal(0, await SoldAsync(key));
        Assert.NotEqual(default, merchant);
    }

    [Theory]
    [InlineData("discard", "discarded")]
    [InlineData("archive", "archived")]
    public async Task All_of_an_error_are_counted_and_shown_first_and_put_aside_with_the_typed_count(
        string verb,
        string state
    )
    {
        const string topic = "wallet.members.v1";
        await CallAsync(HttpMethod.Post, $"{Letters}/replay", "operator", new { reason = "start clean", topic });
        for (var i = 0; i < 3; i++)
        {
            await api.Service.DeliverRawAsync(topic, Encoding.UTF8.GetBytes($"aside {Guid.CreateVersion7()}"));
        }

        var error = (await ListAsync($"topic={topic}"))[0].GetProperty("reason").GetString()!;
        var matching = (await ListAsync($"topic={topic}&error={Uri.EscapeDataString(error)}")).Count;
        var path = $"{Letters}/{verb}";
        var dry = await CallAsync(HttpMethod.Post, path, "operator", Aside(dry: true));
        Assert.Equal((matching, 0), (dry.GetProperty("matched").GetInt32(), dry.GetProperty("put_aside").GetInt32()));
        Assert.Equal(error, dry.GetProperty("samples")[0].GetProperty("reason").GetString());
        Assert.False(dry.GetProperty("samples")[0].TryGetProperty("text", out _));
        var none = await CallAsync(HttpMethod.Post, path, "operator", Aside(dry: true, "an error that nobody had"));
        Assert.Equal(0, none.GetProperty("matched").GetInt32());

        // One more has come since it was counted.
        await api.Service.DeliverRawAsync(topic, Encoding.UTF8.GetBytes($"late {Guid.CreateVersion7()}"));
        var late = await CallAsync(HttpMethod.Post, path, "operator", Aside(count: matching), 422);
        Assert.Equal("dead_letter_count", late.GetProperty("code").GetString());
        await CallAsync(HttpMethod.Post, path, "operator", Aside(), 400);
        await CallAsync(HttpMethod.Post, path, "viewer", Aside(count: matching + 1), 403);
        Assert.Equal(matching + 1, (await ListAsync($"topic={topic}&error={Uri.EscapeDataString(error)}")).Count);

        var done = await CallAsync(HttpMethod.Post, path, "operator", Aside(count: matching + 1));

        Assert.Equal(matching + 1, done.GetProperty("put_aside").GetInt32());
        Assert.Empty(await ListAsync($"topic={topic}&error={Uri.EscapeDataString(error)}"));
        var aside = await ListAsync($"topic={topic}&state={state}");
        Assert.Equal(
            matching + 1,
            aside.Count(letter => letter.GetProperty("decision_reason").GetString() == "nobody wants it")
        );
        await Eventually.TrueAsync(() =>
            api.Sidecar.Published.Any(e =>
                e.ToString().Contains($"dead_letter.{verb}_many", StringComparison.Ordinal)
                && e.ToString().Contains("nobody wants it", StringComparison.Ordinal)
            )
        );

        object Aside(bool dry = false, string? other = null, int? count = null) =>
            new
            {
                reason = "nobody wants it",
                topic,
                error = other ?? error,
                dry_run = dry,
                count,
            };
    }

    [Fact]
    public async Task Viewers_see_the_list_and_neither_a_text_nor_a_button()
    {
        await api.Service.DeliverRawAsync(Cards, Encoding.UTF8.GetBytes($"seen {Guid.CreateVersion7()}"));
        var page = await CallAsync(HttpMethod.Get, $"{Letters}?limit=1", "viewer");
        var id = page.GetProperty("data")[0].GetProperty("id").GetInt64();

        await CallAsync(HttpMethod.Get, $"{Letters}/{id}", "viewer", status: 403);
        await CallAsync(HttpMethod.Post, $"{Letters}/{id}/replay", "viewer", Why, 403);
        await CallAsync(HttpMethod.Post, $"{Letters}/{id}/discard", "viewer", Why, 403);
        await CallAsync(HttpMethod.Post, $"{Letters}/replay", "viewer", new { reason = "all", topic = Cards }, 403);
        await CallAsync(HttpMethod.Get, Letters, "nobody", status: 401);
    }

    [Fact]
    public async Task Pages_of_letters_meet_without_a_gap()
    {
        for (var i = 0; i < 3; i++)
        {
            await api.Service.DeliverRawAsync(Cards, Encoding.UTF8.GetBytes($"page {i} {Guid.CreateVersion7()}"));
        }

        var whole = (await ListAsync("limit=3")).Select(l => l.GetProperty("id").GetInt64()).ToList();
        var first = await CallAsync(HttpMethod.Get, $"{Letters}?limit=2", "viewer");
        var cursor = first.GetProperty("next_cursor").GetString();
        var second = (await ListAsync($"limit=1&cursor={cursor}"))[0].GetProperty("id").GetInt64();

        Assert.Equal(whole[2], second);
        await CallAsync(HttpMethod.Get, $"{Letters}?cursor=x", "viewer", status: 400);
        await CallAsync(HttpMethod.Get, $"{Letters}?state=lost", "viewer", status: 400);
    }

    [Fact]
    public async Task A_service_says_how_its_events_are()
    {
        await api.Service.DeliverRawAsync(Cards, Encoding.UTF8.GetBytes($"state {Guid.CreateVersion7()}"));

        var state = await CallAsync(HttpMethod.Get, "/ops/v1/analytics/events", "viewer");

        Assert.Equal(0, state.GetProperty("outbox_waiting").GetInt64());
        Assert.Equal(
            await api.Database.ScalarAsync<long>("SELECT count(*) FROM dead_letters WHERE state = 'parked'"),
            state.GetProperty("dead_letters").GetInt64()
        );
    }

    private Task<JsonElement> CallAsync(
        HttpMethod method,
        string path,
        string role,
        object? body = null,
        int status = 200
    ) => api.Service.CallAsync(method, path, role == "nobody" ? null : api.Operator(role), body, status);

    private async Task<List<JsonElement>> ListAsync(string query) =>
        [.. (await CallAsync(HttpMethod.Get, $"{Letters}?{query}", "viewer")).GetProperty("data").EnumerateArray()];

    private Task<long> IdAsync(TestEvent letter) =>
        api.Database.ScalarAsync<long>($"SELECT id FROM dead_letters WHERE event_id = '{letter.Id}'");

    private async Task<(string? State, int Refusals)> StateAsync(long id)
    {
        var letter = await CallAsync(HttpMethod.Get, $"{Letters}/{id}", "operator");
        return (letter.GetProperty("state").GetString(), letter.GetProperty("refusals").GetInt32());
    }

    private async Task<int> SoldAsync(string key)
    {
        const string day = "/v1/reports/daily?from=2026-03-10&to=2026-03-10";
        // A busy machine may have had no time left for the first look.
        await Eventually.TrueAsync(async () =>
        {
            using var answer = await api.Service.SendAsync(HttpMethod.Get, day, key);
            return answer.IsSuccessStatusCode;
        });
        return (await api.Service.CallAsync(HttpMethod.Get, day, key))
            .GetProperty("data")
            .EnumerateArray()
            .Sum(entry => entry.GetProperty("sold").GetProperty("count").GetInt32());
    }

    private static TestEvent Card(MerchantId merchant, long amount) => PoisonTests.Card(merchant, amount);
}
