using System.Net.Http.Headers;
using System.Text.Json;
using LocalPlus.Kernel;
using LocalPlus.Tests.Integration.Support;

namespace LocalPlus.Tests.Integration.Analytics;

/// <summary>
/// What is on cards is what the ledger's entries add up to, in every zone's days, whatever order they came in.
/// </summary>
public sealed class ValueReportTests(AnalyticsApi api) : IClassFixture<AnalyticsApi>
{
    private const string Ledger = "ledger.transactions.v1";
    private const string Cards = "giftcard.cards.v1";

    [Fact]
    public async Task Days_of_a_zone_add_up_from_what_was_there_to_what_is_left()
    {
        var (merchant, key) = api.NewMerchant();
        var card = GiftCardId.New(TimeProvider.System);
        TestEvent[] events =
        [
            // 23:30 in UTC is the next day in Paris.
            Entry(merchant, card, "activate", 5000, At(9, 23, 30)),
            Entry(merchant, card, "load", 1000, At(10, 9, 0)),
            Entry(merchant, card, "capture", -1500, At(10, 12, 0)),
            Entry(merchant, card, "refund", 200, At(11, 22, 59)),
            Entry(merchant, card, "cash_out", -700, At(11, 23, 1)),
            Entry(merchant, card, "expire", -4000, At(12, 12, 0)),
        ];
        new Random(7).Shuffle(events);
        foreach (var e in events.Concat(events))
        {
            await api.Service.DeliverAsync(Ledger, e);
        }

        Assert.Equal(
            [
                "2026-03-10,EUR,0,5000,1000,0,-1500,0,0,0,4500",
                "2026-03-11,EUR,4500,0,0,0,0,200,0,0,4700",
                "2026-03-12,EUR,4700,0,0,0,0,0,-4000,-700,0",
            ],
            await LinesAsync(key, "from=2026-03-10&to=2026-03-12&zone=Europe/Paris")
        );
        Assert.Equal(
            "2026-03-09,EUR,0,5000,0,0,0,0,0,0,5000",
            Assert.Single(await LinesAsync(key, "from=2026-03-09&to=2026-03-09"))
        );
        var day = (await GetAsync(key, "/v1/reports/value?from=2026-03-12&to=2026-03-12&zone=Europe/Paris"))
            .GetProperty("data")
            .EnumerateArray()
            .Single();
        Assert.Equal(4700, day.GetProperty("opening").GetProperty("amount").GetInt64());
        Assert.Equal(0, day.GetProperty("closing").GetProperty("amount").GetInt64());
        var (_, stranger) = api.NewMerchant();
        Assert.Empty(await LinesAsync(stranger, "from=2026-03-09&to=2026-03-12"));
    }

    [Fact]
    public async Task Cells_that_were_rebuilt_from_entries_equal_those_that_grew()
    {
        var (merchant, key) = api.NewMerchant();
        var random = new Random(3);
        var card = GiftCardId.New(TimeProvider.System);
        foreach (var n in Enumerable.Range(0, 40))
        {
            await api.Service.DeliverAsync(
                Ledger,
                Entry(merchant, card, n % 3 == 0 ? "capture" : "load", random.Next(-500, 900), At(10, n % 24, n))
            );
        }

        Assert.Equal(0, await api.Value.RecomputeAsync(new(2026, 3, 10), default));
        var grown = await LinesAsync(key, "from=2026-03-10&to=2026-03-11");
        await api.ExecuteAsync($"DELETE FROM value_cells WHERE merchant_id = '{merchant.Value}'");
        await api.ExecuteAsync(
            $"INSERT INTO value_cells VALUES ('{merchant.Value}', 'USD', '2026-03-10 10:00+00', 'load', 1, 1)"
        );
        Assert.NotEqual(0, await api.Value.RecomputeAsync(new(2026, 3, 10), default));
        Assert.Equal(grown, await LinesAsync(key, "from=2026-03-10&to=2026-03-11"));
    }

    [Fact]
    public async Task What_events_told_is_compared_with_the_books_card_by_card()
    {
        var (merchant, _) = api.NewMerchant();
        var (good, bad) = (GiftCardId.New(TimeProvider.System), GiftCardId.New(TimeProvider.System));
        // Booked before midnight and told after it: the same sale.
        await api.Service.DeliverAsync(Ledger, Entry(merchant, good, "activate", 2500, At(20, 23, 59)));
        await api.Service.DeliverAsync(Cards, Sold(merchant, good, 2500, At(21, 0, 0)));
        await api.Service.DeliverAsync(Ledger, Entry(merchant, bad, "activate", 2500, At(20, 12, 0)));
        await api.Service.DeliverAsync(Cards, Sold(merchant, bad, 2499, At(20, 12, 0)));
        var finding = Assert.Single(await api.Value.CompareAsync(new(2026, 3, 20), default));
        Assert.Equal((bad.ToString(), 2500, 2499), (finding.Card, finding.Booked, finding.Told));
    }

    [Fact]
    public async Task The_chart_is_a_picture_and_a_range_that_is_none_is_refused()
    {
        var (merchant, key) = api.NewMerchant();
        await api.Service.DeliverAsync(
            Ledger,
            Entry(merchant, GiftCardId.New(TimeProvider.System), "activate", 123_456, At(10, 9, 0))
        );
        var svg = await TextAsync(key, "/v1/reports/value/chart?from=2026-03-09&to=2026-03-11&currency=EUR");
        Assert.StartsWith("<svg xmlns=", svg, StringComparison.Ordinal);
        Assert.Contains(">1234.56 EUR<", svg, StringComparison.Ordinal);
        Assert.Equal(1, svg.Split("<rect").Length - 1);
        var root = System.Xml.Linq.XDocument.Parse(svg).Root!;
        Assert.Equal("svg", root.Name.LocalName);
        foreach (
            var bad in (string[])
                [
                    "/v1/reports/value?from=2026-03-11&to=2026-03-10",
                    "/v1/reports/value?from=2026-01-01&to=2027-06-01",
                    "/v1/reports/value?from=2026-01-01&to=2026-01-01&zone=Mars/Base",
                    "/v1/reports/value/csv?from=2026-01-01&to=2026-01-01&zone=EST",
                    "/v1/reports/value/chart?from=2026-01-01&to=2026-01-01&currency=EURO",
                ]
        )
        {
            using var answer = await SendAsync(key, bad);
            Assert.Equal(400, (int)answer.StatusCode);
        }
    }

    private static DateTimeOffset At(int day, int hour, int minute) =>
        new(2026, 3, day, hour, minute, 0, TimeSpan.Zero);

    private static TestEvent Entry(MerchantId merchant, GiftCardId card, string kind, long amount, DateTimeOffset at) =>
        new(
            "ledger.transaction.posted",
            AccountId.New(TimeProvider.System).ToString(),
            1,
            merchant,
            new
            {
                transaction_id = TransactionId.New(TimeProvider.System).ToString(),
                entry_id = EntryId.New(TimeProvider.System).ToString(),
                account_name = $"card:{card}:paid",
                asset = "EUR",
                kind,
                amount,
            }
        )
        {
            OccurredAt = at,
        };

    private static TestEvent Sold(MerchantId merchant, GiftCardId card, long amount, DateTimeOffset at) =>
        new(
            "gift_card.activated",
            card.ToString(),
            1,
            merchant,
            new
            {
                gift_card_id = card.ToString(),
                currency = "EUR",
                amount,
            }
        )
        {
            OccurredAt = at,
        };

    private async Task<string[]> LinesAsync(string key, string query) =>
        [
            .. (await TextAsync(key, $"/v1/reports/value/csv?{query}"))
                .Split("\r\n", StringSplitOptions.RemoveEmptyEntries)
                .Skip(1),
        ];

    private async Task<JsonElement> GetAsync(string key, string path) =>
        JsonSerializer.Deserialize<JsonElement>(await TextAsync(key, path));

    private async Task<string> TextAsync(string key, string path)
    {
        using var answer = await SendAsync(key, path);
        var text = await answer.Content.ReadAsStringAsync();
        Assert.True(answer.IsSuccessStatusCode, text);
        return text;
    }

    private async Task<HttpResponseMessage> SendAsync(string key, string path)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", key);
        return await api.Service.Public.SendAsync(request);
    }
}
