using LocalPlus.Kernel;
using LocalPlus.Ledger.Books;
using LocalPlus.Ledger.Operations;

namespace LocalPlus.Tests.Unit.Ledger;

/// <summary>A few accounts of a merchant, and one book over them.</summary>
internal sealed class SmallBooks
{
    public static readonly DateTimeOffset Now = new(2026, 1, 10, 12, 0, 0, TimeSpan.Zero);
    private readonly List<Account> accounts = [];
    private Book? book;

    public MerchantId Merchant { get; } = MerchantId.New(TimeProvider.System);

    public Book Book
    {
        get
        {
            if (book is null)
            {
                book = new Book(Now);
                accounts.ForEach(book.Add);
            }

            return book;
        }
    }

    public Account Open(
        long posted = 0,
        string asset = "EUR",
        string? owner = null,
        long? floor = 0,
        AccountStatus status = AccountStatus.Open
    )
    {
        var account = new Account(new AccountState(posted, 0, 0, 1, Now))
        {
            Id = AccountId.New(TimeProvider.System),
            MerchantId = Merchant,
            Name = "a",
            Asset = asset,
            Floor = floor,
            Status = status,
            Owner = owner,
        };
        accounts.Add(account);
        return account;
    }

    public Result Do(Operation operation) => Book.Try(operation.Decide);

    public FaultException Refuses(string code, Operation operation)
    {
        var refusal = Assert.Throws<FaultException>(() => Do(operation));
        Assert.Equal(code, refusal.Fault.Code);
        return refusal;
    }
}
