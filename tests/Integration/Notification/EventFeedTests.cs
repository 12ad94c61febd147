using System.Text.Json;
using LocalPlus.Kernel;
using LocalPlus.Tests.Integration.Support;

namespace LocalPlus.Tests.Integration.Notification;

public sealed class EventFeedTests(NotificationApi api) : IClassFixture<NotificationApi>
{
    private const string Cards = "giftcard.cards.v1";
    private const string Ledger = "ledger.transactions.v1";

    [Fact]
    public async Task An_event_is_shown_once_as_a_CloudEvent_to_its_merchant_and_to_no_other()
    {
        var (shop, key) = NewMerchant();
        var (_, other) = NewMerchant();
        var loaded = Card("gift_card.loaded", shop, sequence: 4);

        await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => api.Service.DeliverAsync(Cards, loaded)));

        var shown = Assert.Single(await ListAsync(key, ""));
        Assert.Equal(
            ["1.0", loaded.Id.ToString(), "giftcard", "gift_card.loaded", loaded.Key, "application/json"],
            new[] { "specversion", "id", "source", "type", "subject", "datacontenttype" }.Select(name =>
                shown.GetProperty(name).GetString()
            )
        );
        Assert.Equal(
            "https://docs.localplus.io/events/giftcard.cards.v1.json#/properties/data",
            shown.GetProperty("dataschema").GetString()
        );
        Assert.Equal(4, shown.GetProperty("sequence").GetInt64());
        Assert.Equal("7Q2M", shown.GetProperty("data").GetProperty("last4").GetString());
        Assert.Empty(await ListAsync(other, ""));
        await api.Service.CallAsync(HttpMethod.Get, $"/v1/events/{loaded.Id}", key);
        await api.Service.CallAsync(HttpMethod.Get, $"/v1/events/{loaded.Id}", other, status: 404);
    }

    [Fact]
    public async Task The_list_is_filtered_by_type_kind_object_and_time()
    {
        var (shop, key) = NewMerchant();
        var now = TimeProvider.System.GetUtcNow();
        var (sold, blocked) = (Card("gift_card.activated", shop), Card("gift_card.blocked", shop));
        var booked = Entry(shop) with { OccurredAt = now.AddHours(-2) };
        await api.Service.DeliverAsync(Cards, sold);
        await api.Service.DeliverAsync(Cards, blocked);
        await api.Service.DeliverAsync(Ledger, booked);
        await api.Service.DeliverAsync(Ledger, booked);

        Assert.Equal([booked, blocked, sold], await ShownAsync(key, "", booked, blocked, sold));
        Assert.Equal([sold], await ShownAsync(key, "type=gift_card.activated", booked, blocked, sold));
        Assert.Equal([blocked, sold], await ShownAsync(key, "type=gift_card.*", booked, blocked, sold));
        Assert.Equal([blocked], await ShownAsync(key, $"object={blocked.Key}", booked, blocked, sold));
        var hourAgo = Uri.EscapeDataString(now.AddHours(-1).ToString("O"));
        Assert.Equal([booked], await ShownAsync(key, $"until={hourAgo}", booked, blocked, sold));
        Assert.Equal([sold, blocked], await ShownAsync(key, $"order=oldest&from={hourAgo}", booked, blocked, sold));
        foreach (var wrong in new[] { "type=gift_card.sold", "type=", "order=up", "from=2026-01-01", "cursor=x" })
        {
            var refusal = await api.Service.CallAsync(HttpMethod.Get, $"/v1/events?{wrong}", key, status: 400);
            Assert.Equal("invalid_request", refusal.GetProperty("code").GetString());
        }
    }

    [Fact]
    public async Task A_reader_of_the_feed_goes_on_where_it_was_and_misses_nothing_that_many_wrote_at_once()
    {
        var (shop, key) = NewMerchant();
        TestEvent[] events =
        [
            .. Enumerable.Range(0, 60).Select(i => i % 2 == 0 ? Card("gift_card.loaded", shop) : Entry(shop)),
        ];
        var (seen, cursor) = (new List<string>(), "");

        var writing = Task.WhenAll(
            events.Select(e =>
                api.Service.DeliverAsync(e.Type.StartsWith("ledger", StringComparison.Ordinal) ? Ledger : Cards, e)
            )
        );
        await Eventually.TrueAsync(async () =>
        {
            var page = await api.Service.CallAsync(HttpMethod.Get, $"/v1/events?order=oldest&limit=7{cursor}", key);
            cursor = $"&cursor={page.GetProperty("next_cursor").GetString()}";
            seen.AddRange(page.GetProperty("data").EnumerateArray().Select(e => e.GetProperty("id").GetString()!));
            return seen.Count >= events.Length;
        });
        await writing;

        Assert.Equal(events.Select(e => e.Id.ToString()).Order(), seen.Order());
        var more = Card("gift_card.loaded", shop);
        await api.Service.DeliverAsync(Cards, more);
        var next = await api.Service.CallAsync(HttpMethod.Get, $"/v1/events?order=oldest&limit=7{cursor}", key);
        Assert.Equal(
            more.Id.ToString(),
            Assert.Single(next.GetProperty("data").EnumerateArray()).GetProperty("id").GetString()
        );
    }

    [Fact]
    public async Task An_event_that_its_handler_can_not_read_is_a_dead_letter_and_is_not_shown()
    {
        var (shop, key) = NewMerchant();
        var card = GiftCardId.New(TimeProvider.System).ToString();

        await api.Service.DeliverAsync(
            Cards,
            new TestEvent("gift_card.loaded", card, 2, shop, new { gift_card_id = card })
        );

        Assert.Empty(await ListAsync(key, ""));
        Assert.Equal(
            1L,
            await api.Database.ScalarAsync<long>(
                $"SELECT count(*) FROM dead_letters WHERE convert_from(body, 'UTF8') LIKE '%{card}%'"
            )
        );
    }

    [Fact]
    public async Task Events_lie_in_tables_of_days_and_go_with_them()
    {
        var (shop, key) = NewMerchant();
        var today = TimeProvider.System.GetUtcNow();
        await api.Service.DeliverAsync(Cards, Card("gift_card.loaded", shop));

        Assert.Equal(
            $"merchant_events_{today:yyyyMMdd}",
            await api.Database.ScalarAsync<string>(
                $"SELECT tableoid::regclass::text FROM merchant_events WHERE merchant_id = '{shop.Value}'"
            )
        );
        Assert.Equal(
            31,
            await api.Database.ScalarAsync<int>(
                "SELECT keep_days FROM partitioned_tables WHERE name = 'merchant_events'"
            )
        );
        Assert.Single(await ListAsync(key, ""));
    }

    private (MerchantId Id, string Key) NewMerchant()
    {
        var (shop, _) = api.NewMerchant("Shop");
        return (shop, api.Sidecar.IssueKey(shop, "events:read"));
    }

    private async Task<JsonElement[]> ListAsync(string key, string query) =>
        [
            .. (await api.Service.CallAsync(HttpMethod.Get, $"/v1/events?{query}", key))
                .GetProperty("data")
                .EnumerateArray(),
        ];

    private async Task<TestEvent[]> ShownAsync(string key, string query, params TestEvent[] known) =>
        [
            .. (await ListAsync(key, query)).Select(shown =>
                known.Single(e => e.Id.ToString() == shown.GetProperty("id").GetString())
            ),
        ];

    private static TestEvent Card(string type, MerchantId shop, long sequence = 1)
    {
        var card = GiftCardId.New(TimeProvider.System).ToString();
        return new(
            type,
            card,
            sequence,
            shop,
            new
            {
                gift_card_id = card,
                program_id = ProgramId.New(TimeProvider.System).ToString(),
                last4 = "7Q2M",
                amount = 5000,
                currency = "EUR",
            }
        );
    }

    private static TestEvent Entry(MerchantId shop) =>
        new("ledger.transaction.posted", AccountId.New(TimeProvider.System).ToString(), 1, shop, new { amount = 5000 });
}
