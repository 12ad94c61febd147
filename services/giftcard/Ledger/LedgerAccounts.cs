using System.Collections.Concurrent;
using LocalPlus.Contracts.Ledger.V1;
using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Giftcard.Ledger;

/// <summary>The accounts of a merchant's books that do not belong to a card.</summary>
internal sealed record MerchantAccounts(
    AccountId Clearing,
    AccountId Payable,
    AccountId Fees,
    AccountId PromoExpense,
    AccountId Breakage,
    AccountId Adjustments,
    AccountId Receivable
);

/// <summary>
/// Opens a merchant's accounts in the ledger the first time they are needed and remembers their ids, in SQL for ever
/// and in memory while the process lives. The ledger returns an account that exists as it is, so racing openers agree.
/// </summary>
internal sealed class LedgerAccounts(Database database, LedgerGateway ledger, TimeProvider time)
{
    public const string Clearing = "clearing";
    public const string Payable = "merchant:payable";
    public const string Fees = "platform:fees";
    public const string PromoExpense = "merchant:promo_expense";
    public const string Breakage = "programme:breakage";
    public const string Adjustments = "programme:adjustments";
    public const string Receivable = "merchant:receivable";

    private const int RememberedMax = 20_000;
    private static readonly string[] Names = [Clearing, Payable, Fees, PromoExpense, Breakage, Adjustments, Receivable];

    private readonly ConcurrentDictionary<(MerchantId Merchant, string Currency, string Name), Guid> remembered = new();

    /// <summary>All accounts of a merchant's books in one currency.</summary>
    public async Task<MerchantAccounts> BooksAsync(MerchantId books, string currency, CancellationToken cancel)
    {
        var ids = await EnsureAsync(books, currency, Names, cancel);
        return new(new(ids[0]), new(ids[1]), new(ids[2]), new(ids[3]), new(ids[4]), new(ids[5]), new(ids[6]));
    }

    /// <summary>
    /// What a merchant is owed in the books of a card's issuer: the issuer's own payable, or for another merchant of a
    /// coalition an account with its name.
    /// </summary>
    public async Task<Guid> PayableAsync(
        MerchantId books,
        MerchantId spentAt,
        string currency,
        CancellationToken cancel
    )
    {
        var name = books == spentAt ? Payable : $"payable:{spentAt}";
        return (await EnsureAsync(books, currency, [name], cancel))[0];
    }

    /// <summary>What another merchant of a coalition has left to the issuer, in the issuer's books.</summary>
    public async Task<Guid> CommissionAsync(
        MerchantId books,
        MerchantId spentAt,
        string currency,
        CancellationToken cancel
    ) => (await EnsureAsync(books, currency, [$"commission:{spentAt}"], cancel))[0];

    private async Task<Guid[]> EnsureAsync(MerchantId books, string currency, string[] names, CancellationToken cancel)
    {
        var ids = new Guid[names.Length];
        if (TryRemembered(books, currency, names, ids))
        {
            return ids;
        }

        foreach (
            var row in await database.QueryAsync<NamedAccount>(
                Sql.Read,
                new
                {
                    MerchantId = books.Value,
                    Currency = currency,
                    Names = names,
                },
                cancel
            )
        )
        {
            Remember(books, currency, row.Name, row.AccountId);
        }

        if (TryRemembered(books, currency, names, ids))
        {
            return ids;
        }

        await OpenAsync(books, currency, names, cancel);
        return TryRemembered(books, currency, names, ids)
            ? ids
            : throw new InvalidOperationException("The ledger opened other accounts than it was asked for.");
    }

    private async Task OpenAsync(MerchantId books, string currency, string[] names, CancellationToken cancel)
    {
        var request = new OpenAccountsRequest { MerchantId = books.ToString() };
        request.Accounts.AddRange(
            names.Select(name => new OpenAccount
            {
                AccountId = AccountId.New(time).ToString(),
                Name = name,
                Asset = currency,
                Policy = AccountPolicy.Unbounded,
                Striped = true,
            })
        );
        var opened = (await ledger.OpenAccountsAsync(request, cancel)).Accounts;
        await using var db = await database.BeginAsync(cancel);
        await db.ExecuteAsync(
            Sql.Insert,
            new
            {
                MerchantId = books.Value,
                Currency = currency,
                Names = opened.Select(a => a.Name).ToArray(),
                AccountIds = opened.Select(a => AccountId.Parse(a.AccountId).Value).ToArray(),
            }
        );
        await db.CommitAsync();
        foreach (var account in opened)
        {
            Remember(books, currency, account.Name, AccountId.Parse(account.AccountId).Value);
        }
    }

    private bool TryRemembered(MerchantId books, string currency, string[] names, Guid[] ids)
    {
        for (var i = 0; i < names.Length; i++)
        {
            if (!remembered.TryGetValue((books, currency, names[i]), out ids[i]))
            {
                return false;
            }
        }

        return true;
    }

    private void Remember(MerchantId books, string currency, string name, Guid accountId)
    {
        if (remembered.Count >= RememberedMax)
        {
            remembered.Clear();
        }

        remembered[(books, currency, name)] = accountId;
    }

    private sealed record NamedAccount(string Name, Guid AccountId);

    private static class Sql
    {
        public const string Read = """
            SELECT name, account_id
              FROM merchant_accounts
             WHERE merchant_id = @MerchantId
               AND currency = @Currency
               AND name = ANY(@Names)
            """;

        public const string Insert = """
            INSERT INTO merchant_accounts (merchant_id, currency, name, account_id)
            SELECT @MerchantId, @Currency, a.name, a.account_id
              FROM unnest(@Names, @AccountIds) AS a (name, account_id)
                ON CONFLICT DO NOTHING
            """;
    }
}
