using LocalPlus.Kernel;
using LocalPlus.Ledger.Books;
using LocalPlus.Ledger.Operations;

namespace LocalPlus.Tests.Unit.Ledger;

/// <summary>What a service opened is changed by that service alone.</summary>
public sealed class OwnerTests
{
    private static readonly Caller Giftcard = Caller.Service("giftcard");
    private readonly SmallBooks books = new();
    private readonly Account card;
    private readonly Account own;
    private readonly Account till;

    public OwnerTests() =>
        (card, own, till) = (
            books.Open(1_000, owner: "giftcard"),
            books.Open(1_000),
            books.Open(floor: null, owner: "giftcard")
        );

    [Fact]
    public void Fault_03_a_merchant_neither_fills_nor_empties_what_a_service_opened()
    {
        books.Refuses("owned_by_service", Post(own, card));
        books.Refuses("owned_by_service", Post(card, own));
        books.Refuses("owned_by_service", new PostTransactions(books.Merchant, [Post(own, card)]));
        books.Refuses("owned_by_service", Hold("h", card));
        books.Refuses("owned_by_service", Spend(own, till));

        Assert.Equal((1_000L, 1_000L, 0L, 0L), (card.Posted, own.Posted, card.Held, till.Posted));
        Assert.Empty(books.Book.Transactions);
    }

    [Fact]
    public void Fault_03_holds_are_settled_by_whose_accounts_they_are_on()
    {
        var hold = ((Result.Held)books.Do(Hold("h", card) with { Caller = Giftcard })).Hold;
        var capture = new CaptureHold(books.Merchant, hold.Id, null, null, new Capture(own.Id, []), null);

        books.Refuses("owned_by_service", capture);
        books.Refuses("owned_by_service", new ReleaseHold(books.Merchant, hold.Id));
        books.Refuses("owned_by_service", new ExtendHold(books.Merchant, hold.Id, SmallBooks.Now.AddDays(1)));
        Assert.Equal(HoldState.Pending, hold.Progress.State);

        books.Do(capture with { Caller = Giftcard });
        Assert.Equal((HoldState.Captured, 1_010L), (hold.Progress.State, own.Posted));
    }

    [Fact]
    public void Fault_03_transactions_are_reversed_by_whose_accounts_they_touched()
    {
        var original = new Original([0])
        {
            Id = TransactionId.New(TimeProvider.System),
            MerchantId = books.Merchant,
            IsReversal = false,
            Postings = [new Posting(own.Id, card.Id, 10)],
        };
        books.Book.Add(original);
        var reversal = new ReverseTransaction(books.Merchant, original.Id, new Header(null, "reversal"), []);

        books.Refuses("owned_by_service", reversal);
        books.Refuses("owned_by_service", reversal with { Caller = Caller.Service("wallet") });
        books.Do(reversal with { Caller = Giftcard });

        Assert.Equal((1_010L, 990L), (own.Posted, card.Posted));
    }

    [Fact]
    public void The_ledger_itself_ends_every_hold()
    {
        var hold = ((Result.Held)books.Do(Hold("h", card) with { Caller = Giftcard })).Hold;
        var book = new Book(hold.Progress.ExpiresAt.AddMinutes(1));
        book.Add(card);
        book.Add(hold);

        Assert.Throws<FaultException>(() => book.Try(new ExpireHold(books.Merchant, hold.Id).Decide));
        book.Try((new ExpireHold(books.Merchant, hold.Id) with { Caller = Caller.Ledger }).Decide);

        Assert.Equal(HoldState.Expired, hold.Progress.State);
    }

    [Fact]
    public void Whose_an_account_is_is_not_told_to_another_merchant()
    {
        var stranger = MerchantId.New(TimeProvider.System);

        books.Refuses(
            "not_found",
            new PostTransaction(stranger, new Header(null, "load"), [new Posting(own.Id, card.Id, 1)])
        );
    }

    [Theory]
    [InlineData("clearing")]
    [InlineData("merchant:payable")]
    [InlineData("merchant:promo_expense")]
    [InlineData("merchant:receivable")]
    [InlineData("platform:fees")]
    [InlineData("programme:adjustments")]
    [InlineData("programme:breakage")]
    [InlineData("card:gc_01:paid")]
    [InlineData("commission:mrc_01")]
    [InlineData("payable:mrc_01")]
    [InlineData("loyalty:pool")]
    [InlineData("member:mem_01:points")]
    [InlineData("points:mem_01")]
    public void Names_of_services_accounts_are_reserved(string name)
    {
        Assert.Equal(
            "name_reserved",
            Assert.Throws<FaultException>(() => ReservedNames.RequireFree(name, "/name")).Fault.Code
        );
        ReservedNames.RequireFree($"my {name}", "/name");
    }

    [Fact]
    public void What_points_pay_is_changed_by_the_two_services_that_share_it_and_nobody_else()
    {
        const string name = "points:mem_01";
        var (wallet, giftcard, other) = (Caller.Service("wallet"), Caller.Service("giftcard"), Caller.Service("other"));

        Assert.Equal(ReservedNames.OwnerOf(name), wallet.OwnerOf(name));
        Assert.Equal(ReservedNames.OwnerOf(name), giftcard.OwnerOf(name));
        Assert.True(wallet.MayChange(wallet.OwnerOf(name)) && giftcard.MayChange(wallet.OwnerOf(name)));
        Assert.False(other.MayChange(wallet.OwnerOf(name)) || Caller.Merchant.MayChange(wallet.OwnerOf(name)));
        Assert.False(giftcard.MayChange(wallet.OwnerOf("member:mem_01:points")));
        Assert.Equal(("other", (string?)null), (other.OwnerOf(name), Caller.Merchant.OwnerOf(name)));
    }

    private PostTransaction Post(Account from, Account to) =>
        new(books.Merchant, new Header(null, "load"), [new Posting(from.Id, to.Id, 10)]);

    private PlaceHold Hold(string reference, Account source) =>
        new(
            books.Merchant,
            reference,
            10,
            [new HoldSource(source.Id, null)],
            false,
            SmallBooks.Now.AddMinutes(5),
            null,
            null
        );

    private Spend Spend(Account from, Account to) =>
        new(books.Merchant, new Header(null, "capture"), 10, [new SpendSource(from.Id, null, 0)], false, to.Id, null);
}
