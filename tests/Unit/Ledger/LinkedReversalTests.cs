using LocalPlus.Kernel;
using LocalPlus.Ledger.Books;
using LocalPlus.Ledger.Operations;

namespace LocalPlus.Tests.Unit.Ledger;

/// <summary>Points and what they are worth are booked together and taken back together.</summary>
public sealed class LinkedReversalTests
{
    private readonly SmallBooks books = new();
    private readonly Account pool;
    private readonly Account member;
    private readonly Account expense;
    private readonly Account liability;

    public LinkedReversalTests() =>
        (pool, member, expense, liability) = (
            books.Open(-300, "PTS:club", floor: null),
            books.Open(300, "PTS:club"),
            books.Open(-100, floor: null),
            books.Open(100, floor: null)
        );

    [Fact]
    public void Fault_12_points_taken_back_in_parts_take_their_value_along()
    {
        var earned = Earned();

        foreach (var points in (long[])[1, 99, 7, 43, 149])
        {
            Reverse(earned, Points(points));
            // Never more than a cent apart, and never in the points' favour.
            Assert.InRange(liability.Posted - (member.Posted * 100 / 300m), 0, 1);
        }

        Reverse(earned, Points(1));
        Assert.Equal((0L, 0L, 0L, 0L), (pool.Posted, member.Posted, expense.Posted, liability.Posted));
        Assert.Equal([300L, 100L], earned.Reversed);
    }

    [Fact]
    public void Fault_12_value_does_not_go_back_without_its_points()
    {
        var earned = Earned();

        Refuses(earned, Value(10));
        Refuses(earned, Points(30), Value(11));
        Reverse(earned, Points(30), Value(10));

        Assert.Equal((270L, 90L), (member.Posted, liability.Posted));
    }

    [Fact]
    public void Fault_12_what_an_earlier_release_let_apart_comes_together_again()
    {
        var apart = Earned(150, 0);

        Reverse(apart, Points(150));

        Assert.Equal([300L, 100L], apart.Reversed);
    }

    [Fact]
    public void Fault_12_more_value_than_was_due_before_is_not_taken_again()
    {
        var apart = Earned(0, 100);

        Reverse(apart, Points(30));

        Assert.Equal([30L, 100L], apart.Reversed);
    }

    [Fact]
    public void Postings_that_only_came_in_one_transaction_go_back_as_they_are_named()
    {
        var pair = Earned(isLinked: false);

        Reverse(pair, Points(300));

        Assert.Equal((0L, 100L), (member.Posted, liability.Posted));
        Assert.Equal([300L, 0L], pair.Reversed);
    }

    [Fact]
    public void Earning_and_burning_are_linked_and_nothing_else_is() =>
        Assert.Equal([true, true, false], new[] { "earn", "burn", "load" }.Select(Transaction.IsLinked));

    private Original Earned(long pointsBack = 0, long valueBack = 0, bool isLinked = true)
    {
        var original = new Original([pointsBack, valueBack])
        {
            Id = TransactionId.New(TimeProvider.System),
            MerchantId = books.Merchant,
            IsReversal = false,
            IsLinked = isLinked,
            Postings = [new Posting(pool.Id, member.Id, 300), new Posting(expense.Id, liability.Id, 100)],
        };
        books.Book.Add(original);
        return original;
    }

    private Posting Points(long amount) => new(member.Id, pool.Id, amount);

    private Posting Value(long amount) => new(liability.Id, expense.Id, amount);

    private void Reverse(Original original, params Posting[] postings) => books.Do(Reversal(original, postings));

    private void Refuses(Original original, params Posting[] postings) =>
        books.Refuses("postings_linked", Reversal(original, postings));

    private ReverseTransaction Reversal(Original original, Posting[] postings) =>
        new(books.Merchant, original.Id, new Header(null, "reversal"), postings);
}
