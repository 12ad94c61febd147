using LocalPlus.Kernel;
using LocalPlus.Ledger.Books;

namespace LocalPlus.Tests.Unit.Ledger.Model;

internal sealed record AccountFact(
    AccountId Id,
    string Asset,
    long? Floor,
    long? Ceiling,
    string Status,
    long Posted,
    long Held
);

internal sealed record EntryFact(
    TransactionId Transaction,
    int Line,
    AccountId Account,
    int Stripe,
    long Sequence,
    long Amount,
    long BalanceAfter,
    DateTimeOffset RecordedAt
);

internal sealed record HoldFact(HoldId Id, HoldState State, long Captured, TransactionId? Transaction);

internal sealed record HoldItemFact(HoldId Hold, AccountId Account, long Held, long Captured);

internal sealed record TransactionFact(TransactionId Id, TransactionId? Reverses);

/// <summary>All that the books say at one instant, read without asking the code that wrote them.</summary>
internal sealed record BooksState(
    IReadOnlyList<AccountFact> Accounts,
    IReadOnlyList<EntryFact> Entries,
    IReadOnlyList<HoldFact> Holds,
    IReadOnlyList<HoldItemFact> Items,
    IReadOnlyList<TransactionFact> Transactions
)
{
    /// <summary>
    /// The six invariants: value is conserved, balances are what their entries say, policies hold, what is held is what
    /// is pending, a capture spends no more than was held, and reversals take back no more than was posted.
    /// </summary>
    public void RequireInvariants()
    {
        RequireConservation();
        RequireDerivedBalances();
        RequirePolicies();
        RequireHolds();
        RequireReversals();
    }

    /// <summary>Equal texts: nothing has changed.</summary>
    public string Fingerprint() =>
        string.Join(
            '\n',
            [
                .. Accounts.OrderBy(a => a.Id.Value).Select(a => a.ToString()),
                .. Entries.OrderBy(e => (e.Transaction.Value, e.Line)).Select(e => e.ToString()),
                .. Holds.OrderBy(h => h.Id.Value).Select(h => h.ToString()),
                .. Items.OrderBy(i => (i.Hold.Value, i.Account.Value)).Select(i => i.ToString()),
            ]
        );

    private void RequireConservation()
    {
        var asset = Accounts.ToDictionary(a => a.Id, a => a.Asset);
        foreach (var sum in Entries.GroupBy(e => (e.Transaction, asset[e.Account])))
        {
            Assert.True(sum.Sum(e => e.Amount) == 0, $"{sum.Key} is not balanced");
        }

        foreach (var sum in Accounts.GroupBy(a => a.Asset))
        {
            Assert.True(sum.Sum(a => a.Posted) == 0, $"{sum.Key} does not add up to nothing");
        }
    }

    private void RequireDerivedBalances()
    {
        var posted = Accounts.ToDictionary(a => a.Id, _ => 0L);
        foreach (var history in Entries.GroupBy(e => (e.Account, e.Stripe)))
        {
            var (sequence, balance, before) = (0L, 0L, DateTimeOffset.MinValue);
            foreach (var entry in history.OrderBy(e => e.Sequence))
            {
                balance += entry.Amount;
                Assert.True(entry.Sequence == ++sequence, $"{history.Key} has a gap at {sequence}");
                Assert.True(
                    entry.BalanceAfter == balance,
                    $"{history.Key} says {entry.BalanceAfter} after {sequence}, it is {balance}"
                );
                Assert.True(entry.RecordedAt >= before, $"{history.Key} runs backwards at {sequence}");
                Assert.True((entry.Amount < 0) == (entry.Line % 2 == 0), $"{entry} has the wrong sign");
                before = entry.RecordedAt;
            }

            posted[history.Key.Account] += balance;
        }

        Assert.All(Accounts, a => Assert.True(a.Posted == posted[a.Id], $"{a} is {posted[a.Id]} by its entries"));
    }

    private void RequirePolicies() =>
        Assert.All(
            Accounts,
            a =>
            {
                Assert.True(a.Held >= 0, $"{a} holds less than nothing");
                Assert.True(a.Floor is null || a.Posted - a.Held >= a.Floor, $"{a} is below its floor");
                Assert.True(a.Ceiling is null || a.Posted <= a.Ceiling, $"{a} is above its ceiling");
                Assert.True(a.Status != "closed" || (a.Posted == 0 && a.Held == 0), $"{a} is closed and not empty");
            }
        );

    private void RequireHolds()
    {
        var pending = Holds.Where(h => h.State == HoldState.Pending).Select(h => h.Id).ToHashSet();
        var reserved = Items.Where(i => pending.Contains(i.Hold)).ToLookup(i => i.Account, i => i.Held);
        Assert.All(
            Accounts,
            a => Assert.True(a.Held == reserved[a.Id].Sum(), $"{a} holds {reserved[a.Id].Sum()} by its holds")
        );
        var spent = Entries.Where(e => e.Amount < 0).ToLookup(e => e.Transaction);
        foreach (var hold in Holds)
        {
            var items = Items.Where(i => i.Hold == hold.Id).ToList();
            Assert.True(
                (hold.State == HoldState.Captured) == (hold.Transaction is not null),
                $"{hold} and its transaction disagree"
            );
            Assert.True(hold.Captured == items.Sum(i => i.Captured), $"{hold} and its items disagree");
            Assert.All(
                items,
                i =>
                    Assert.True(
                        i.Held > 0 && i.Captured >= 0 && i.Captured <= i.Held,
                        $"{i} captured more than it held"
                    )
            );
            Assert.True(
                hold.Transaction is not { } id || spent[id].Sum(e => -e.Amount) >= hold.Captured,
                $"{hold} is captured by less than it says"
            );
        }
    }

    private void RequireReversals()
    {
        var originals = Transactions.ToDictionary(t => t.Id);
        var entries = Entries.ToLookup(e => e.Transaction);
        foreach (var reversals in Transactions.Where(t => t.Reverses is not null).GroupBy(t => t.Reverses!.Value))
        {
            Assert.True(originals[reversals.Key].Reverses is null, $"{reversals.Key} is a reversal and was reversed");
            var moved = Moved(entries[reversals.Key]);
            foreach (var (way, amount) in Moved(reversals.SelectMany(r => entries[r.Id])))
            {
                Assert.True(
                    amount <= moved.GetValueOrDefault((way.To, way.From)),
                    $"{reversals.Key}: {amount} taken back of {moved.GetValueOrDefault((way.To, way.From))}"
                );
            }
        }
    }

    private static Dictionary<(AccountId From, AccountId To), long> Moved(IEnumerable<EntryFact> entries) =>
        entries
            .GroupBy(e => (e.Transaction, e.Line / 2))
            .Select(pair => (From: pair.Single(e => e.Amount < 0), To: pair.Single(e => e.Amount > 0)))
            .GroupBy(p => (p.From.Account, p.To.Account))
            .ToDictionary(g => g.Key, g => g.Sum(p => p.To.Amount));
}
