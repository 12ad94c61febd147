using LocalPlus.Kernel;
using LocalPlus.Ledger.Books;
using LocalPlus.Ledger.Operations;

namespace LocalPlus.Tests.Unit.Ledger.Model;

/// <summary>
/// The posting rules without a database: every batch gets a fresh book with copies of what the last one left, and of
/// that only what its operations say they need, as the service reads no more.
/// </summary>
internal sealed class MemoryBooks : IBooks
{
    private const int Stripes = 3;
    private readonly Dictionary<AccountId, (Opening Opening, AccountStatus Status)> accounts = [];
    private readonly Dictionary<(AccountId Account, short Stripe), AccountState> states = [];
    private readonly List<(TransactionId Transaction, int Line, Entry Entry, DateTimeOffset At)> entries = [];
    private readonly Dictionary<TransactionId, (Transaction Transaction, long[] Reversed)> transactions = [];
    private readonly Dictionary<HoldId, Hold> holds = [];
    private MerchantId merchant;
    private int batches;

    public bool RemembersKeys => false;

    public Task OpenAsync(MerchantId merchant, IReadOnlyList<Opening> accounts)
    {
        this.merchant = merchant;
        foreach (var opening in accounts)
        {
            this.accounts.Add(opening.Id, (opening, AccountStatus.Open));
            for (var stripe = 0; stripe <= (opening.Striped ? Stripes : 0); stripe++)
            {
                states.Add((opening.Id, (short)stripe), new AccountState(0, 0, 0, 1, DateTimeOffset.UnixEpoch));
            }
        }

        return Task.CompletedTask;
    }

    public Task<IReadOnlyList<Reply>> RunAsync(IReadOnlyList<Request> batch, DateTimeOffset now)
    {
        var book = Read(now, batch);
        List<Reply> replies = [.. batch.Select(request => Decide(book, request))];
        Write(book);
        return Task.FromResult<IReadOnlyList<Reply>>(replies);
    }

    public Task SetStatusAsync(AccountId account, AccountStatus status)
    {
        accounts[account] = accounts[account] with { Status = status };
        return Task.CompletedTask;
    }

    public Task<BooksState> ReadAsync() =>
        Task.FromResult(
            new BooksState(
                [
                    .. accounts.Values.Select(a => new AccountFact(
                        a.Opening.Id,
                        a.Opening.Asset,
                        a.Opening.Floor,
                        a.Opening.Ceiling,
                        a.Status.ToString().ToLowerInvariant(),
                        Sum(a.Opening.Id, s => s.Posted),
                        Sum(a.Opening.Id, s => s.Held)
                    )),
                ],
                [
                    .. entries.Select(e => new EntryFact(
                        e.Transaction,
                        e.Line,
                        e.Entry.Account.Id,
                        e.Entry.Account.Stripe,
                        e.Entry.Sequence,
                        e.Entry.Amount,
                        e.Entry.BalanceAfter,
                        e.At
                    )),
                ],
                [
                    .. holds.Values.Select(h => new HoldFact(
                        h.Id,
                        h.Progress.State,
                        h.Captured,
                        h.Progress.TransactionId
                    )),
                ],
                [
                    .. holds.Values.SelectMany(h =>
                        h.Progress.Items.Select(i => new HoldItemFact(h.Id, i.AccountId, i.Held, i.Captured))
                    ),
                ],
                [.. transactions.Values.Select(t => new TransactionFact(t.Transaction.Id, t.Transaction.Reverses))]
            )
        );

    private static Reply Decide(Book book, Request request)
    {
        try
        {
            Reply Apply(Book b) => Reply.Done(request.Operation.Apply(b));
            return request.Rehearses ? book.Rehearse(Apply) : book.Try(Apply);
        }
        catch (FaultException refusal)
        {
            return Reply.Refused(refusal);
        }
    }

    private long Sum(AccountId account, Func<AccountState, long> value) =>
        states.Where(s => s.Key.Account == account).Sum(s => value(s.Value));

    private Book Read(DateTimeOffset now, IReadOnlyList<Request> batch)
    {
        var (book, needs) = (new Book(now), new Needs());
        foreach (var request in batch)
        {
            request.Operation.Collect(needs);
        }

        batches++;
        AddAccounts(book, needs);
        AddHolds(book, needs);
        AddTransactions(book, needs);
        return book;
    }

    private void AddAccounts(Book book, Needs needs)
    {
        HashSet<Guid> needed =
        [
            .. needs.Accounts,
            .. holds
                .Values.Where(h => needs.Holds.Contains(h.Id.Value))
                .SelectMany(h => h.Progress.Items.Select(i => i.AccountId.Value)),
            .. transactions
                .Values.Where(t => needs.Originals.Contains(t.Transaction.Id.Value))
                .SelectMany(t => t.Transaction.Entries.Select(e => e.Account.Id.Value)),
        ];
        foreach (var (opening, status) in accounts.Values.Where(account => needed.Contains(account.Opening.Id.Value)))
        {
            var stripe = (short)(opening.Striped ? (batches % Stripes) + 1 : 0);
            var state = states[(opening.Id, stripe)];
            book.Add(
                new Account(state)
                {
                    Id = opening.Id,
                    MerchantId = merchant,
                    Name = opening.Name,
                    Asset = opening.Asset,
                    Floor = opening.Floor,
                    Ceiling = opening.Ceiling,
                    Status = status,
                    Striped = opening.Striped,
                    Stripe = stripe,
                    Elsewhere = Sum(opening.Id, s => s.Posted) - state.Posted,
                }
            );
        }
    }

    private void AddHolds(Book book, Needs needs)
    {
        foreach (var hold in holds.Values.Where(hold => needs.HoldReferences.Contains((merchant, hold.Reference))))
        {
            book.AddHoldReference(merchant, hold.Reference, hold.Id);
        }

        foreach (var hold in holds.Values.Where(hold => needs.Holds.Contains(hold.Id.Value)))
        {
            book.Add(
                new Hold(hold.Progress, isNew: false)
                {
                    Id = hold.Id,
                    MerchantId = merchant,
                    Reference = hold.Reference,
                    Asset = hold.Asset,
                    Requested = hold.Requested,
                    Metadata = null,
                    PlacedAt = hold.PlacedAt,
                }
            );
        }
    }

    private void AddTransactions(Book book, Needs needs)
    {
        foreach (var (transaction, reversed) in transactions.Values)
        {
            if (
                transaction.Header.Reference is { } reference
                && needs.TransactionReferences.Contains((merchant, reference))
            )
            {
                book.AddTransactionReference(merchant, reference, transaction.Id);
            }

            if (!needs.Originals.Contains(transaction.Id.Value))
            {
                continue;
            }

            book.Add(
                new Original(reversed)
                {
                    Id = transaction.Id,
                    MerchantId = merchant,
                    IsReversal = transaction.Reverses is not null,
                    Postings = transaction.Postings,
                }
            );
        }
    }

    private void Write(Book book)
    {
        foreach (var account in book.Accounts.Where(account => account.IsChanged))
        {
            states[(account.Id, account.Stripe)] = account.State;
        }

        foreach (var hold in book.Holds.Where(hold => hold.IsNew || hold.IsChanged))
        {
            holds[hold.Id] = hold;
        }

        foreach (var original in book.Originals)
        {
            transactions[original.Id] = transactions[original.Id] with { Reversed = original.Reversed };
        }

        foreach (var transaction in book.Transactions)
        {
            transactions.Add(transaction.Id, (transaction, new long[transaction.Postings.Count]));
            entries.AddRange(
                transaction.Entries.Select((entry, line) => (transaction.Id, line, entry, transaction.RecordedAt))
            );
        }
    }
}
