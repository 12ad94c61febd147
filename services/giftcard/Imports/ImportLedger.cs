using LocalPlus.Contracts.Ledger.V1;
using LocalPlus.Giftcard.Ledger;
using LocalPlus.Kernel;

namespace LocalPlus.Giftcard.Imports;

/// <summary>
/// An import in the ledger: each has an account of its own, <c>migration:job_…</c>, that its cards' value comes from
/// and goes back to. So the books prove the total: what that account is below zero is what is on, or was spent from,
/// the cards of the import. Every transaction is keyed by the row it begins with.
/// </summary>
internal sealed class ImportLedger(LedgerGateway ledger)
{
    /// <summary>Opens the accounts of a group of rows and moves their value there, in one transaction.</summary>
    public async Task<TransactionId> FillAsync(
        ImportRow import,
        IReadOnlyList<ImportedRow> rows,
        CancellationToken cancel
    )
    {
        var request = new OpenAccountsRequest { MerchantId = import.MerchantId.ToString() };
        request.Accounts.AddRange(rows.Select(row => Account(import, row)));
        await ledger.OpenAccountsAsync(request, cancel);
        return await PostAsync(
            import,
            $"imp:{import.ImportId}:{rows[0].Part}:{rows[0].Line}",
            "import",
            rows.Select(row => Posting(import.AccountId, row.AccountId, row)),
            cancel
        );
    }

    /// <summary>
    /// Takes the value of rows back, in one transaction; null when something of it was spent or is held.
    /// </summary>
    public async Task<TransactionId?> EmptyAsync(
        ImportRow import,
        IReadOnlyList<ImportedRow> rows,
        string key,
        CancellationToken cancel
    )
    {
        try
        {
            return await PostAsync(
                import,
                $"imp:{import.ImportId}:{key}:{rows[0].Part}:{rows[0].Line}",
                "import_revert",
                rows.Select(row => Posting(row.AccountId, import.AccountId, row)),
                cancel
            );
        }
        catch (FaultException refusal)
            when (refusal.Fault == Faults.InsufficientBalance || refusal.Fault == Faults.AccountFrozen)
        {
            return null;
        }
    }

    /// <summary>The account that pays for an import.</summary>
    public async Task OpenAsync(ImportRow import, CancellationToken cancel)
    {
        var request = new OpenAccountsRequest { MerchantId = import.MerchantId.ToString() };
        request.Accounts.Add(
            new OpenAccount
            {
                AccountId = import.AccountId.ToString(),
                Name = import.AccountName,
                Asset = import.Order.Currency,
                Policy = AccountPolicy.Unbounded,
                Striped = true,
            }
        );
        await ledger.OpenAccountsAsync(request, cancel);
    }

    private async Task<TransactionId> PostAsync(
        ImportRow import,
        string key,
        string kind,
        IEnumerable<Posting> postings,
        CancellationToken cancel
    )
    {
        var request = new PostTransactionRequest
        {
            MerchantId = import.MerchantId.ToString(),
            IdempotencyKey = key,
            Reference = key,
            Kind = kind,
        };
        request.Postings.AddRange(postings);
        request.Metadata.Add("import_id", import.ImportId.ToString());
        var posted = await ledger.PostAsync(request, cancel);
        return TransactionId.Parse(posted.Transaction.TransactionId);
    }

    private static OpenAccount Account(ImportRow import, ImportedRow row)
    {
        var account = new OpenAccount
        {
            AccountId = row.AccountId.ToString(),
            Name = $"card:{row.GiftCardId}:paid",
            Asset = import.Order.Currency,
        };
        if (row.IsWeak)
        {
            // Whoever guesses the code finds no more than this, whatever is loaded later: the ledger refuses it.
            account.Ceiling = Currency.Parse(import.Order.Currency).Units(GiftcardLimits.WeakCodeUnits);
        }

        return account;
    }

    private static Posting Posting(AccountId from, AccountId to, ImportedRow row) =>
        new()
        {
            SourceAccountId = from.ToString(),
            DestinationAccountId = to.ToString(),
            Amount = row.Amount!.Value,
        };
}
