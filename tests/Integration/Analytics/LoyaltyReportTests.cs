using LocalPlus.Kernel;
using LocalPlus.Tests.Integration.Support;

namespace LocalPlus.Tests.Integration.Analytics;

/// <summary>Points by day are what the wallet told of each movement, whatever order it came in.</summary>
public sealed class LoyaltyReportTests(AnalyticsApi api) : IClassFixture<AnalyticsApi>
{
    private const string Members = "wallet.members.v1";
    private static readonly ProgramId Program = ProgramId.New(TimeProvider.System);

    [Fact]
    public async Task A_day_says_what_was_earned_burned_taken_back_and_expired_and_what_it_cost()
    {
        var (merchant, key) = api.NewMerchant();
        var other = ProgramId.New(TimeProvider.System);
        await api.DeliverShuffledAsync(
            Members,
            [
                // 23:30 in UTC is the next day in Paris.
                Moved(merchant, Program, "earn", 100, 0, 200, At(9, 23)),
                Moved(merchant, Program, "pend", 0, 40, 0, At(10, 9)),
                Moved(merchant, Program, "release", 30, -30, 60, At(10, 10)),
                Moved(merchant, Program, "hold", -50, 0, 0, At(10, 11)),
                Moved(merchant, Program, "hold_released", 10, 0, 0, At(10, 12)),
                Moved(merchant, Program, "redeem", 0, 0, -80, At(10, 12)),
                Moved(merchant, Program, "refund", 5, 0, 10, At(10, 13)),
                Moved(merchant, Program, "take_back", -7, 0, -14, At(10, 14)),
                Moved(merchant, Program, "expire", -20, 0, -40, At(10, 15)),
                Moved(merchant, Program, "adjust", -3, 0, -6, At(10, 15)),
                Moved(merchant, other, "earn", 1, 0, 2, At(10, 15)),
                new("member.enrolled", "mem", 1, merchant, new { program_id = Program.ToString() })
                {
                    OccurredAt = At(10, 8),
                },
            ],
            1
        );
        const string days = "from=2026-03-09&to=2026-03-10";
        Assert.Equal(
            [$"2026-03-09,{Program},100,0,0,0,0,0,EUR,200,0,0", $"2026-03-10,{Program},30,10,35,7,20,-3,EUR,40,70,40"],
            await LinesAsync(key, $"{days}&program_id={Program}")
        );
        Assert.Equal(
            [$"2026-03-10,{Program},130,10,35,7,20,-3,EUR,240,70,40"],
            await LinesAsync(key, $"{days}&program_id={Program}&zone=Europe/Paris")
        );
        Assert.Equal(3, (await LinesAsync(key, days)).Length);
        var day = (await api.GetAsync(key, $"/v1/reports/loyalty?{days}&program_id={other}")).GetProperty("data")[0];
        Assert.Equal(1, day.GetProperty("earned").GetInt64());
        Assert.Equal(2, day.GetProperty("given").GetProperty("amount").GetInt64());
        var (_, stranger) = api.NewMerchant();
        Assert.Empty(await LinesAsync(stranger, days));
        using var refused = await api.SendAsync(key, "/v1/reports/loyalty?from=2026-03-10&to=2026-03-09");
        Assert.Equal(400, (int)refused.StatusCode);
    }

    [Fact]
    public async Task All_days_add_up_to_what_members_have_and_are_owed_also_by_kinds_that_are_new()
    {
        var (merchant, key) = api.NewMerchant();
        var random = new Random(8);
        string[] kinds =
        [
            "earn",
            "pend",
            "release",
            "take_back",
            "redeem",
            "hold",
            "hold_released",
            "refund",
            "expire",
            "adjust",
            "transfer_out",
            "transfer_in",
            "forfeit",
            "new",
        ];
        var moves = Enumerable
            .Range(0, 120)
            .Select(n =>
                (Kind: kinds[n % kinds.Length], Points: random.Next(-90, 100), Value: (long)random.Next(-900, 1_000))
            )
            .ToArray();
        await api.DeliverShuffledAsync(
            Members,
            moves.Select(m =>
                Moved(merchant, Program, m.Kind, m.Points, 0, m.Value, At(1 + random.Next(20), random.Next(24)))
            ),
            2
        );
        // As it was told before the money was.
        await api.Service.DeliverAsync(Members, Moved(merchant, Program, "earn", 3, 0, null, At(3, 3)));
        var fields = (await LinesAsync(key, "from=2026-03-01&to=2026-03-31")).Select(line => line.Split(',')).ToArray();
        Assert.Equal(
            3 + moves.Sum(m => (long)m.Points),
            fields.Sum(f => N(f[2]) - N(f[4]) - N(f[5]) - N(f[6]) + N(f[7]))
        );
        Assert.Equal(moves.Sum(m => m.Value), fields.Sum(f => N(f[9]) - N(f[10]) - N(f[11])));
    }

    private static long N(string field) => long.Parse(field, System.Globalization.CultureInfo.InvariantCulture);

    private static DateTimeOffset At(int day, int hour) => new(2026, 3, day, hour, 30, 0, TimeSpan.Zero);

    private static TestEvent Moved(
        MerchantId merchant,
        ProgramId program,
        string kind,
        long points,
        long pending,
        long? value,
        DateTimeOffset at
    )
    {
        object movement = value is null
            ? new
            {
                kind,
                points,
                pending,
            }
            : new
            {
                kind,
                points,
                pending,
                value,
                currency = "EUR",
            };
        return new(
            "member.points_changed",
            MemberId.New(TimeProvider.System).ToString(),
            2,
            merchant,
            new { program_id = program.ToString(), movement }
        )
        {
            OccurredAt = at,
        };
    }

    private Task<string[]> LinesAsync(string key, string query) =>
        api.LinesAsync(key, $"/v1/reports/loyalty/csv?{query}");
}
