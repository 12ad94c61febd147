using LocalPlus.Kernel;
using LocalPlus.Ledger.Books;
using LocalPlus.Ledger.Operations;

namespace LocalPlus.Tests.Unit.Ledger;

/// <summary>How much, how many, how long and how late a command may name.</summary>
public sealed class LimitTests
{
    private const long Most = Money.Limit - 1;
    private static readonly DateTimeOffset Now = new(2026, 1, 10, 12, 0, 0, TimeSpan.Zero);
    private readonly MerchantId merchant = MerchantId.New(TimeProvider.System);

    [Theory]
    [InlineData(0L)]
    [InlineData(-1L)]
    [InlineData(Money.Limit)]
    [InlineData(long.MaxValue)]
    [InlineData(long.MinValue)]
    public void An_amount_is_positive_and_below_two_to_the_53(long amount) =>
        Refuses(
            "invalid_request",
            () =>
                Input.Postings(
                    [new Posting(AccountId.New(TimeProvider.System), AccountId.New(TimeProvider.System), amount)],
                    "postings",
                    1
                )
        );

    [Fact]
    public void A_transaction_has_one_to_a_hundred_postings_between_two_accounts_each()
    {
        var (one, other) = (AccountId.New(TimeProvider.System), AccountId.New(TimeProvider.System));
        var posting = new Posting(one, other, Most);

        Assert.Equal(100, Input.Postings([.. Enumerable.Repeat(posting, 100)], "postings", 1).Count);
        Assert.Single(Input.Postings([posting with { Amount = 1 }], "postings", 1));
        Refuses("invalid_request", () => Input.Postings([.. Enumerable.Repeat(posting, 101)], "postings", 1));
        Refuses("invalid_request", () => Input.Postings([], "postings", 1));
        Refuses("invalid_request", () => Input.Postings([posting, posting with { Destination = one }], "postings", 1));
        Assert.Empty(Input.Postings([], "postings", 0));
    }

    [Fact]
    public void A_hold_names_up_to_twenty_sources_and_none_twice()
    {
        HoldSource[] sources =
        [
            .. Enumerable.Range(0, 21).Select(_ => new HoldSource(AccountId.New(TimeProvider.System), null)),
        ];

        Assert.Equal(20, Input.Sources(sources[..20]).Count);
        Refuses("invalid_request", () => Input.Sources(sources));
        Assert.Empty(Input.Sources([]));
        Refuses("invalid_request", () => Input.Sources([sources[0], sources[0]]));
        Refuses("invalid_request", () => Input.Sources([sources[0] with { Max = 0 }]));
    }

    [Fact]
    public void Texts_have_limits_and_nothing_in_them_that_is_no_text()
    {
        Assert.All(["r", new string('r', 255)], text => Assert.Equal(text, Input.Reference(text)));
        Assert.Null(Input.Reference(null));
        Assert.All(
            ["", new string('r', 256), "a\0b", "a\nb", "a\ud800", "\ud800a", "\udc00a"],
            text => Refuses("invalid_request", () => Input.Reference(text))
        );
        Assert.Equal("\ud83d\ude00", Input.Reference("\ud83d\ude00"));
        Assert.Equal("a" + new string('_', 39), Input.Kind("a" + new string('_', 39)));
        Assert.All(["a", "load_2nd"], kind => Assert.Equal(kind, Input.Kind(kind)));
        Assert.All(
            ["", "Load", "1st", "a-b", "é", new string('a', 41)],
            kind => Refuses("invalid_request", () => Input.Kind(kind))
        );
    }

    [Fact]
    public void Metadata_has_limits_and_an_order_of_its_own()
    {
        static Dictionary<string, string> Entries(int count, int key = 3, int text = 1) =>
            Enumerable
                .Range(0, count)
                .ToDictionary(i => $"{i:000}".PadLeft(key, 'k'), _ => new string('t', text), StringComparer.Ordinal);

        Assert.Equal(50, Metadata.Check(Entries(50, 100, 500))!.Count);
        Assert.Null(Metadata.Check([]));
        Refuses("invalid_request", () => Metadata.Check(Entries(51)));
        Refuses("invalid_request", () => Metadata.Check(Entries(1, key: 101)));
        Refuses("invalid_request", () => Metadata.Check(Entries(1, text: 501)));
        Refuses("invalid_request", () => Metadata.Check([new("", "t")]));
        Refuses("invalid_request", () => Metadata.Check([new("k", null!)]));
        Refuses("invalid_request", () => Metadata.Check([new("k\0", "t")]));
        Assert.Equal(["B", "a", "b"], Metadata.Check([new("b", "1"), new("a", "1"), new("B", "1")])!.Keys);
    }

    [Fact]
    public void Instants_are_whole_milliseconds_of_the_years_that_the_books_know()
    {
        Assert.Equal(Now, Input.Instant(Now.AddTicks(9_999), "effective_at"));
        Assert.Equal(DateTimeOffset.UnixEpoch, Input.Instant(DateTimeOffset.UnixEpoch, "effective_at"));
        Assert.Equal(TimeSpan.Zero, Input.Instant(Now.ToOffset(TimeSpan.FromHours(2)), "effective_at")!.Value.Offset);
        Refuses(
            "invalid_request",
            () => Input.Instant(new DateTimeOffset(1969, 12, 31, 23, 59, 59, TimeSpan.Zero), "effective_at")
        );
        Refuses(
            "invalid_request",
            () => Input.Instant(new DateTimeOffset(2200, 1, 1, 0, 0, 0, TimeSpan.Zero), "effective_at")
        );
    }

    private static void Refuses(string code, Action action) =>
        Assert.Equal(code, Assert.Throws<FaultException>(action).Fault.Code);

    private static void Refuses<T>(string code, Func<T> action) =>
        Refuses(
            code,
            () =>
            {
                _ = action();
            }
        );
}
