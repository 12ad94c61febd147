using System.Text.Json;
using LocalPlus.Kernel;
using LocalPlus.Tests.Integration.Support;

namespace LocalPlus.Tests.Integration.Analytics;

/// <summary>Where and under which programme business was done, in any zone's days, equal to the ledger.</summary>
public sealed class ActivityTests(AnalyticsApi api) : IClassFixture<AnalyticsApi>
{
    private const string Cards = "giftcard.cards.v1";
    private const string Redemptions = "giftcard.redemptions.v1";
    private static readonly ProgramId First = ProgramId.New(TimeProvider.System);
    private static readonly ProgramId Second = ProgramId.New(TimeProvider.System);
    private static readonly LocationId Place = LocationId.New(TimeProvider.System);
    private static readonly TerminalId Till = TerminalId.New(TimeProvider.System);
    private static readonly JsonSerializerOptions WithoutNulls = new()
    {
        DefaultIgnoreCondition = System.Text.Json.Serialization.JsonIgnoreCondition.WhenWritingNull,
    };

    [Fact]
    public async Task Days_are_told_apart_by_programme_place_and_till_and_add_up_in_all()
    {
        var (merchant, key) = api.NewMerchant();
        await api.DeliverShuffledAsync(
            Cards,
            [
                // 23:30 in UTC is the next day in Paris.
                Card(merchant, "gift_card.activated", "activate", 5_000, First, At(9, 23), Place, Till),
                Card(merchant, "gift_card.loaded", "load", 700, Second, At(10, 12), Place, null),
                Card(merchant, "gift_card.expired", "expire", 900, First, At(10, 13), null, null),
                // A present expires before its card does; an adjustment is neither.
                Card(merchant, "gift_card.adjusted", "expire", 50, First, At(10, 14), null, null),
                Card(merchant, "gift_card.adjusted", "adjust", 77, First, At(10, 14), null, null),
                Card(merchant, "gift_card.blocked", null, null, First, At(10, 14), null, null),
            ],
            2
        );
        await api.DeliverShuffledAsync(
            Redemptions,
            [
                Redemption(
                    merchant,
                    "redemption.completed",
                    1_000,
                    At(10, 9),
                    Place,
                    Till,
                    (First, 600),
                    (Second, 300)
                ),
                Redemption(merchant, "redemption.refunded", 300, At(10, 10), Place, Till, (Second, 300)),
                Redemption(merchant, "redemption.completed", 40, At(10, 11), null, null, (First, 40)),
                // As it was told before programmes and tills were.
                Redemption(merchant, "redemption.completed", 5, At(10, 11), null, null),
                Redemption(merchant, "redemption.held", 9_999, At(10, 11), Place, Till, (First, 9_999)),
            ],
            3
        );

        const string days = "from=2026-03-09&to=2026-03-10";
        Assert.Equal(
            ["2026-03-09,EUR,,,,1,5000,0,0,0,0,0,0,0,0", "2026-03-10,EUR,,,,0,0,1,700,3,1045,1,300,2,950"],
            await LinesAsync(key, days)
        );
        Assert.Equal(
            ["2026-03-10,EUR,,,,1,5000,1,700,3,1045,1,300,2,950"],
            await LinesAsync(key, "from=2026-03-10&to=2026-03-10&zone=Europe/Paris")
        );
        Assert.Equal(
            new HashSet<string>
            {
                $"2026-03-09,EUR,{First},,,1,5000,0,0,0,0,0,0,0,0",
                // Of the 1,000 a hundred were points.
                "2026-03-10,EUR,,,,0,0,0,0,2,105,0,0,0,0",
                $"2026-03-10,EUR,{First},,,0,0,0,0,2,640,0,0,2,950",
                $"2026-03-10,EUR,{Second},,,0,0,1,700,1,300,1,300,0,0",
            },
            [.. await LinesAsync(key, $"{days}&by=program")]
        );
        Assert.Equal(
            new HashSet<string>
            {
                $"2026-03-09,EUR,,{Place},{Till},1,5000,0,0,0,0,0,0,0,0",
                "2026-03-10,EUR,,,,0,0,0,0,2,45,0,0,2,950",
                $"2026-03-10,EUR,,{Place},,0,0,1,700,0,0,0,0,0,0",
                $"2026-03-10,EUR,,{Place},{Till},0,0,0,0,1,1000,1,300,0,0",
            },
            [.. await LinesAsync(key, $"{days}&by=terminal")]
        );
        Assert.Equal(
            [$"2026-03-10,EUR,,{Place},,0,0,1,700,1,300,1,300,0,0"],
            await LinesAsync(key, $"{days}&by=location&program_id={Second}")
        );
        Assert.Equal(2, (await LinesAsync(key, $"{days}&location_id={Place}&terminal_id={Till}")).Length);
        var (_, stranger) = api.NewMerchant();
        Assert.Empty(await LinesAsync(stranger, days));
        var data = (await api.GetAsync(key, $"/v1/reports/activity?{days}&by=location")).GetProperty("data");
        Assert.Equal(Place.ToString(), data.EnumerateArray().First().GetProperty("location_id").GetString());
    }

    [Fact]
    public async Task What_business_told_is_what_the_ledger_booked_on_cards()
    {
        var (merchant, key) = api.NewMerchant();
        var random = new Random(4);
        var (cards, redemptions, entries) = (new List<TestEvent>(), new List<TestEvent>(), new List<TestEvent>());
        for (var n = 0; n < 80; n++)
        {
            var amount = random.Next(1, 5_000);
            var at = At(1 + random.Next(20), random.Next(24));
            var program = n % 3 == 0 ? First : Second;
            var (kind, sign) = (n % 5) switch
            {
                0 => ("activate", 1),
                1 => ("load", 1),
                2 => ("capture", -1),
                3 => ("refund", 1),
                _ => ("expire", -1),
            };
            entries.Add(AnalyticsApi.Entry(merchant, GiftCardId.New(TimeProvider.System), kind, sign * amount, at));
            switch (kind)
            {
                case "capture":
                    redemptions.Add(
                        Redemption(merchant, "redemption.completed", amount, at, Place, Till, (program, amount))
                    );
                    break;
                case "refund":
                    redemptions.Add(
                        Redemption(merchant, "redemption.refunded", amount, at, Place, null, (program, amount))
                    );
                    break;
                default:
                    var type = kind switch
                    {
                        "activate" => "gift_card.activated",
                        "load" => "gift_card.loaded",
                        _ => "gift_card.expired",
                    };
                    cards.Add(Card(merchant, type, kind, amount, program, at, Place, null));
                    break;
            }
        }

        await api.DeliverShuffledAsync(Cards, cards, 7);
        await api.DeliverShuffledAsync(Redemptions, redemptions, 8);
        await api.DeliverShuffledAsync(AnalyticsApi.LedgerTopic, entries, 9);
        const string days = "from=2026-03-01&to=2026-03-31&zone=America/New_York";
        // Of the books: sold, loaded, redeemed, refunded, expired, each day.
        var booked = (await api.LinesAsync(key, $"/v1/reports/value/csv?{days}"))
            .Select(line => line.Split(','))
            .Where(f => f[3..].SkipLast(1).Any(amount => amount != "0"))
            .Select(f => $"{f[0]} {f[3]} {f[4]} {f[6].TrimStart('-')} {f[7]} {f[8].TrimStart('-')}");
        foreach (var by in (string[])["total", "program", "location", "terminal"])
        {
            var told = (await LinesAsync(key, $"{days}&by={by}"))
                .Select(line => line.Split(','))
                .GroupBy(f => f[0])
                .Select(day => $"{day.Key} {Sum(day, 6)} {Sum(day, 8)} {Sum(day, 10)} {Sum(day, 12)} {Sum(day, 14)}");
            Assert.Equal(booked, told);
        }
    }

    [Fact]
    public async Task A_range_that_is_none_and_a_grouping_that_is_none_are_refused()
    {
        var (_, key) = api.NewMerchant();
        foreach (
            var bad in (string[])
                [
                    "from=2026-03-11&to=2026-03-10",
                    "from=2026-01-01&to=2026-06-01",
                    "from=2026-03-10&to=2026-03-10&by=weekday",
                    "from=2026-03-10&to=2026-03-10&zone=EST",
                    "from=2026-03-10&to=2026-03-10&program_id=loc_1",
                ]
        )
        {
            using var answer = await api.SendAsync(key, $"/v1/reports/activity?{bad}");
            Assert.Equal(400, (int)answer.StatusCode);
        }
    }

    private static long Sum(IEnumerable<string[]> lines, int field) =>
        lines.Sum(f => long.Parse(f[field], System.Globalization.CultureInfo.InvariantCulture));

    private static DateTimeOffset At(int day, int hour) => new(2026, 3, day, hour, 30, 0, TimeSpan.Zero);

    private static TestEvent Card(
        MerchantId merchant,
        string type,
        string? activity,
        long? amount,
        ProgramId program,
        DateTimeOffset at,
        LocationId? place,
        TerminalId? till
    )
    {
        var card = GiftCardId.New(TimeProvider.System).ToString();
        return new(
            type,
            card,
            1,
            merchant,
            Said(
                new
                {
                    gift_card_id = card,
                    program_id = program.ToString(),
                    last4 = "0000",
                    currency = "EUR",
                    amount,
                    activity,
                    location_id = place?.ToString(),
                    terminal_id = till?.ToString(),
                }
            )
        )
        {
            OccurredAt = at,
        };
    }

    private static TestEvent Redemption(
        MerchantId merchant,
        string type,
        long amount,
        DateTimeOffset at,
        LocationId? place,
        TerminalId? till,
        params (ProgramId Program, long Amount)[] parts
    )
    {
        var id = RedemptionId.New(TimeProvider.System).ToString();
        return new(
            type,
            id,
            2,
            merchant,
            Said(
                new
                {
                    redemption_id = id,
                    amount,
                    currency = "EUR",
                    location_id = place?.ToString(),
                    terminal_id = till?.ToString(),
                    sources = parts.Select(part => new { amount = part.Amount, program_id = part.Program.ToString() }),
                }
            )
        )
        {
            OccurredAt = at,
        };
    }

    /// <summary>Members that say nothing are absent.</summary>
    private static JsonElement Said(object data) => JsonSerializer.SerializeToElement(data, WithoutNulls);

    private Task<string[]> LinesAsync(string key, string query) =>
        api.LinesAsync(key, $"/v1/reports/activity/csv?{query}");
}
