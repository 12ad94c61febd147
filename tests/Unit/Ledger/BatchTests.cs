using LocalPlus.Kernel;
using LocalPlus.Ledger.Books;
using LocalPlus.Ledger.Operations;

namespace LocalPlus.Tests.Unit.Ledger;

/// <summary>
/// Several commands on the book of one batch, which knows no account and no reference but those they said they need:
/// each is done whole or not at all, and what one came to costs no other anything.
/// </summary>
public sealed class BatchTests
{
    private static readonly DateTimeOffset Now = new(2026, 1, 10, 12, 0, 0, TimeSpan.Zero);
    private readonly MerchantId merchant = MerchantId.New(TimeProvider.System);
    private readonly Dictionary<AccountId, Account> accounts = [];
    private readonly TransactionId committed = TransactionId.New(TimeProvider.System);
    private readonly Account clearing;
    private readonly Account card;
    private readonly Account payable;

    public BatchTests() => (clearing, card, payable) = (Open(floor: null), Open(), Open());

    [Fact]
    public void A_bulk_posts_each_of_its_transactions_in_their_order()
    {
        var bulk = Bulk(Load(100, "load"), Spend(60, "first"), Spend(40, null));
        var book = BookFor(bulk);

        var many = (Result.Many)book.Try(bulk.Apply);

        Assert.Equal(["load", "first", null], many.Results.Select(posted => posted.Transaction.Header.Reference));
        Assert.Equal(book.Transactions, many.Results.Select(posted => posted.Transaction));
        Assert.Equal((-100L, 0L, 100L), (clearing.Posted, card.Posted, payable.Posted));
    }

    [Fact]
    public void A_bulk_is_refused_whole_and_says_for_which_of_its_transactions()
    {
        var bulk = Bulk(Load(100, "load"), Spend(101, "spend"));

        var refusal = Refuses("insufficient_balance", BookFor(bulk), bulk);

        Assert.Equal(new FieldError("/items/1", "insufficient_balance"), refusal.Errors.Single());
        Assert.Equal(100L, refusal.Extensions!["available"]);
        Assert.All(accounts.Values, account => Assert.False(account.IsChanged));
    }

    [Fact]
    public void A_bulk_is_refused_for_a_reference_that_one_of_its_transactions_repeats()
    {
        var (repeats, twice) = (Bulk(Load(1, "fresh"), Load(1, "committed")), Bulk(Load(1, "twice"), Load(1, "twice")));
        var book = BookFor(repeats, twice);

        Refuses("reference_reused", book, repeats);
        Refuses("reference_reused", book, twice);
        Assert.Equal(0, card.Posted);
    }

    [Fact]
    public void A_refused_command_is_taken_back_alone()
    {
        Operation[] commands =
        [
            Load(100, "load"),
            Bulk(Spend(60, "one"), Spend(60, "other")),
            Spend(30, "spend"),
            Bulk(Spend(1, null), Spend(70, null)),
            Spend(70, null),
        ];
        var book = BookFor(commands);

        book.Try(commands[0].Apply);
        Refuses("insufficient_balance", book, commands[1]);
        book.Try(commands[2].Apply);
        Refuses("insufficient_balance", book, commands[3]);
        book.Try(commands[4].Apply);

        Assert.Equal([100L, 30L, 70L], book.Transactions.Select(transaction => transaction.Postings.Single().Amount));
        Assert.Equal((0L, 3L, 100L, 2L), (card.Posted, card.State.Sequence, payable.Posted, payable.State.Sequence));
    }

    [Fact]
    public void What_a_refused_command_or_a_rehearsal_was_called_is_free_again()
    {
        var (bulk, load, spend) = (Bulk(Load(100, "load"), Spend(101, "spend")), Load(100, "load"), Spend(10, "spend"));
        var (declined, redeem) = (Redeem(10, "redeem", Open(ceiling: 5)), Redeem(10, "redeem", payable));
        var book = BookFor(bulk, load, spend, declined, redeem);

        Refuses("insufficient_balance", book, bulk);
        book.Rehearse(load.Apply);
        book.Try(load.Apply);
        book.Rehearse(spend.Apply);
        book.Try(spend.Apply);
        Refuses("limit_exceeded", book, declined);
        book.Rehearse(redeem.Apply);
        book.Try(redeem.Apply);

        Assert.Equal((80L, 20L), (card.Posted, payable.Posted));
        Assert.Single(book.Holds);
    }

    [Fact]
    public void A_hold_that_is_captured_at_once_takes_a_reference_that_no_transaction_has()
    {
        var (load, again, redeem) = (Load(10, "load"), Redeem(11, "load", payable), Redeem(11, "committed", payable));
        var book = BookFor(load, again, redeem);

        book.Try(load.Apply);

        // Not that the card has too little by now: whoever repeats what is done learns that it is done.
        Refuses("reference_reused", book, again);
        Assert.Contains(
            committed.ToString(),
            Refuses("reference_reused", book, redeem).Detail,
            StringComparison.Ordinal
        );
        Assert.Empty(book.Holds);
    }

    [Fact]
    public void A_hold_that_only_reserves_may_be_called_as_a_transaction_is()
    {
        var (load, hold) = (Load(10, "load"), Hold(10, "load", new HoldSource(card.Id, null)));
        var book = BookFor(load, hold);

        book.Try(load.Apply);
        book.Try(hold.Apply);

        Assert.Equal((10L, 0L), (card.Held, card.Available));
    }

    [Fact]
    public void No_more_is_held_than_there_is_though_an_account_be_named_twice()
    {
        var source = new HoldSource(card.Id, 60);
        var (load, hold) = (Load(100, null), Hold(120, "twice", source, source));
        var book = BookFor(load, hold);
        book.Try(load.Apply);

        var refusal = Refuses("insufficient_balance", book, hold);

        Assert.Equal(40L, refusal.Extensions!["available"]);
        Assert.Equal((0L, 100L), (card.Held, card.Available));
    }

    [Fact]
    public void Nothing_of_a_hold_is_captured_before_its_capture()
    {
        var (load, place, redeem) = (
            Load(100, null),
            Hold(10, "hold", new HoldSource(card.Id, null)),
            Redeem(20, "redeem", payable)
        );
        var book = BookFor(load, place, redeem);
        book.Try(load.Apply);

        var (held, captured) = (((Result.Held)book.Try(place.Apply)).Hold, ((Result.Held)book.Try(redeem.Apply)).Hold);

        Assert.Equal((10L, 0L), (held.Held, held.Captured));
        Assert.Equal((20L, 20L), (captured.Held, captured.Captured));
        Assert.Equal((80L, 10L), (card.Posted, card.Held));
    }

    [Fact]
    public void Every_change_of_an_account_is_its_next_revision()
    {
        var (load, place) = (Load(100, null), Hold(10, "h", new HoldSource(card.Id, null)));
        var book = BookFor(load, place);

        book.Try(load.Apply);
        Assert.Equal(2, card.State.Revision);
        var hold = ((Result.Held)book.Try(place.Apply)).Hold;
        Assert.Equal(3, card.State.Revision);
        book.Try(new ReleaseHold(merchant, hold.Id).Apply);
        Assert.Equal(4, card.State.Revision);
    }

    [Fact]
    public void A_reversal_that_names_a_posting_twice_takes_back_no_more_than_is_left_of_it()
    {
        card.State = card.State with { Posted = 200 };
        var original = new Original([0])
        {
            Id = committed,
            MerchantId = merchant,
            IsReversal = false,
            Postings = Load(100, null).Postings,
        };
        var (back, rest) = (new Posting(card.Id, clearing.Id, 70), new Posting(card.Id, clearing.Id, 30));
        var book = BookFor(Load(1, null));
        book.Add(original);

        Refuses("reversal_exceeds_original", book, Reverse(back, back));
        Assert.Equal(200, card.Posted);
        book.Try(Reverse(back, rest).Apply);

        Assert.Equal([100L], original.Reversed);
        Assert.Equal(100, card.Posted);
    }

    private static FaultException Refuses(string code, Book book, Operation operation)
    {
        var refusal = Assert.Throws<FaultException>(() => book.Try(operation.Apply));
        Assert.Equal(code, refusal.Fault.Code);
        return refusal;
    }

    private PostTransaction Load(long amount, string? reference) => Move(clearing, card, amount, reference);

    private PostTransaction Spend(long amount, string? reference) => Move(card, payable, amount, reference);

    private PostTransaction Move(Account source, Account destination, long amount, string? reference) =>
        new(merchant, new Header(reference, "test"), [new Posting(source.Id, destination.Id, amount)]);

    private PostTransactions Bulk(params PostTransaction[] items) => new(merchant, items);

    private PlaceHold Hold(long amount, string reference, params HoldSource[] sources) =>
        new(merchant, reference, amount, sources, false, Now.AddMinutes(5), null, null);

    private PlaceHold Redeem(long amount, string reference, Account destination) =>
        new(
            merchant,
            reference,
            amount,
            [new HoldSource(card.Id, null)],
            false,
            null,
            new Capture(destination.Id, []),
            null
        );

    private ReverseTransaction Reverse(params Posting[] parts) =>
        new(merchant, committed, new Header(null, "reversal"), parts);

    /// <summary>The batch's book; "committed" is the reference of a transaction that is there already.</summary>
    private Book BookFor(params Operation[] operations)
    {
        var (book, needs) = (new Book(Now), new Needs());
        foreach (var operation in operations)
        {
            operation.Collect(needs);
        }

        foreach (var id in needs.Accounts)
        {
            book.Add(accounts[new AccountId(id)]);
        }

        if (needs.TransactionReferences.Contains((merchant, "committed")))
        {
            book.AddTransactionReference(merchant, "committed", committed);
        }

        return book;
    }

    private Account Open(long? floor = 0, long? ceiling = null)
    {
        var account = new Account(new AccountState(0, 0, 0, 1, Now))
        {
            Id = AccountId.New(TimeProvider.System),
            MerchantId = merchant,
            Name = "a",
            Asset = "EUR",
            Floor = floor,
            Ceiling = ceiling,
            Status = AccountStatus.Open,
        };
        accounts.Add(account.Id, account);
        return account;
    }
}
