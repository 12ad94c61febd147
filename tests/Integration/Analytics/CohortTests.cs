using System.Text.Json;
using System.Xml.Linq;
using LocalPlus.Kernel;
using LocalPlus.Tests.Integration.Support;

namespace LocalPlus.Tests.Integration.Analytics;

/// <summary>Cards by month of sale are what their entries add up to, whatever order they came in.</summary>
public sealed class CohortTests(AnalyticsApi api) : IClassFixture<AnalyticsApi>
{
    [Fact]
    public async Task Cards_are_counted_in_the_month_of_their_first_value_by_the_zones_calendar()
    {
        var (merchant, key) = api.NewMerchant();
        var (first, second) = (GiftCardId.New(TimeProvider.System), GiftCardId.New(TimeProvider.System));
        await api.DeliverShuffledAsync(
            AnalyticsApi.LedgerTopic,
            [
                // The last half hour of January in UTC is February in Paris.
                AnalyticsApi.Entry(merchant, first, "activate", 10_000, At(2024, 1, 31, 23)),
                AnalyticsApi.Entry(merchant, first, "capture", -2_000, At(2024, 2, 20)),
                AnalyticsApi.Entry(merchant, first, "load", 500, At(2024, 3, 1)),
                AnalyticsApi.Entry(merchant, first, "capture", -3_000, At(2024, 4, 20)),
                AnalyticsApi.Entry(merchant, first, "refund", 1_000, At(2024, 4, 21)),
                AnalyticsApi.Entry(merchant, first, "capture", -4_000, At(2025, 3, 1)),
                AnalyticsApi.Entry(merchant, first, "cash_out", -100, At(2025, 3, 2)),
                AnalyticsApi.Entry(merchant, first, "expire", -1_000, At(2025, 4, 2)),
                AnalyticsApi.Entry(merchant, first, "extend", 600, At(2025, 4, 3)),
                AnalyticsApi.Entry(merchant, second, "activate", 2_500, At(2024, 2, 10)),
                AnalyticsApi.Entry(merchant, second, "capture", -2_500, At(2024, 3, 9)),
            ],
            5
        );
        Assert.Equal(
            [
                "2024-01,EUR,1,10000,500,0,8000,400,-100,2000,2000,4000,4000,4000,8000,8000,",
                "2024-02,EUR,1,2500,0,0,2500,0,0,0,2500,2500,2500,2500,2500,2500,",
            ],
            (await api.LinesAsync(key, "/v1/reports/cohorts/csv?from=2024-01&to=2024-12")).Select(UpTo24)
        );
        var february = (await api.GetAsync(key, "/v1/reports/cohorts?from=2024-02&to=2024-02&zone=Europe/Paris"))
            .GetProperty("data")
            .EnumerateArray()
            .Single();
        Assert.Equal(2, february.GetProperty("cards").GetInt64());
        Assert.Equal(12_500, Amount(february, "sold"));
        Assert.Equal(2_000, Amount(february, "outstanding"));
        var afterOne = february.GetProperty("redeemed_after")[0];
        // 4,500 of the 13,000 that came.
        Assert.Equal((1, 4_500, 3_461), After(afterOne));
        Assert.Equal((3, 6_500, 5_000), After(february.GetProperty("redeemed_after")[1]));
        var (_, stranger) = api.NewMerchant();
        Assert.Empty(await api.LinesAsync(stranger, "/v1/reports/cohorts/csv?from=2024-01&to=2024-12"));
    }

    [Fact]
    public async Task All_cohorts_together_are_outstanding_as_the_ledger_says()
    {
        var (merchant, key) = api.NewMerchant();
        var random = new Random(9);
        string[] kinds = ["load", "capture", "refund", "expire", "merge", "adjust", "cash_out"];
        var cards = Enumerable.Range(0, 12).Select(_ => GiftCardId.New(TimeProvider.System)).ToArray();
        var amounts = new List<long>();
        var events = new List<TestEvent>();
        foreach (var n in Enumerable.Range(0, 150))
        {
            amounts.Add(random.Next(-900, 1_000));
            events.Add(
                AnalyticsApi.Entry(
                    merchant,
                    cards[random.Next(cards.Length)],
                    n < cards.Length ? "activate" : kinds[random.Next(kinds.Length)],
                    amounts[^1],
                    At(2023, 1, 1).AddHours(random.Next(20_000))
                )
            );
        }

        await api.DeliverShuffledAsync(AnalyticsApi.LedgerTopic, events, 6);
        var lines = (await api.GetAsync(key, "/v1/reports/cohorts?from=2023-01&to=2026-06"))
            .GetProperty("data")
            .EnumerateArray()
            .ToArray();
        Assert.Equal(amounts.Sum(), lines.Sum(line => Amount(line, "outstanding")));
        Assert.Equal(12, lines.Sum(line => line.GetProperty("cards").GetInt64()));
        Assert.All(
            lines,
            line =>
                Assert.Equal(
                    Amount(line, "outstanding"),
                    Amount(line, "sold")
                        + Amount(line, "loaded")
                        + Amount(line, "imported")
                        - Amount(line, "redeemed")
                        - Amount(line, "expired")
                        + Amount(line, "other")
                )
        );
        // What is on cards at the end of the last day says the same.
        var last = (await api.LinesAsync(key, "/v1/reports/value/csv?from=2026-06-30&to=2026-06-30")).Single();
        Assert.Equal(amounts.Sum(), long.Parse(last.Split(',')[^1], System.Globalization.CultureInfo.InvariantCulture));
    }

    [Fact]
    public async Task The_chart_is_a_picture_and_months_that_are_none_are_refused()
    {
        var (merchant, key) = api.NewMerchant();
        var card = GiftCardId.New(TimeProvider.System);
        await api.Service.DeliverAsync(
            AnalyticsApi.LedgerTopic,
            AnalyticsApi.Entry(merchant, card, "activate", 123_456, At(2024, 1, 10))
        );
        await api.Service.DeliverAsync(
            AnalyticsApi.LedgerTopic,
            AnalyticsApi.Entry(merchant, card, "capture", -456, At(2024, 2, 10))
        );
        var svg = await api.TextAsync(key, "/v1/reports/cohorts/chart?from=2024-01&to=2024-03&currency=EUR");
        Assert.Contains(">1234.56 EUR<", svg, StringComparison.Ordinal);
        var root = XDocument.Parse(svg).Root!;
        Assert.Equal("svg", root.Name.LocalName);
        Assert.InRange(root.Elements().Count(e => e.Name.LocalName == "rect"), 1, 2);
        foreach (
            var bad in (string[])
                [
                    "/v1/reports/cohorts?from=2024-02&to=2024-01",
                    "/v1/reports/cohorts?from=2015-01&to=2024-01",
                    "/v1/reports/cohorts?from=2024-1&to=2024-02",
                    "/v1/reports/cohorts/csv?from=2024-01&to=2024-02&zone=EST",
                    "/v1/reports/cohorts/chart?from=2024-01&to=2024-02&currency=EURO",
                ]
        )
        {
            using var answer = await api.SendAsync(key, bad);
            Assert.Equal(400, (int)answer.StatusCode);
        }
    }

    /// <summary>Whether all cards are 36 months old depends on the day on which the test runs.</summary>
    private static string UpTo24(string line) => line[..(line.LastIndexOf(',') + 1)];

    private static DateTimeOffset At(int year, int month, int day, int hour = 12) =>
        new(year, month, day, hour, 30, 0, TimeSpan.Zero);

    private static (int, long, int) After(JsonElement after) =>
        (
            after.GetProperty("months").GetInt32(),
            Amount(after, "amount"),
            after.GetProperty("share_basis_points").GetInt32()
        );

    private static long Amount(JsonElement body, string name) =>
        body.GetProperty(name).GetProperty("amount").GetInt64();
}
