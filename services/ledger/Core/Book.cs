using LocalPlus.Kernel;

namespace LocalPlus.Ledger.Core;

/// <summary>
/// What one batch has locked and read, and what its commands changed so far. The rules live here and in the commands, in
/// memory and in order of arrival; a command checks everything before it changes anything, so a refusal leaves no trace.
/// </summary>
internal sealed class Book(DateTimeOffset now)
{
    private readonly HashSet<(Guid Merchant, string Reference)> newReferences = [];

    public DateTimeOffset Now { get; } = now;

    /// <summary>The trace of the command that is being applied.</summary>
    public string? Traceparent { get; set; }

    public Dictionary<Guid, Account> Accounts { get; } = [];

    public Dictionary<Guid, Hold> Holds { get; } = [];

    public Dictionary<Guid, PastTransaction> Transactions { get; } = [];

    /// <summary>References that committed transactions or holds have, of the ones this batch asks for.</summary>
    public HashSet<(Guid Merchant, string Reference)> TakenReferences { get; } = [];

    public List<NewTransaction> NewTransactions { get; } = [];

    public List<NewEntry> NewEntries { get; } = [];

    public HashSet<Guid> NewHolds { get; } = [];

    public HashSet<Guid> ChangedHolds { get; } = [];

    public HashSet<Guid> ChangedAccounts { get; } = [];

    public Account Account(Guid merchant, Guid id) =>
        Accounts.TryGetValue(id, out var account) && account.MerchantId == merchant
            ? account
            : throw new FaultException(CommonFaults.NotFound, $"There is no account {new AccountId(id)}.");

    public Hold Hold(Guid merchant, Guid id) =>
        Holds.TryGetValue(id, out var hold) && hold.MerchantId == merchant
            ? hold
            : throw new FaultException(CommonFaults.NotFound, $"There is no hold {new HoldId(id)}.");

    public void RequireNewReference(Guid merchant, string scope, string reference)
    {
        if (TakenReferences.Contains((merchant, scope + reference)) || newReferences.Contains((merchant, scope + reference)))
        {
            throw new FaultException(CommonFaults.ReferenceReused, $"Reference '{reference}' was used before.");
        }
    }

    /// <summary>
    /// Whether the postings may happen, all or none: accounts exist, are open, of one asset each, and no bounded account
    /// ends below what it holds. <paramref name="releasing"/> counts as free already (a capture spends what it held).
    /// </summary>
    public void Check(Guid merchant, IReadOnlyList<Posting> postings, IReadOnlyDictionary<Guid, long>? releasing = null)
    {
        var change = new Dictionary<Guid, long>(postings.Count * 2);
        foreach (var posting in postings)
        {
            var (source, destination) = (Account(merchant, posting.Source), Account(merchant, posting.Destination));
            if (source.Asset != destination.Asset)
            {
                throw new FaultException(Faults.CurrencyMismatch, $"{source.Asset} and {destination.Asset} do not mix.");
            }

            if (releasing?.ContainsKey(source.AccountId) is not true)
            {
                source.RequireOpen();
            }

            destination.RequireOpen();
            change[posting.Source] = change.GetValueOrDefault(posting.Source) - posting.Amount;
            change[posting.Destination] = change.GetValueOrDefault(posting.Destination) + posting.Amount;
        }

        foreach (var (id, amount) in change)
        {
            var account = Accounts[id];
            var available = account.Available + (releasing?.GetValueOrDefault(id) ?? 0);
            if (account.IsBounded && amount < 0 && available + amount < 0)
            {
                throw Insufficient(account.Asset, available);
            }

            if (Math.Abs(account.Posted + amount) >= LedgerLimits.Amount)
            {
                throw new FaultException(Faults.LimitExceeded, $"The balance of {new AccountId(id)} would leave the range of amounts.");
            }
        }
    }

    /// <summary>Records a transaction that <see cref="Check"/> let pass; entries are numbered within their account.</summary>
    public NewTransaction Post(
        Guid merchant, string reference, string kind, IReadOnlyList<Posting> postings, string metadata,
        DateTimeOffset? effectiveAt = null, Guid? reverses = null, Guid? holdId = null)
    {
        var transaction = new NewTransaction(
            Guid.CreateVersion7(Now), merchant, reference, kind, reverses, holdId, metadata, effectiveAt ?? Now, Now, postings, Traceparent);
        newReferences.Add((merchant, "t:" + reference));
        NewTransactions.Add(transaction);
        foreach (var posting in postings)
        {
            Enter(transaction, posting.Source, -posting.Amount);
            Enter(transaction, posting.Destination, posting.Amount);
        }

        return transaction;
    }

    public void Place(Hold hold)
    {
        newReferences.Add((hold.MerchantId, "h:" + hold.Reference));
        Holds.Add(hold.HoldId, hold);
        NewHolds.Add(hold.HoldId);
        foreach (var item in hold.Items)
        {
            Reserve(item.AccountId, item.Held);
        }
    }

    /// <summary>Ends a pending hold: nothing of it stays reserved. The caller posts what was captured.</summary>
    public void End(Hold hold, string state)
    {
        hold.State = state;
        Touch(hold);
        foreach (var item in hold.Items)
        {
            Reserve(item.AccountId, -item.Held);
        }
    }

    public void Touch(Hold hold)
    {
        hold.Version++;
        if (!NewHolds.Contains(hold.HoldId))
        {
            ChangedHolds.Add(hold.HoldId);
        }
    }

    public static FaultException Insufficient(string asset, long available) =>
        new(Faults.InsufficientBalance, $"{available} {asset} available.")
        {
            Extensions = new Dictionary<string, object?> { ["available"] = available },
        };

    private void Reserve(Guid accountId, long amount)
    {
        Accounts[accountId].Held += amount;
        ChangedAccounts.Add(accountId);
    }

    private void Enter(NewTransaction transaction, Guid accountId, long amount)
    {
        var account = Accounts[accountId];
        account.Posted += amount;
        account.Version++;
        ChangedAccounts.Add(accountId);
        NewEntries.Add(new NewEntry(
            Guid.CreateVersion7(Now), transaction.TransactionId, accountId, account.Version, amount, account.Posted,
            transaction.EffectiveAt, Now));
    }
}
