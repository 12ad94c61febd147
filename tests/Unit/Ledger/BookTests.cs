using LocalPlus.Kernel;
using LocalPlus.Ledger.Books;
using LocalPlus.Ledger.Operations;

namespace LocalPlus.Tests.Unit.Ledger;

/// <summary>The double-entry rules, on a book in memory.</summary>
public sealed class BookTests
{
    private static readonly DateTimeOffset Now = new(2026, 1, 10, 12, 0, 0, TimeSpan.Zero);
    private readonly MerchantId merchant = MerchantId.New(TimeProvider.System);
    private readonly Book book = new(Now);

    [Fact]
    public void A_posting_makes_two_entries_that_cancel_out()
    {
        var (from, to) = (Open(floor: null), Open());

        var transaction = Post("r1", new Posting(from.Id, to.Id, 100));

        Assert.Equal([-100L, 100L], transaction.Entries.Select(entry => entry.Amount));
        Assert.Equal((-100L, 100L), (from.Posted, to.Posted));
        Assert.Equal((1L, 1L), (from.State.Sequence, to.State.Sequence));
    }

    [Fact]
    public void A_refused_operation_leaves_no_trace()
    {
        var (clearing, card) = (Open(floor: null), Open(posted: 100));

        Refuses(
            "insufficient_balance",
            () => Post("r2", new Posting(card.Id, clearing.Id, 60), new Posting(card.Id, clearing.Id, 41))
        );

        Assert.False(card.IsChanged);
        Assert.False(clearing.IsChanged);
        Assert.Empty(book.Transactions);
        Assert.Equal(0, Post("r2", new Posting(card.Id, clearing.Id, 100)).Entries[0].BalanceAfter);
    }

    [Fact]
    public void A_rehearsal_answers_and_changes_nothing()
    {
        var (clearing, card) = (Open(floor: null), Open());

        var entry = book.Rehearse(b =>
            b.Post(merchant, new Header("r3", "load"), [new Posting(clearing.Id, card.Id, 5)])
        ).Entries[1];

        Assert.Equal(5, entry.BalanceAfter);
        Assert.Equal(0, card.Posted);
        Assert.Empty(book.Transactions);
    }

    [Fact]
    public void Value_that_only_passes_through_an_account_may_exceed_it()
    {
        var (clearing, card, payable) = (Open(floor: null), Open(), Open());

        Post("r4", new Posting(card.Id, payable.Id, 50), new Posting(clearing.Id, card.Id, 50));

        Assert.Equal((0L, 50L), (card.Posted, payable.Posted));
    }

    [Fact]
    public void A_floor_below_zero_is_an_overdraft_and_a_ceiling_a_limit()
    {
        var (clearing, credit, capped) = (Open(floor: null), Open(floor: -30), Open(ceiling: 40));

        Post("r5", new Posting(credit.Id, clearing.Id, 30));
        Refuses("insufficient_balance", () => Post("r6", new Posting(credit.Id, clearing.Id, 1)));
        Post("r7", new Posting(clearing.Id, capped.Id, 40));
        Refuses("limit_exceeded", () => Post("r8", new Posting(clearing.Id, capped.Id, 1)));
    }

    [Fact]
    public void Assets_do_not_mix_and_foreign_accounts_are_not_found()
    {
        var (euros, dollars) = (Open(floor: null), Open(floor: null, asset: "USD"));

        Refuses("currency_mismatch", () => Post("r9", new Posting(euros.Id, dollars.Id, 1)));
        Refuses("not_found", () => Post("r10", new Posting(euros.Id, AccountId.New(TimeProvider.System), 1)));
    }

    [Theory]
    [InlineData("Frozen", "account_frozen")]
    [InlineData("Closed", "account_closed")]
    public void An_account_that_is_not_open_takes_nothing_and_gives_nothing(string status, string code)
    {
        var (clearing, shut) = (Open(floor: null), Open(posted: 10, status: Enum.Parse<AccountStatus>(status)));

        Refuses(code, () => Post("r11", new Posting(clearing.Id, shut.Id, 1)));
        Refuses(code, () => Post("r12", new Posting(shut.Id, clearing.Id, 1)));
    }

    [Fact]
    public void A_reference_is_used_once()
    {
        var (clearing, card) = (Open(floor: null), Open());
        book.AddTransactionReference(merchant, "old", TransactionId.New(TimeProvider.System));

        Post("new", new Posting(clearing.Id, card.Id, 1));

        Refuses("reference_reused", () => Post("new", new Posting(clearing.Id, card.Id, 1)));
        Refuses("reference_reused", () => Post("old", new Posting(clearing.Id, card.Id, 1)));
    }

    [Fact]
    public void An_entry_is_never_recorded_before_its_predecessor()
    {
        var (clearing, card) = (Open(floor: null), Open(changedAt: Now.AddHours(1)));

        Assert.Equal(Now.AddHours(1), Post("r13", new Posting(clearing.Id, card.Id, 1)).RecordedAt);
    }

    [Fact]
    public void Reversals_in_parts_never_take_back_more_than_was_posted()
    {
        var (clearing, card) = (Open(floor: null), Open(posted: 1000));
        var original = new Original([0])
        {
            Id = TransactionId.New(TimeProvider.System),
            MerchantId = merchant,
            IsReversal = false,
            Postings = [new Posting(clearing.Id, card.Id, 1000)],
        };
        book.Add(original);

        Reverse(original, "p1", new Posting(card.Id, clearing.Id, 700));
        Refuses("reversal_exceeds_original", () => Reverse(original, "p2", new Posting(card.Id, clearing.Id, 301)));
        Reverse(original, "p3");
        Refuses("reversal_exceeds_original", () => Reverse(original, "p4"));

        Assert.Equal(0, card.Posted);
        Assert.Equal([1000L], original.Reversed);
    }

    [Fact]
    public void A_lower_capture_of_a_frozen_account_s_hold_frees_the_rest()
    {
        var (card, payable) = (Open(posted: 100), Open());
        var place = new PlaceHold(
            merchant,
            "h1",
            80,
            [new HoldSource(card.Id, 80)],
            false,
            Now.AddMinutes(5),
            null,
            null
        );
        var hold = ((Result.Held)book.Try(place.Apply)).Hold;
        Assert.Equal((80L, 20L), (card.Held, card.Available));
        var later = new Book(Now);
        var frozen = Copy(card, AccountStatus.Frozen);
        later.Add(frozen);
        later.Add(payable);
        later.Add(
            new Hold(hold.Progress, isNew: false)
            {
                Id = hold.Id,
                MerchantId = merchant,
                Reference = "h1",
                Asset = "EUR",
                Requested = 80,
                Metadata = null,
                PlacedAt = Now,
            }
        );

        later.Try(new CaptureHold(merchant, hold.Id, 30, "c1", new Capture(payable.Id, []), null).Apply);

        Assert.Equal((70L, 0L, 30L), (frozen.Posted, frozen.Held, payable.Posted));
        Assert.Equal(
            "hold_not_pending",
            Assert.Throws<FaultException>(() => later.Try(new ReleaseHold(merchant, hold.Id).Apply)).Fault.Code
        );
    }

    [Fact]
    public void Entries_are_named_after_their_transaction()
    {
        var id = Transaction.NewId(Now);

        Assert.Equal(4, Enumerable.Range(0, 4).Select(line => Transaction.EntryId(id, line)).Distinct().Count());
        Assert.NotEqual(id.Value, Transaction.EntryId(id, 0).Value);
    }

    private static Account Copy(Account account, AccountStatus status) =>
        new(account.State)
        {
            Id = account.Id,
            MerchantId = account.MerchantId,
            Name = account.Name,
            Asset = account.Asset,
            Floor = account.Floor,
            Status = status,
        };

    private static void Refuses(string code, Action action) =>
        Assert.Equal(code, Assert.Throws<FaultException>(action).Fault.Code);

    private Transaction Post(string reference, params Posting[] postings) =>
        book.Try(b => b.Post(merchant, new Header(reference, "test"), postings));

    private void Reverse(Original original, string reference, params Posting[] postings) =>
        book.Try(new ReverseTransaction(merchant, original.Id, new Header(reference, "reversal"), postings).Apply);

    private Account Open(
        long posted = 0,
        long? floor = 0,
        long? ceiling = null,
        AccountStatus status = AccountStatus.Open,
        string asset = "EUR",
        DateTimeOffset? changedAt = null
    )
    {
        var account = new Account(new AccountState(posted, 0, 0, 1, changedAt ?? Now))
        {
            Id = AccountId.New(TimeProvider.System),
            MerchantId = merchant,
            Name = "a",
            Asset = asset,
            Floor = floor,
            Ceiling = ceiling,
            Status = status,
        };
        book.Add(account);
        return account;
    }
}
