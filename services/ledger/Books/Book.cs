using LocalPlus.Kernel;

namespace LocalPlus.Ledger.Books;

/// <summary>
/// What one batch has locked and read, and what its commands changed so far: the double-entry rules, without I/O and
/// without a clock. Operations run in order of arrival; <see cref="Try"/> takes back everything a refused one did.
/// </summary>
internal sealed class Book(DateTimeOffset now)
{
    private readonly Stack<Action> undo = [];
    private readonly Dictionary<(MerchantId Merchant, string Reference), string> transactionReferences = [];
    private readonly Dictionary<(MerchantId Merchant, string Reference), string> holdReferences = [];
    private readonly Dictionary<AccountId, Account> accounts = [];
    private readonly Dictionary<HoldId, Hold> holds = [];
    private readonly Dictionary<TransactionId, Original> originals = [];

    /// <summary>The database's time once all locks were held.</summary>
    public DateTimeOffset Now { get; } = now;

    public List<Transaction> Transactions { get; } = [];

    public IReadOnlyCollection<Account> Accounts => accounts.Values;

    public IReadOnlyCollection<Hold> Holds => holds.Values;

    public IReadOnlyCollection<Original> Originals => originals.Values;

    public void Add(Account account) => accounts.Add(account.Id, account);

    public void Add(Hold hold) => holds.Add(hold.Id, hold);

    public void Add(Original original) => originals.Add(original.Id, original);

    /// <summary>A reference that a committed transaction has.</summary>
    public void AddTransactionReference(MerchantId merchant, string reference, TransactionId owner) =>
        transactionReferences.Add((merchant, reference), owner.ToString());

    /// <summary>A reference that a committed hold has.</summary>
    public void AddHoldReference(MerchantId merchant, string reference, HoldId owner) =>
        holdReferences.Add((merchant, reference), owner.ToString());

    /// <summary>Applies the operation whole or not at all.</summary>
    public T Try<T>(Func<Book, T> operation)
    {
        var mark = undo.Count;
        try
        {
            return operation(this);
        }
        catch
        {
            UndoTo(mark);
            throw;
        }
    }

    /// <summary>What the operation would come to; the book stays as it is.</summary>
    public T Rehearse<T>(Func<Book, T> operation)
    {
        var mark = undo.Count;
        try
        {
            return operation(this);
        }
        finally
        {
            UndoTo(mark);
        }
    }

    /// <summary>
    /// The merchant's accounts among these, those that the holds are on, and those that the originals
    /// touched.
    /// </summary>
    public IEnumerable<Account> Reached(
        MerchantId merchant,
        IEnumerable<Guid> accountIds,
        IEnumerable<Guid> holdIds,
        IEnumerable<Guid> originalIds
    ) =>
        accountIds
            .Select(id => new AccountId(id))
            .Concat(
                holdIds
                    .SelectMany(id => holds.TryGetValue(new HoldId(id), out var hold) ? hold.Progress.Items : [])
                    .Select(item => item.AccountId)
            )
            .Concat(
                originalIds
                    .SelectMany(id =>
                        originals.TryGetValue(new TransactionId(id), out var original) ? original.Postings : []
                    )
                    .SelectMany(posting => new[] { posting.Source, posting.Destination })
            )
            .Select(id => accounts.GetValueOrDefault(id))
            .OfType<Account>()
            .Where(account => account.MerchantId == merchant);

    public Account Account(MerchantId merchant, AccountId id) =>
        accounts.TryGetValue(id, out var account) && account.MerchantId == merchant
            ? account
            : throw new FaultException(CommonFaults.NotFound, $"There is no account {id}.");

    public Hold Hold(MerchantId merchant, HoldId id) =>
        holds.TryGetValue(id, out var hold) && hold.MerchantId == merchant
            ? hold
            : throw new FaultException(CommonFaults.NotFound, $"There is no hold {id}.");

    public Original Original(MerchantId merchant, TransactionId id) =>
        originals.TryGetValue(id, out var original) && original.MerchantId == merchant
            ? original
            : throw new FaultException(CommonFaults.NotFound, $"There is no transaction {id}.");

    /// <summary>
    /// Refuses a reference that a transaction has: it says more than any rule that the repeat may break by now.
    /// </summary>
    public void RequireFreshTransaction(MerchantId merchant, string? reference) =>
        RequireUnused(transactionReferences, merchant, reference);

    /// <summary>Refuses a reference that a hold has.</summary>
    public void RequireFreshHold(MerchantId merchant, string reference) =>
        RequireUnused(holdReferences, merchant, reference);

    /// <summary>
    /// Posts all of the postings or refuses: every account exists, is open and of its posting's asset, and ends within
    /// its policy. Sources of the <paramref name="hold"/> may be frozen: what was reserved before may still be spent.
    /// </summary>
    public Transaction Post(
        MerchantId merchant,
        Header header,
        IReadOnlyList<Posting> postings,
        TransactionId? reverses = null,
        Hold? hold = null
    )
    {
        RequireFreshTransaction(merchant, header.Reference);
        var touched = new Account[postings.Count * 2];
        var recordedAt = Now;
        for (var i = 0; i < postings.Count; i++)
        {
            var (source, destination) = (
                Account(merchant, postings[i].Source),
                Account(merchant, postings[i].Destination)
            );
            (touched[2 * i], touched[(2 * i) + 1]) = (source, destination);
            RequireSameAsset(source, destination);
            RequireOpen(source, hold);
            destination.RequireOpen();
            recordedAt = Later(recordedAt, Later(source.State.ChangedAt, destination.State.ChangedAt));
        }

        recordedAt = WholeMilliseconds(recordedAt);
        var available = Array.ConvertAll(touched, account => account.Available);
        var entries = new Entry[touched.Length];
        for (var line = 0; line < touched.Length; line++)
        {
            var amount = postings[line / 2].Amount;
            entries[line] = Enter(touched[line], line % 2 == 0 ? -amount : amount, recordedAt);
        }

        for (var line = 0; line < touched.Length; line++)
        {
            touched[line].RequireWithinPolicy(available[line]);
        }

        var transaction = new Transaction(
            Transaction.NewId(recordedAt),
            merchant,
            header,
            reverses,
            hold?.Id,
            header.EffectiveAt ?? recordedAt,
            recordedAt,
            postings,
            entries
        );
        Claim(transactionReferences, merchant, header.Reference, transaction.Id.ToString());
        Transactions.Add(transaction);
        undo.Push(() => Transactions.RemoveAt(Transactions.Count - 1));
        return transaction;
    }

    /// <summary>
    /// Adds a new hold, whose reference is fresh; with <paramref name="reserve"/> its items count as held.
    /// </summary>
    public void Place(Hold hold, bool reserve)
    {
        Claim(holdReferences, hold.MerchantId, hold.Reference, hold.Id.ToString());
        holds.Add(hold.Id, hold);
        undo.Push(() => holds.Remove(hold.Id));
        foreach (var item in reserve ? hold.Progress.Items : [])
        {
            var account = Account(hold.MerchantId, item.AccountId);
            var available = account.Available;
            Reserve(account, item.Held);
            account.RequireWithinPolicy(available);
        }
    }

    /// <summary>Puts a hold forward; when it was pending and is no longer, nothing of it stays reserved.</summary>
    public void Change(Hold hold, HoldProgress next)
    {
        var before = hold.Progress;
        undo.Push(() => hold.Progress = before);
        hold.Progress = next with { Version = before.Version + 1 };
        if (before.State == HoldState.Pending && next.State != HoldState.Pending)
        {
            foreach (var item in before.Items)
            {
                Reserve(Account(hold.MerchantId, item.AccountId), -item.Held);
            }
        }
    }

    /// <summary>Notes how much of the original's postings is taken back now.</summary>
    public void Reverse(Original original, long[] reversed)
    {
        var before = original.Reversed;
        undo.Push(() => original.Reversed = before);
        original.Reversed = reversed;
    }

    private void UndoTo(int mark)
    {
        while (undo.Count > mark)
        {
            var latest = undo.Pop();
            latest();
        }
    }

    private static void RequireSameAsset(Account source, Account destination)
    {
        if (source.Asset != destination.Asset)
        {
            throw new FaultException(Faults.CurrencyMismatch, $"{source.Asset} and {destination.Asset} do not mix.");
        }
    }

    private static void RequireOpen(Account source, Hold? hold)
    {
        if (
            source.Status != AccountStatus.Frozen
            || hold?.Progress.Items.Any(item => item.AccountId == source.Id) is not true
        )
        {
            source.RequireOpen();
        }
    }

    private static DateTimeOffset Later(DateTimeOffset one, DateTimeOffset other) => one > other ? one : other;

    /// <summary>
    /// Up to the next whole millisecond, the API's precision: accounts of earlier releases have finer
    /// times.
    /// </summary>
    private static DateTimeOffset WholeMilliseconds(DateTimeOffset instant)
    {
        var rest = instant.Ticks % TimeSpan.TicksPerMillisecond;
        return rest == 0 ? instant : instant.AddTicks(TimeSpan.TicksPerMillisecond - rest);
    }

    private static void RequireUnused(
        Dictionary<(MerchantId Merchant, string Reference), string> references,
        MerchantId merchant,
        string? reference
    )
    {
        if (reference is not null && references.TryGetValue((merchant, reference), out var owner))
        {
            throw new FaultException(CommonFaults.ReferenceReused, $"Reference '{reference}' is that of {owner}.")
            {
                Extensions = new Dictionary<string, object?>(StringComparer.Ordinal) { ["used_by"] = owner },
            };
        }
    }

    private void Claim(
        Dictionary<(MerchantId Merchant, string Reference), string> references,
        MerchantId merchant,
        string? reference,
        string owner
    )
    {
        if (reference is not null)
        {
            references.Add((merchant, reference), owner);
            undo.Push(() => references.Remove((merchant, reference)));
        }
    }

    private Entry Enter(Account account, long amount, DateTimeOffset recordedAt)
    {
        var state = account.State;
        Save(account);
        account.State = state with
        {
            Posted = state.Posted + amount,
            Sequence = state.Sequence + 1,
            Revision = state.Revision + 1,
            ChangedAt = recordedAt,
        };
        account.RequireInRange();
        return new Entry(account, account.State.Sequence, amount, account.State.Posted, account.State.Held);
    }

    private void Reserve(Account account, long amount)
    {
        Save(account);
        account.State = account.State with
        {
            Held = account.State.Held + amount,
            Revision = account.State.Revision + 1,
            ChangedAt = Later(Now, account.State.ChangedAt),
        };
    }

    private void Save(Account account)
    {
        var before = account.State;
        undo.Push(() => account.State = before);
    }
}
