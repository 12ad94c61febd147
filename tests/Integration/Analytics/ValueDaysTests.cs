using LocalPlus.Analytics.Value;

namespace LocalPlus.Tests.Integration.Analytics;

/// <summary>The pure part of the value report, against random business.</summary>
public sealed class ValueDaysTests
{
    private static readonly DateOnly First = new(2026, 3, 28);
    private static readonly string[] Kinds =
    [
        "activate",
        "load",
        "import",
        "capture",
        "refund",
        "expire",
        "merge",
        "new",
    ];

    [Fact]
    public void Whatever_moves_the_last_day_closes_at_the_sum_of_all()
    {
        var random = new Random(5);
        var movements = Enumerable
            .Range(0, 300)
            .Select(_ => new ValueMovement(
                First.AddDays(random.Next(10)),
                random.Next(2) == 0 ? "EUR" : "USD",
                Kinds[random.Next(Kinds.Length)],
                random.Next(-1000, 1000)
            ))
            .ToArray();
        var openings = new Dictionary<string, long> { ["EUR"] = 77, ["JPY"] = 5 };
        var days = ValueDays.Of(First, First.AddDays(9), openings, movements).ToArray();
        Assert.Equal(10 * 3, days.Length);
        foreach (var currency in (string[])["EUR", "JPY", "USD"])
        {
            Assert.Equal(
                openings.GetValueOrDefault(currency) + movements.Where(m => m.Currency == currency).Sum(m => m.Amount),
                days.Last(d => d.Currency == currency).Closing
            );
        }
    }

    [Fact]
    public void A_day_is_as_long_as_its_zone_makes_it()
    {
        var spring = ValueRange.Of(new(2026, 3, 29), new(2026, 3, 29), "Europe/Paris");
        Assert.Equal(TimeSpan.FromHours(23), spring.Ends - spring.Begins);
        var india = ValueRange.Of(First, First, "Asia/Kolkata");
        Assert.Equal(new TimeSpan(18, 30, 0), india.Begins.ToUniversalTime().TimeOfDay);
    }
}
