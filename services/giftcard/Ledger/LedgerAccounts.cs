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

    private readonly ConcurrentDictionary<(MerchantId Merchant, string Currency, string Name), AccountId> remembered =
        new();

    /// <summary>All accounts of a merchant's books in one currency.</summary>
    public async Task<MerchantAccounts> BooksAsync(MerchantId books, string currency, CancellationToken cancel)
    {
        var ids = await EnsureAsync(books, currency, Names, cancel);
        return new(ids[0], ids[1], ids[2], ids[3], ids[4], ids[5], ids[6]);
    }

    /// <summary>
    /// What a merchant is owed in the books of a card's issuer: the issuer's own payable, or for another merchant of a
    /// coalition an account with its name.
    /// </summary>
    public async Task<AccountId> PayableAsync(
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
    public async Task<AccountId> CommissionAsync(
        MerchantId books,
        MerchantId spentAt,
        string currency,
        CancellationToken cancel
    ) => (await EnsureAsync(books, currency, [$"commission:{spentAt}"], cancel))[0];

    private async Task<AccountId[]> EnsureAsync(
        MerchantId books,
        string currency,
        string[] names,
        CancellationToken cancel
    )
    {
        var ids = new AccountId[names.Length];
        if (TryRemembered(books, currency, names, ids))
        {
            return ids;
        }

        // The books may be those of a card's issuer, and what is found is remembered for everybody.
        using var all = RowSecurity.ForAll();
        foreach (
            var row in await database.QueryAsync<NamedAccount>(
                Sql.Read,
                new
                {
                    MerchantId = books,
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
                MerchantId = books,
                Currency = currency,
                Names = opened.Select(a => a.Name).ToArray(),
                AccountIds = opened.Select(a => AccountId.Parse(a.AccountId)).ToArray(),
            }
        );
        await db.CommitAsync();
        foreach (var account in opened)
        {
            Remember(books, currency, account.Name, AccountId.Parse(account.AccountId));
        }
    }

    private bool TryRemembered(MerchantId books, string currency, string[] names, AccountId[] ids)
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

    private void Remember(MerchantId books, string currency, string name, AccountId accountId)
    {
        if (remembered.Count >= RememberedMax)
        {
            remembered.Clear();
        }

        remembered[(books, currency, name)] = accountId;
    }

    private sealed record NamedAccount(string Name, AccountId AccountId);

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
            INSERT INTO merchant_accounts (name, account_id, merchant_id, currency)
            SELECT *, @MerchantId, @Currency
              FROM unnest(@Names, @AccountIds)
                ON CONFLICT DO NOTHING
            """;
    }
}
