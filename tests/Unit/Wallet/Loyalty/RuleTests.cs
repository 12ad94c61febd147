using LocalPlus.Kernel;
using LocalPlus.Wallet.Programs;
using LocalPlus.Wallet.Rules;

namespace LocalPlus.Tests.Unit.Wallet.Loyalty;

public sealed class RuleTests
{
    private static readonly MemberFacts Anybody = new(null, false, null);
    private static readonly RuleUse Unused = new(0, 0, null);

    [Theory]
    [InlineData(nameof(Rounding.Down), 1999, 19)]
    [InlineData(nameof(Rounding.Nearest), 1949, 19)]
    [InlineData(nameof(Rounding.Nearest), 1950, 20)]
    [InlineData(nameof(Rounding.Up), 1901, 20)]
    [InlineData(nameof(Rounding.Up), 1900, 19)]
    [InlineData(nameof(Rounding.Down), 0, 0)]
    public void The_programme_s_rate_is_rounded_as_it_says(string rounding, long amount, long points) =>
        Assert.Equal(points, Earned(Terms(Enum.Parse<Rounding>(rounding)), Basket(amount)));

    [Fact]
    public void A_rate_over_all_money_there_can_be_stays_exact() =>
        Assert.Equal((Money.Limit - 1) / 100, Earned(Terms(Rounding.Down), Basket(Money.Limit - 1)));

    [Fact]
    public void A_rate_counts_the_lines_that_match()
    {
        var rule = new RuleDefinition(
            RuleEffect.Rate,
            Rate: new(2, new(100, Currency.Eur)),
            Categories: ["coffee"],
            Products: ["bun"]
        );
        var basket = Basket(new("espresso", "coffee", 250), new("bun", "bakery", 150), new("tea", "tea", 999));

        var (points, lines) = Judge(Terms(), basket, Anybody, Unused, rule);

        Assert.Equal(13 + 8, points);
        Assert.Equal(points, lines.Sum());
        Assert.Equal(10, lines[2]);
    }

    [Fact]
    public void A_multiplier_multiplies_what_its_lines_have_earned_so_far()
    {
        var rule = new RuleDefinition(RuleEffect.Multiplier, Percent: 300, Products: ["bun"]);
        var basket = Basket(new("bun", null, 400), new("tea", null, 600));

        var (points, lines) = Judge(Terms(), basket, Anybody, Unused, rule);

        Assert.Equal(10 + 8, points);
        Assert.Equal([12L, 6L], lines);
    }

    [Fact]
    public void Rules_stack_in_their_order_and_the_last_one_ends_the_list()
    {
        RuleDefinition[] rules =
        [
            new(RuleEffect.Bonus, Points: 10, Order: 1),
            new(RuleEffect.Multiplier, Percent: 200, Order: 2, Last: true),
            new(RuleEffect.Bonus, Points: 1000, Order: 3),
        ];

        Assert.Equal((10 + 10) * 2, Judge(Terms(), Basket(1000), Anybody, Unused, rules).Points);
    }

    [Fact]
    public void One_that_is_last_and_gives_nothing_ends_nothing()
    {
        RuleDefinition[] rules =
        [
            new(RuleEffect.Bonus, Points: 10, Order: 1, Last: true, Tiers: ["gold"]),
            new(RuleEffect.Bonus, Points: 5, Order: 2),
        ];

        Assert.Equal(15, Judge(Terms(), Basket(1000), Anybody, Unused, rules).Points);
    }

    [Theory]
    [InlineData(7, 100, 100, null, 7, nameof(CutBy.MaxPerPurchase))]
    [InlineData(100, 7, 100, null, 3, nameof(CutBy.MaxPerDay))]
    [InlineData(100, 100, 25, null, 5, nameof(CutBy.MaxPerMember))]
    [InlineData(100, 100, 100, 2L, 2, nameof(CutBy.Budget))]
    [InlineData(100, 100, 100, 0L, 0, nameof(CutBy.Budget))]
    [InlineData(100, 4, 100, null, 0, nameof(CutBy.MaxPerDay))]
    [InlineData(50, 100, 100, 50L, 50, nameof(CutBy.None))]
    public void The_tightest_bound_wins_and_is_named(
        long perPurchase,
        long perDay,
        long perMember,
        long? budget,
        long points,
        string cut
    )
    {
        var rule = new RuleDefinition(
            RuleEffect.Bonus,
            Points: 50,
            MaxPerPurchase: perPurchase,
            MaxPerDay: perDay,
            MaxPerMember: perMember
        );
        var awards = new List<Award>();
        var basket = Basket(50);
        RuleEvaluation.Evaluate(
            Terms(),
            [new(rule)],
            [new RuleUse(4, 20, budget)],
            basket,
            Anybody,
            awards,
            new long[basket.Lines.Length]
        );

        Assert.Equal([new Award(0, points, Enum.Parse<CutBy>(cut))], awards);
    }

    [Theory]
    [InlineData("gold", true)]
    [InlineData("silver", false)]
    [InlineData(null, false)]
    public void A_rule_may_be_for_tiers(string? tier, bool applies) =>
        Assert.Equal(
            applies,
            Applies(new(RuleEffect.Bonus, Points: 1, Tiers: ["gold", "platinum"]), Basket(1), new(tier, false, null))
        );

    [Fact]
    public void A_rule_may_be_for_the_first_purchase_the_month_of_birth_and_large_baskets()
    {
        Assert.True(Applies(new(RuleEffect.Bonus, Points: 1, FirstPurchase: true), Basket(1), new(null, true, null)));
        Assert.False(Applies(new(RuleEffect.Bonus, Points: 1, FirstPurchase: true), Basket(1), Anybody));
        Assert.True(Applies(new(RuleEffect.Bonus, Points: 1, BirthMonth: true), Basket(1), new(null, false, 3)));
        Assert.False(Applies(new(RuleEffect.Bonus, Points: 1, BirthMonth: true), Basket(1), new(null, false, 4)));
        Assert.False(Applies(new(RuleEffect.Bonus, Points: 1, BirthMonth: true), Basket(1), Anybody));
        var large = new RuleDefinition(RuleEffect.Bonus, Points: 1, MinBasket: new(500, Currency.Eur));
        Assert.True(Applies(large, Basket(500), Anybody));
        Assert.False(Applies(large, Basket(499), Anybody));
    }

    [Fact]
    public void A_rule_may_be_for_places()
    {
        var (here, there) = (LocationId.New(TimeProvider.System), LocationId.New(TimeProvider.System));
        var rule = new RuleDefinition(RuleEffect.Bonus, Points: 1, Locations: [here]);
        Assert.True(Applies(rule, Basket(1) with { Location = here }, Anybody));
        Assert.False(Applies(rule, Basket(1) with { Location = there }, Anybody));
        Assert.False(Applies(rule, Basket(1), Anybody));
    }

    [Theory]
    // A Friday in March, in Paris.
    [InlineData("2026-03-06T15:59:59Z", false)]
    [InlineData("2026-03-06T16:00:00Z", true)]
    [InlineData("2026-03-06T17:59:59Z", true)]
    [InlineData("2026-03-06T18:00:00Z", false)]
    // A Friday in July: an hour earlier by the world's clock.
    [InlineData("2026-07-03T15:00:00Z", true)]
    [InlineData("2026-07-03T17:00:00Z", false)]
    [InlineData("2026-07-04T15:00:00Z", false)]
    public void Hours_and_weekdays_are_those_of_the_place(string at, bool applies) =>
        Assert.Equal(applies, Open("Europe/Paris", at, "17:00", "19:00", Weekday.Friday));

    [Theory]
    // New Zealand is a day ahead of the world's clock in the evening.
    [InlineData("Pacific/Auckland", "2026-03-05T12:00:00Z", nameof(Weekday.Friday), true)]
    [InlineData("America/Los_Angeles", "2026-03-07T05:00:00Z", nameof(Weekday.Friday), true)]
    [InlineData("America/Los_Angeles", "2026-03-06T05:00:00Z", nameof(Weekday.Friday), false)]
    public void Days_are_those_of_the_place(string zone, string at, string day, bool applies) =>
        Assert.Equal(applies, Open(zone, at, "00:00", "24:00", Enum.Parse<Weekday>(day)));

    [Theory]
    // From Friday 22:00 until Saturday 02:00.
    [InlineData("2026-03-06T21:30:00Z", true)]
    [InlineData("2026-03-07T00:59:00Z", true)]
    [InlineData("2026-03-07T01:00:00Z", false)]
    [InlineData("2026-03-06T00:30:00Z", false)]
    [InlineData("2026-03-07T21:30:00Z", false)]
    public void What_goes_on_past_midnight_belongs_to_the_day_on_which_it_began(string at, bool applies) =>
        Assert.Equal(applies, Open("Europe/Paris", at, "22:00", "02:00", Weekday.Friday));

    [Theory]
    // 29 March 2026, 02:00 to 03:00 is left out: before it and after it, never in it.
    [InlineData("2026-03-29T00:59:59Z", "02:00", "03:00", false)]
    [InlineData("2026-03-29T01:00:00Z", "02:00", "03:00", false)]
    [InlineData("2026-03-29T01:00:00Z", "03:00", "04:00", true)]
    // 25 October 2026, 02:00 to 03:00 comes twice, and both times count.
    [InlineData("2026-10-25T00:30:00Z", "02:00", "03:00", true)]
    [InlineData("2026-10-25T01:30:00Z", "02:00", "03:00", true)]
    [InlineData("2026-10-25T02:00:00Z", "02:00", "03:00", false)]
    [InlineData("2026-10-25T02:00:00Z", "03:00", "04:00", true)]
    public void Clocks_that_change_are_followed(string at, string from, string to, bool applies) =>
        Assert.Equal(applies, Open("Europe/Paris", at, from, to, Weekday.Sunday));

    [Fact]
    public void Points_end_with_the_last_local_day_that_they_are_good()
    {
        var terms = Terms() with { Expiry = new(ExpiryKind.AfterEarning, 1) };
        // Late in the evening of 27 March in Paris; good on the 28th, gone with the first moment of the 29th.
        Assert.Equal(Utc("2026-03-28T23:00:00Z"), terms.ExpiryOf(Utc("2026-03-27T22:30:00Z")));
        // In summer time a day ends an hour earlier by the world's clock.
        Assert.Equal(Utc("2026-07-02T22:00:00Z"), terms.ExpiryOf(Utc("2026-07-01T12:00:00Z")));
        // In Havana the clock leaves out the midnight of 8 March 2026: the day begins at one.
        var zone = TimeZoneInfo.FindSystemTimeZoneById("America/Havana");
        Assert.Equal(
            Utc("2026-03-08T05:00:00Z"),
            LoyaltyTerms.StartOfDay(new(2026, 3, 8, 0, 0, 0, DateTimeKind.Unspecified), zone)
        );
        // And 1 November 2026 has two: its first one counts.
        Assert.Equal(
            Utc("2026-11-01T04:00:00Z"),
            LoyaltyTerms.StartOfDay(new(2026, 11, 1, 0, 0, 0, DateTimeKind.Unspecified), zone)
        );
        Assert.Null(Terms().ExpiryOf(Utc("2026-07-01T12:00:00Z")));
    }

    [Fact]
    public void A_return_window_ends_with_its_last_local_day()
    {
        var terms = Terms() with { ReturnWindowDays = 14 };
        // The clock goes back between both.
        Assert.Equal(Utc("2026-11-02T23:00:00Z"), terms.ReleaseOf(Utc("2026-10-19T21:59:00Z"), null));
        Assert.Equal(Utc("2026-11-03T23:00:00Z"), terms.ReleaseOf(Utc("2026-10-19T22:00:00Z"), null));
        Assert.Null(Terms().ReleaseOf(Utc("2026-10-19T21:59:00Z"), null));
    }

    [Fact]
    public void Rules_that_do_not_apply_allocate_nothing()
    {
        CompiledRule[] rules =
        [
            .. Enumerable
                .Range(0, 100)
                .Select(i => new CompiledRule(
                    new(
                        RuleEffect.Bonus,
                        Points: 1,
                        Products: i % 2 == 0 ? ["nothing", "nobody"] : null,
                        Categories: i % 2 == 0 ? ["none"] : null,
                        Tiers: i % 2 == 1 ? ["platinum"] : null,
                        Weekdays: [Weekday.Monday, Weekday.Friday],
                        Hours: new("08:00", "20:00")
                    )
                )),
        ];
        var uses = new RuleUse[rules.Length];
        var basket = Basket(new("bun", "bakery", 150), new("tea", "tea", 999));
        var (awards, lines, terms) = (new List<Award>(4), new long[2], Terms());
        Evaluate();
        var before = GC.GetAllocatedBytesForCurrentThread();

        for (var i = 0; i < 100; i++)
        {
            Evaluate();
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);

        void Evaluate()
        {
            awards.Clear();
            RuleEvaluation.Evaluate(terms, rules, uses, basket, new("gold", false, null), awards, lines);
        }
    }

    private static DateTimeOffset Utc(string text) =>
        DateTimeOffset.Parse(text, System.Globalization.CultureInfo.InvariantCulture);

    private static bool Open(string zone, string at, string from, string to, Weekday day) =>
        Applies(
            new(RuleEffect.Bonus, Points: 1, Weekdays: [day], Hours: new(from, to)),
            Purchase.At([new(null, null, 1)], null, Utc(at), TimeZoneInfo.FindSystemTimeZoneById(zone)),
            Anybody
        );

    private static bool Applies(RuleDefinition rule, Purchase purchase, MemberFacts member) =>
        new CompiledRule(rule).Applies(purchase, member);

    private static long Earned(LoyaltyTerms terms, Purchase purchase) => Judge(terms, purchase, Anybody, Unused).Points;

    private static (long Points, long[] Lines) Judge(
        LoyaltyTerms terms,
        Purchase purchase,
        MemberFacts member,
        RuleUse use,
        params RuleDefinition[] rules
    )
    {
        var lines = new long[purchase.Lines.Length];
        var awards = new List<Award>();
        var points = RuleEvaluation.Evaluate(
            terms,
            Array.ConvertAll(rules, rule => new CompiledRule(rule)),
            Array.ConvertAll(rules, _ => use),
            purchase,
            member,
            awards,
            lines
        );
        Assert.Equal(points, awards.Sum(award => award.Points));
        Assert.Equal(points, lines.Sum());
        return (points, lines);
    }

    private static Purchase Basket(long amount) => Basket(new PurchaseLine(null, null, amount));

    /// <summary>On a Friday in March at noon, in Paris.</summary>
    private static Purchase Basket(params PurchaseLine[] lines) =>
        Purchase.At(lines, null, Utc("2026-03-06T11:00:00Z"), TimeZoneInfo.FindSystemTimeZoneById("Europe/Paris"));

    private static LoyaltyTerms Terms(Rounding rounding = Rounding.Down) =>
        new(
            new(1, new(100, Currency.Eur)),
            new(100, new(100, Currency.Eur)),
            "Europe/Paris",
            rounding,
            new(ExpiryKind.Never),
            NegativePolicy.Owed,
            []
        );
}
