using LocalPlus.Kernel;
using LocalPlus.Ledger.Books;
using LocalPlus.Ledger.Operations;

namespace LocalPlus.Tests.Unit.Ledger;

/// <summary>
/// What somebody would try who wants to break the books: the edges of amounts, times, limits and states.
/// </summary>
public sealed class RuleTests
{
    private const long Most = Money.Limit - 1;
    private static readonly DateTimeOffset Now = new(2026, 1, 10, 12, 0, 0, TimeSpan.Zero);
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Moment = TimeSpan.FromMilliseconds(1);
    private readonly MerchantId merchant = MerchantId.New(TimeProvider.System);
    private readonly Dictionary<AccountId, Account> accounts = [];

    [Fact]
    public void A_balance_reaches_the_end_of_the_range_and_not_one_further()
    {
        var (clearing, card, credit) = (Open(floor: null), Open(), Open());
        var book = Book(Now);

        Post(book, new Posting(clearing.Id, card.Id, Most));
        Refuses("limit_exceeded", () => Post(book, new Posting(clearing.Id, credit.Id, 1)));
        Assert.Equal((-Most, Most), (clearing.Posted, card.Posted));
    }

    [Fact]
    public void What_only_passes_through_may_not_leave_the_range_either()
    {
        var (from, to) = (Open(floor: null), Open(floor: null));

        Refuses(
            "limit_exceeded",
            () =>
                Post(
                    Book(Now),
                    new Posting(from.Id, to.Id, Most),
                    new Posting(from.Id, to.Id, Most),
                    new Posting(to.Id, from.Id, Most)
                )
        );
        Assert.False(from.IsChanged);
    }

    [Fact]
    public void The_stripes_of_an_account_stay_in_the_range_together()
    {
        var (clearing, striped) = (Open(floor: null), Open(floor: null, striped: true, elsewhere: Most));

        Refuses("limit_exceeded", () => Post(Book(Now), new Posting(clearing.Id, striped.Id, 1)));
    }

    [Fact]
    public void A_stripe_stays_in_the_range_whatever_the_others_make_up_for()
    {
        var (clearing, striped) = (Open(floor: null), Open(posted: Most, floor: null, striped: true, elsewhere: -5));

        Refuses("limit_exceeded", () => Post(Book(Now), new Posting(clearing.Id, striped.Id, 1)));
    }

    [Fact]
    public void What_is_held_stays_in_the_range_even_where_more_is_posted()
    {
        var clearing = Open(posted: 5, floor: null);
        var book = Book(Now);

        Place(book, "first", Most, clearing);
        Refuses("limit_exceeded", () => Place(book, "second", 1, clearing));
    }

    [Fact]
    public void Nobody_finds_what_is_another_merchants()
    {
        var (card, other) = (Open(posted: 10), MerchantId.New(TimeProvider.System));
        var hold = Place(Book(Now), "h", 5, card);
        var book = Again(Now, hold);
        var original = new Original([0])
        {
            Id = TransactionId.New(TimeProvider.System),
            MerchantId = merchant,
            IsReversal = false,
            Postings = [],
        };
        book.Add(original);

        Refuses("not_found", () => book.Account(other, card.Id));
        Refuses("not_found", () => book.Hold(other, hold.Id));
        Refuses("not_found", () => book.Original(other, original.Id));
        Refuses("not_found", () => book.Hold(merchant, HoldId.New(TimeProvider.System)));
        Assert.Same(original, book.Original(merchant, original.Id));
    }

    [Fact]
    public void An_entry_is_never_recorded_before_what_its_source_did_last()
    {
        var (source, destination) = (Open(posted: 10), Open());
        source.State = source.State with { ChangedAt = Now.AddHours(1) };

        Assert.Equal(Now.AddHours(1), Post(Book(Now), new Posting(source.Id, destination.Id, 1)).RecordedAt);
    }

    [Fact]
    public void A_hold_that_is_refused_says_how_much_there_would_be()
    {
        var (one, other) = (Open(posted: 30), Open(posted: 12));
        var place = new PlaceHold(
            merchant,
            "h",
            100,
            [new HoldSource(one.Id, 20), new HoldSource(other.Id, null)],
            false,
            Now.AddMinutes(5),
            null,
            null
        );

        var refusal = Assert.Throws<FaultException>(() => Book(Now).Try(place.Apply));

        Assert.Equal(32L, refusal.Extensions!["available"]);
    }

    [Fact]
    public void A_book_tells_the_writer_which_holds_are_new_and_which_have_changed()
    {
        var card = Open(posted: 100);
        var hold = Place(Book(Now), "h", 10, card);
        Assert.Equal((true, false), (hold.IsNew, hold.IsChanged));

        var again = Again(Now, hold);
        Assert.Equal((false, false), (again.Holds.Single().IsNew, again.Holds.Single().IsChanged));
        again.Try(new ReleaseHold(merchant, hold.Id).Apply);
        Assert.True(again.Holds.Single().IsChanged);
    }

    [Fact]
    public void An_entrys_id_is_its_transactions_with_the_line_in_its_last_byte()
    {
        var id = Transaction.NewId(Now);
        var (transaction, entry) = (
            id.Value.ToByteArray(bigEndian: true),
            Transaction.EntryId(id, 6).Value.ToByteArray(bigEndian: true)
        );

        Assert.Equal((7, 0), (id.Value.Version, transaction[^1]));
        Assert.Equal(7, entry[^1]);
        Assert.Equal(transaction[..^1], entry[..^1]);
    }

    [Fact]
    public void Holds_on_an_unbounded_account_stay_in_the_range()
    {
        var clearing = Open(floor: null);
        var book = Book(Now);

        Place(book, "first", Most, clearing);
        Refuses("limit_exceeded", () => Place(book, "second", 1, clearing));
        Assert.Equal(Most, clearing.Held);
    }

    [Fact]
    public void A_posting_counts_what_is_held_against_the_range()
    {
        var (clearing, card) = (Open(floor: null), Open());
        var book = Book(Now);
        Place(book, "held", Most, clearing);

        Refuses("limit_exceeded", () => Post(book, new Posting(clearing.Id, card.Id, 1)));
    }

    [Fact]
    public void A_capture_spends_what_a_frozen_account_reserved_and_not_a_cent_beside_it()
    {
        var (card, payable) = (Open(posted: 100), Open());
        var hold = Place(Book(Now), "h", 10, card);
        var later = Book(Now, AccountStatus.Frozen, hold, card);

        Refuses("account_frozen", () => later.Try(Capture(hold, payable, new Posting(card.Id, payable.Id, 90)).Apply));
        later.Try(Capture(hold, payable).Apply);

        Assert.Equal(10, payable.Posted);
    }

    [Fact]
    public void A_capture_goes_on_to_further_accounts_in_the_same_transaction()
    {
        var (card, payable, fees) = (Open(posted: 100), Open(), Open());
        var hold = Place(Book(Now), "h", 100, card);

        Again(Now, hold).Try(Capture(hold, payable, new Posting(payable.Id, fees.Id, 3)).Apply);

        Assert.Equal((0L, 97L, 3L), (Current(card).Posted, Current(payable).Posted, Current(fees).Posted));
    }

    [Fact]
    public void Capture_wins_until_the_last_moment_of_grace_and_expiry_from_the_next_on()
    {
        var (card, payable) = (Open(posted: 100), Open());
        var hold = Place(Book(Now), "h", 10, card);
        var end = hold.Progress.ExpiresAt + Grace;

        Refuses("hold_not_pending", () => Again(end - Moment, hold).Try(new ExpireHold(merchant, hold.Id).Apply));
        Refuses("hold_expired", () => Again(end, hold).Try(Capture(hold, payable).Apply));
        Again(end - Moment, hold).Rehearse(Capture(hold, payable).Apply);
        Again(end, hold).Try(new ExpireHold(merchant, hold.Id).Apply);
    }

    [Fact]
    public void An_extension_comes_before_the_end_and_reaches_thirty_days_at_most()
    {
        var card = Open(posted: 100);
        var hold = Place(Book(Now), "h", 10, card);
        var end = hold.Progress.ExpiresAt;

        Refuses("hold_expired", () => Again(end, hold).Try(new ExtendHold(merchant, hold.Id, end.AddDays(1)).Apply));
        Again(Now, hold).Rehearse(new ExtendHold(merchant, hold.Id, end - Moment).Apply);
        Refuses(
            "limit_exceeded",
            () => Again(Now, hold).Try(new ExtendHold(merchant, hold.Id, Now.AddDays(30) + Moment).Apply)
        );
        Again(end - Moment, hold).Rehearse(new ExtendHold(merchant, hold.Id, end + Moment).Apply);
        Again(Now, hold).Rehearse(new ExtendHold(merchant, hold.Id, Now.AddDays(30)).Apply);
    }

    [Fact]
    public void A_hold_ends_in_the_future_and_within_thirty_days()
    {
        var card = Open(posted: 100);

        Refuses("hold_expired", () => Place(Book(Now), "now", 10, card, Now));
        Refuses("limit_exceeded", () => Place(Book(Now), "late", 10, card, Now.AddDays(30) + Moment));
        Place(Book(Now), "longest", 10, card, Now.AddDays(30));
        Place(Book(Now), "shortest", 10, card, Now + Moment);
    }

    [Fact]
    public void A_reference_names_one_hold_also_within_a_batch()
    {
        var card = Open(posted: 100);
        var book = Book(Now);
        Place(book, "twice", 10, card);

        Refuses("reference_reused", () => Place(book, "twice", 10, card));
        Assert.Equal(10, card.Held);
    }

    [Fact]
    public void A_released_hold_frees_what_it_reserved_and_is_over()
    {
        var card = Open(posted: 100);
        var hold = Place(Book(Now), "h", 100, card);

        Assert.Equal((100L, 0L), (card.Held, card.Available));
        var book = Again(Now, hold);
        var released = ((Result.Held)book.Try(new ReleaseHold(merchant, hold.Id).Apply)).Hold;

        Assert.Equal((HoldState.Released, 2L), (released.Progress.State, released.Progress.Version));
        Assert.Equal((0L, 100L), (Current(card).Held, Current(card).Available));
        Refuses("hold_not_pending", () => book.Try(new ReleaseHold(merchant, hold.Id).Apply));
    }

    [Fact]
    public void A_reversal_is_not_reversed()
    {
        var (clearing, card) = (Open(floor: null), Open(posted: 10));
        var book = Book(Now);
        var reversal = new Original([0])
        {
            Id = TransactionId.New(TimeProvider.System),
            MerchantId = merchant,
            IsReversal = true,
            Postings = [new Posting(clearing.Id, card.Id, 10)],
        };
        book.Add(reversal);

        Refuses(
            "reversal_exceeds_original",
            () => book.Try(new ReverseTransaction(merchant, reversal.Id, new Header(null, "reversal"), []).Apply)
        );
    }

    [Fact]
    public void A_reversal_takes_from_several_equal_postings_what_is_left_of_them_together()
    {
        var (clearing, card) = (Open(floor: null), Open(posted: 30));
        var book = Book(Now);
        var original = new Original([4, 0])
        {
            Id = TransactionId.New(TimeProvider.System),
            MerchantId = merchant,
            IsReversal = false,
            Postings = [new Posting(clearing.Id, card.Id, 10), new Posting(clearing.Id, card.Id, 20)],
        };
        book.Add(original);
        var back = new Posting(card.Id, clearing.Id, 20);

        Refuses("reversal_exceeds_original", () => Reverse(book, original, back with { Amount = 27 }));
        Refuses("reversal_exceeds_original", () => Reverse(book, original, new Posting(clearing.Id, card.Id, 1)));
        Reverse(book, original, back);

        Assert.Equal([10L, 14L], original.Reversed);
        Assert.Equal(10, card.Posted);
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

    private Transaction Post(Book book, params Posting[] postings) =>
        book.Try(b => b.Post(merchant, new Header(null, "test"), postings));

    private void Reverse(Book book, Original original, Posting part) =>
        book.Try(new ReverseTransaction(merchant, original.Id, new Header(null, "reversal"), [part]).Apply);

    private CaptureHold Capture(Hold hold, Account destination, params Posting[] further) =>
        new(merchant, hold.Id, null, null, new Capture(destination.Id, further), null);

    private Hold Place(Book book, string reference, long amount, Account source, DateTimeOffset? until = null) =>
        (
            (Result.Held)
                book.Try(
                    new PlaceHold(
                        merchant,
                        reference,
                        amount,
                        [new HoldSource(source.Id, null)],
                        false,
                        until ?? Now.AddMinutes(5),
                        null,
                        null
                    ).Apply
                )
        ).Hold;

    private Account Current(Account account) => accounts[account.Id];

    /// <summary>A book over the accounts of this test as they are.</summary>
    private Book Book(DateTimeOffset now)
    {
        var book = new Book(now);
        accounts.Values.ToList().ForEach(book.Add);
        return book;
    }

    /// <summary>The book of a later batch: with the hold as it was loaded, and fresh copies of the accounts.</summary>
    private Book Again(DateTimeOffset now, Hold hold) => Book(now, AccountStatus.Open, hold, null);

    private Book Book(DateTimeOffset now, AccountStatus status, Hold hold, Account? of)
    {
        var book = new Book(now);
        foreach (var account in accounts.Values.ToList())
        {
            var copy =
                account == of
                    ? new Account(account.State)
                    {
                        Id = account.Id,
                        MerchantId = merchant,
                        Name = "a",
                        Asset = "EUR",
                        Floor = account.Floor,
                        Status = status,
                    }
                    : account;
            accounts[account.Id] = copy;
            book.Add(copy);
        }

        book.Add(
            new Hold(hold.Progress, isNew: false)
            {
                Id = hold.Id,
                MerchantId = merchant,
                Reference = hold.Reference,
                Asset = "EUR",
                Requested = hold.Requested,
                Metadata = null,
                PlacedAt = Now,
            }
        );
        return book;
    }

    private Account Open(long posted = 0, long? floor = 0, bool striped = false, long elsewhere = 0)
    {
        var account = new Account(new AccountState(posted, 0, 0, 1, Now))
        {
            Id = AccountId.New(TimeProvider.System),
            MerchantId = merchant,
            Name = "a",
            Asset = "EUR",
            Floor = floor,
            Status = AccountStatus.Open,
            Striped = striped,
            Stripe = (short)(striped ? 1 : 0),
            Elsewhere = elsewhere,
        };
        accounts.Add(account.Id, account);
        return account;
    }
}
