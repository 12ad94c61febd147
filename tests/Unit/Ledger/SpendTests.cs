using LocalPlus.Kernel;
using LocalPlus.Ledger.Books;
using LocalPlus.Ledger.Operations;

namespace LocalPlus.Tests.Unit.Ledger;

/// <summary>Hold and capture in one: what is spent at once is one transaction and no hold.</summary>
public sealed class SpendTests
{
    private readonly SmallBooks books = new();

    [Fact]
    public void Sources_give_in_their_order_until_the_amount_is_reached()
    {
        var (promo, paid, last, till) = (books.Open(300), books.Open(1_000), books.Open(50), books.Open(floor: null));

        var spent = Spend(Of(1_000, till, null, new(promo.Id, null, 0), new(paid.Id, null, 0), new(last.Id, null, 0)));

        Assert.Equal((1_000L, 1_000L, 0L), (spent.Requested, spent.Items.Sum(item => item.Amount), spent.Share));
        Assert.Equal([new(promo.Id, 300, 0), new(paid.Id, 700, 300), new(last.Id, 0, 50)], spent.Items);
        Assert.Equal((0L, 300L, 50L, 1_000L), (promo.Posted, paid.Posted, last.Posted, till.Posted));
        Assert.Equal((2, 0), (books.Book.Transactions.Single().Postings.Count, books.Book.Holds.Count));
        Assert.Null(spent.Transaction.HoldId);
    }

    [Fact]
    public void No_source_gives_more_than_it_may_and_one_that_may_give_nothing_gives_nothing()
    {
        var (one, other, till) = (books.Open(100), books.Open(100), books.Open(floor: null));

        var spent = Spend(Of(50, till, null, new(one.Id, 0, 0), new(other.Id, 60, 0)));
        books.Refuses("insufficient_balance", Of(50, till, null, new(one.Id, 9, 0), new(other.Id, 40, 0)));

        Assert.Equal([0L, 50L], spent.Items.Select(item => item.Amount));
        Assert.Equal((100L, 50L), (one.Posted, other.Posted));
    }

    [Fact]
    public void What_there_is_is_spent_when_that_is_enough_and_refused_otherwise()
    {
        var (card, till) = (books.Open(40), books.Open(floor: null));

        var refusal = books.Refuses("insufficient_balance", Of(41, till, null, new SpendSource(card.Id, null, 0)));
        var spent = Spend(Of(41, till, null, new SpendSource(card.Id, null, 0)) with { AllowPartial = true });
        books.Refuses(
            "insufficient_balance",
            Of(41, till, null, new SpendSource(card.Id, null, 0)) with
            {
                AllowPartial = true,
            }
        );

        Assert.Equal(40L, refusal.Extensions!["available"]);
        Assert.Equal((41L, 40L), (spent.Requested, spent.Items.Single().Amount));
    }

    [Fact]
    public void Of_each_rate_the_share_is_rounded_down_once()
    {
        var (one, same, dearer, till, issuer) = (
            books.Open(99),
            books.Open(99),
            books.Open(99),
            books.Open(floor: null),
            books.Open(floor: null)
        );

        var spent = Spend(
            Of(297, till, issuer, new(one.Id, null, 150), new(same.Id, null, 150), new(dearer.Id, null, 1_000))
        );

        // 1.5 % of 198 is 2.97, 10 % of 99 is 9.9.
        Assert.Equal((11L, 286L, 11L), (spent.Share, till.Posted, issuer.Posted));
        Assert.Equal(4, spent.Transaction.Postings.Count);
    }

    [Fact]
    public void A_share_that_rounds_to_nothing_is_no_posting()
    {
        var (card, till, issuer) = (books.Open(99), books.Open(floor: null), books.Open(floor: null));

        var spent = Spend(Of(60, till, issuer, new SpendSource(card.Id, null, 100)));
        var unshared = Spend(Of(39, till, null, new SpendSource(card.Id, null, 0)));

        Assert.Equal(
            (0L, 0L, 1, 1),
            (spent.Share, unshared.Share, spent.Transaction.Postings.Count, unshared.Transaction.Postings.Count)
        );
    }

    [Fact]
    public void A_reference_is_spent_once_whatever_is_left_on_the_card()
    {
        var (card, till) = (books.Open(100), books.Open(floor: null));
        Spend(Of(100, till, null, new SpendSource(card.Id, null, 0)));

        var refusal = books.Refuses(
            "reference_reused",
            Of(100, till, null, new SpendSource(card.Id, null, 0)) with
            {
                Header = new("spent-100", "capture"),
            }
        );

        Assert.Equal(books.Book.Transactions.Single().Id.ToString(), refusal.Extensions!["used_by"]);
    }

    [Fact]
    public void Fault_09_nothing_to_take_from_is_too_little_and_not_a_bad_request()
    {
        var refusal = books.Refuses("insufficient_balance", Of(1, books.Open(floor: null), null));

        Assert.Equal(0L, refusal.Extensions!["available"]);
    }

    [Fact]
    public void A_frozen_card_spends_nothing()
    {
        var (card, till) = (books.Open(100, status: AccountStatus.Frozen), books.Open(floor: null));

        books.Refuses("account_frozen", Of(10, till, null, new SpendSource(card.Id, null, 0)));
    }

    [Fact]
    public void What_is_asked_is_checked_before_anything()
    {
        var (card, till, issuer) = (books.Open(100).Id, books.Open().Id, books.Open().Id);

        Invalid([new(card, -1, 0)], till, null);
        Invalid([new(card, Money.Limit, 0)], till, null);
        Invalid([new(card, null, -1)], till, issuer);
        Invalid([new(card, null, 10_001)], till, issuer);
        Invalid([new(card, null, 1)], till, null);
        Invalid([new(till, null, 0)], till, null);
        Invalid([new(issuer, null, 1)], till, issuer);
        Invalid([new(card, null, 1)], till, till);
        Invalid([new(card, null, 0), new(card, null, 0)], till, null);
        Assert.Single(Input.SpendSources([new(card, 0, 10_000)], till, issuer));
    }

    private static void Invalid(SpendSource[] sources, AccountId till, AccountId? issuer) =>
        Assert.Equal(
            "invalid_request",
            Assert.Throws<FaultException>(() => Input.SpendSources(sources, till, issuer)).Fault.Code
        );

    private Result.Spent Spend(Spend spend) =>
        (Result.Spent)books.Do(spend with { Header = new($"spent-{spend.Amount}", "capture") });

    private Spend Of(long amount, Account till, Account? issuer, params SpendSource[] sources) =>
        new(books.Merchant, new Header(null, "capture"), amount, sources, false, till.Id, issuer?.Id);
}
