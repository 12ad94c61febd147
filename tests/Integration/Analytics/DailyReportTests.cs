using System.Text.Json;
using LocalPlus.Kernel;
using LocalPlus.Tests.Integration.Support;

namespace LocalPlus.Tests.Integration.Analytics;

public sealed class DailyReportTests(AnalyticsApi api) : IClassFixture<AnalyticsApi>
{
    private const string Cards = "giftcard.cards.v1";
    private const string Redemptions = "giftcard.redemptions.v1";
    private const string Ledger = "ledger.transactions.v1";
    private static readonly DateTimeOffset Noon = new(2026, 3, 10, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public async Task A_day_counts_each_kind_of_business_once()
    {
        var (merchant, key) = api.NewMerchant();
        var transaction = TransactionId.New(TimeProvider.System);
        (string Topic, TestEvent Event)[] events =
        [
            (Cards, Card("gift_card.activated", merchant, 5000)),
            (Cards, Card("gift_card.activated", merchant, null)),
            (Cards, Card("gift_card.loaded", merchant, 1000)),
            (Cards, Card("gift_card.blocked", merchant, null)),
            (Redemptions, Redemption("redemption.held", merchant, 3000)),
            (Redemptions, Redemption("redemption.completed", merchant, 3000)),
            (Redemptions, Redemption("redemption.refunded", merchant, 500)),
            (Ledger, Entry(merchant, transaction, "EUR")),
            (Ledger, Entry(merchant, transaction, "EUR")),
            (Ledger, Entry(merchant, TransactionId.New(TimeProvider.System), "PTS:prg_1")),
        ];
        foreach (var (topic, e) in events.Concat(events))
        {
            await api.Service.DeliverAsync(topic, e);
        }

        var day = Assert.Single(await DaysAsync(key));

        Assert.Equal("2026-03-10", day.GetProperty("date").GetString());
        Assert.Equal((1, 5000), Total(day, "sold"));
        Assert.Equal((1, 1000), Total(day, "loaded"));
        Assert.Equal((1, 3000), Total(day, "redeemed"));
        Assert.Equal((1, 500), Total(day, "refunded"));
        Assert.Equal(1, day.GetProperty("ledger_transactions").GetInt64());
    }

    [Fact]
    public async Task Shuffled_and_repeated_events_of_many_tills_add_up_while_the_rollup_runs()
    {
        var (merchant, key) = api.NewMerchant();
        var random = new Random(11);
        var amounts = Enumerable.Range(0, 60).Select(_ => random.Next(1, 10_000)).ToArray();
        var events = amounts.Select(amount => Redemption("redemption.completed", merchant, amount)).ToArray();
        var deliveries = events.Concat(events.Where(_ => random.Next(2) == 0)).ToArray();
        random.Shuffle(deliveries);

        var rollups = Task.Run(async () =>
        {
            for (var i = 0; i < 20; i++)
            {
                Assert.Equal(0, await api.RollUpAsync());
            }
        });
        await Parallel.ForEachAsync(
            deliveries,
            new ParallelOptions { MaxDegreeOfParallelism = 8 },
            async (e, _) => await api.Service.DeliverAsync(Redemptions, e)
        );
        await rollups;

        Assert.Equal((60, amounts.Sum()), Total(Assert.Single(await DaysAsync(key)), "redeemed"));
    }

    [Fact]
    public async Task The_rollup_puts_right_what_a_hand_in_the_database_changed()
    {
        var (merchant, key) = api.NewMerchant();
        await api.Service.DeliverAsync(Cards, Card("gift_card.activated", merchant, 5000));
        await api.ExecuteAsync(
            $"UPDATE daily_totals SET sold_amount = 1, redeemed_count = 9 WHERE merchant_id = '{merchant.Value}'"
        );
        await api.ExecuteAsync(
            $"INSERT INTO daily_totals (merchant_id, day, currency, sold_count) VALUES ('{merchant.Value}', '2026-03-10', 'USD', 3)"
        );

        Assert.Equal(2, await api.RollUpAsync());
        Assert.Equal(0, await api.RollUpAsync());

        var days = await DaysAsync(key);
        Assert.Equal((1, 5000), Total(days[0], "sold"));
        Assert.Equal((0, 0), Total(days[0], "redeemed"));
        Assert.Equal((0, 0), Total(days[1], "sold"));
    }

    [Fact]
    public async Task A_bulk_delivery_counts_each_event_once_and_is_answered_entry_by_entry()
    {
        var (merchant, key) = api.NewMerchant();
        var (sold, loaded) = (Card("gift_card.activated", merchant, 5000), Card("gift_card.loaded", merchant, 1000));
        object[] entries =
        [
            new { entryId = "a", @event = new { data = sold.Envelope() } },
            new { entryId = "b", @event = new { data = loaded.Envelope() } },
            new { entryId = "c", @event = new { data = "no envelope" } },
            new { entryId = "d", @event = new { data = sold.Envelope() } },
            // An amount that the table refuses becomes a dead letter; the others go on without it.
            new
            {
                entryId = "e",
                @event = new { data = Card("gift_card.activated", merchant, 9007199254740992).Envelope() },
            },
        ];

        var answer = await api.Service.DeliverManyAsync(Cards, entries);

        Assert.Equal(
            ["a SUCCESS", "b SUCCESS", "c SUCCESS", "d SUCCESS", "e SUCCESS"],
            answer
                .GetProperty("statuses")
                .EnumerateArray()
                .Select(s => $"{s.GetProperty("entryId").GetString()} {s.GetProperty("status").GetString()}")
        );
        var day = Assert.Single(await DaysAsync(key));
        Assert.Equal((1, 5000), Total(day, "sold"));
        Assert.Equal((1, 1000), Total(day, "loaded"));
    }

    [Fact]
    public async Task Late_at_night_counts_for_the_UTC_day()
    {
        var (merchant, key) = api.NewMerchant();
        await api.Service.DeliverAsync(
            Cards,
            Card("gift_card.activated", merchant, 1) with
            {
                OccurredAt = new(2026, 3, 11, 0, 30, 0, TimeSpan.FromHours(1)),
            }
        );

        Assert.Equal("2026-03-10", Assert.Single(await DaysAsync(key)).GetProperty("date").GetString());
    }

    [Fact]
    public async Task A_merchant_sees_its_own_days_in_the_range_only()
    {
        var (merchant, key) = api.NewMerchant();
        var (_, stranger) = api.NewMerchant();
        await api.Service.DeliverAsync(
            Cards,
            Card("gift_card.activated", merchant, 1) with
            {
                OccurredAt = Noon.AddDays(-1),
            }
        );
        await api.Service.DeliverAsync(Cards, Card("gift_card.activated", merchant, 2));
        await api.Service.DeliverAsync(
            Cards,
            Card("gift_card.activated", merchant, 3) with
            {
                OccurredAt = Noon.AddDays(1),
            }
        );

        Assert.Equal((1, 2), Total(Assert.Single(await DaysAsync(key)), "sold"));
        Assert.Empty(await DaysAsync(stranger));
        Assert.Equal(3, (await DaysAsync(key, "2026-03-09", "2026-03-11")).Count);
    }

    [Theory]
    [InlineData("?from=2026-03-10&to=2026-03-09")]
    [InlineData("?from=2026-01-01&to=2026-12-31")]
    [InlineData("?from=yesterday&to=2026-03-09")]
    [InlineData("?from=2026-03-10")]
    [InlineData("")]
    public async Task A_range_that_makes_no_sense_is_refused(string query)
    {
        var (_, key) = api.NewMerchant();

        var problem = await api.Service.CallAsync(HttpMethod.Get, $"/v1/reports/daily{query}", key, status: 400);

        Assert.Equal("invalid_request", problem.GetProperty("code").GetString());
    }

    private async Task<List<JsonElement>> DaysAsync(string key, string from = "2026-03-10", string to = "2026-03-10") =>
        [
            .. (await api.Service.CallAsync(HttpMethod.Get, $"/v1/reports/daily?from={from}&to={to}", key))
                .GetProperty("data")
                .EnumerateArray(),
        ];

    private static (int Count, int Amount) Total(JsonElement day, string kind) =>
        (
            day.GetProperty(kind).GetProperty("count").GetInt32(),
            day.GetProperty(kind).GetProperty("amount").GetProperty("amount").GetInt32()
        );

    private static TestEvent Card(string type, MerchantId merchant, long? amount)
    {
        var card = GiftCardId.New(TimeProvider.System).ToString();
        return new(
            type,
            card,
            1,
            merchant,
            new
            {
                gift_card_id = card,
                amount,
                currency = "EUR",
                last4 = "7Q2M",
            }
        )
        {
            OccurredAt = Noon,
        };
    }

    private static TestEvent Redemption(string type, MerchantId merchant, long amount)
    {
        var id = RedemptionId.New(TimeProvider.System).ToString();
        return new(
            type,
            id,
            1,
            merchant,
            new
            {
                redemption_id = id,
                amount,
                currency = "EUR",
            }
        )
        {
            OccurredAt = Noon,
        };
    }

    private static TestEvent Entry(MerchantId merchant, TransactionId transaction, string asset) =>
        new(
            "ledger.transaction.posted",
            AccountId.New(TimeProvider.System).ToString(),
            1,
            merchant,
            new
            {
                transaction_id = transaction.ToString(),
                asset,
                amount = 1,
            }
        )
        {
            OccurredAt = Noon,
        };
}
