using LocalPlus.Kernel;
using LocalPlus.Ledger.Books;
using LocalPlus.Ledger.Operations;

namespace LocalPlus.Tests.Unit.Ledger.Model;

/// <summary>What an operation ought to come to: nothing but success, or one of the refusals that apply.</summary>
/// <param name="Codes">Every refusal that the rules give a reason for; which one is named first is the ledger's
/// choice.</param>
/// <param name="Commit">Brings the naive ledger to where the books ought to be.</param>
internal sealed record Verdict(
    HashSet<string> Codes,
    Action Commit,
    NaiveHold? Hold = null,
    NaiveTransaction? Transaction = null
)
{
    public bool Succeeds => Codes.Count == 0;

    public static Verdict Refused(params string[] codes) => new([.. codes], () => { });
}

internal sealed class NaiveAccount(Opening opening)
{
    public Opening Opening { get; } = opening;

    public AccountStatus Status { get; set; }

    public long Posted { get; set; }

    public long Held { get; set; }
}

internal sealed class NaiveHold
{
    /// <summary>Known once the books have answered.</summary>
    public HoldId? Id { get; set; }

    public HoldState State { get; set; } = HoldState.Pending;

    public required DateTimeOffset ExpiresAt { get; set; }

    public required List<(AccountId Account, long Amount)> Items { get; init; }

    public long Held => Items.Sum(item => item.Amount);
}

internal sealed class NaiveTransaction(IReadOnlyList<Posting> postings, bool isReversal)
{
    public TransactionId? Id { get; set; }

    public IReadOnlyList<Posting> Postings { get; } = postings;

    public bool IsReversal { get; } = isReversal;

    public long[] Left { get; } = [.. postings.Select(p => p.Amount)];
}

/// <summary>A ledger that only keeps sums, written apart from the real one to be compared with it.</summary>
internal sealed class NaiveLedger(IReadOnlyList<Opening> openings)
{
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(5);
    private readonly HashSet<string> transactionReferences = [];
    private readonly HashSet<string> holdReferences = [];

    public Dictionary<AccountId, NaiveAccount> Accounts { get; } =
        openings.ToDictionary(o => o.Id, o => new NaiveAccount(o));

    public List<NaiveHold> Holds { get; } = [];

    public List<NaiveTransaction> Transactions { get; } = [];

    public DateTimeOffset Now { get; set; } = new(2026, 1, 10, 12, 0, 0, TimeSpan.Zero);

    public Verdict Post(IReadOnlyList<Posting> postings, string? reference) =>
        Post(postings, reference, false, [], 0, []);

    public Verdict Place(
        IReadOnlyList<HoldSource> sources,
        long amount,
        bool partial,
        DateTimeOffset expiresAt,
        string reference,
        Capture? capture
    )
    {
        var codes = new HashSet<string>();
        Require(codes, !holdReferences.Contains(reference), "reference_reused");
        Require(codes, capture is null || !transactionReferences.Contains(reference), "reference_reused");
        Require(codes, capture is not null || expiresAt > Now, "hold_expired");
        var accounts = sources.Select(s => Accounts.GetValueOrDefault(s.AccountId)).ToList();
        Require(codes, !accounts.Contains(null), "not_found");
        foreach (var account in accounts.OfType<NaiveAccount>())
        {
            RequireOpen(codes, account, mayBeFrozen: false);
            Require(codes, !account.Opening.Striped, "invalid_request");
            Require(codes, account.Opening.Asset == accounts[0]?.Opening.Asset, "currency_mismatch");
        }

        if (codes.Count > 0)
        {
            return Verdict.Refused([.. codes]);
        }

        var (items, left) = (new List<(AccountId, long)>(), amount);
        foreach (var (account, max) in accounts.Zip(sources.Select(s => s.Max ?? long.MaxValue)))
        {
            var usable = account!.Opening.Floor is { } floor ? account.Posted - account.Held - floor : long.MaxValue;
            var part = Math.Min(left, Math.Min(usable, max));
            left -= part;
            if (part > 0)
            {
                items.Add((account.Opening.Id, part));
            }
        }

        if (left > 0 && !(partial && items.Count > 0))
        {
            return Verdict.Refused("insufficient_balance");
        }

        var hold = new NaiveHold { Items = items, ExpiresAt = expiresAt };
        return capture is null ? Reserve(hold, reference) : PlaceCaptured(hold, reference, capture);
    }

    public Verdict Capture(NaiveHold hold, long? amount, string? reference, Capture capture)
    {
        if ((Used(reference) ?? Over(hold)) is { } refused)
        {
            return refused;
        }

        if (Now >= hold.ExpiresAt + Grace)
        {
            return Verdict.Refused("hold_expired");
        }

        if (amount > hold.Held)
        {
            return Verdict.Refused("limit_exceeded");
        }

        var verdict = Spend(hold, amount ?? hold.Held, reference, capture, hold.Items);
        return verdict with { Hold = hold, Commit = verdict.Commit + (() => hold.State = HoldState.Captured) };
    }

    public Verdict Release(NaiveHold hold) => Over(hold) ?? End(hold, HoldState.Released);

    public Verdict Expire(NaiveHold hold) =>
        Over(hold)
        ?? (Now < hold.ExpiresAt + Grace ? Verdict.Refused("hold_not_pending") : End(hold, HoldState.Expired));

    public Verdict Extend(NaiveHold hold, DateTimeOffset until)
    {
        if ((Over(hold) ?? (Now >= hold.ExpiresAt ? Verdict.Refused("hold_expired") : null)) is { } refused)
        {
            return refused;
        }

        return until > Now.AddDays(30)
            ? Verdict.Refused("limit_exceeded")
            : new Verdict([], () => hold.ExpiresAt = until > hold.ExpiresAt ? until : hold.ExpiresAt, hold);
    }

    /// <param name="part">As in the reversal; null: all that is left.</param>
    public Verdict Reverse(NaiveTransaction original, Posting? part, string? reference)
    {
        if (Used(reference) is { } used)
        {
            return used;
        }

        var taken = new long[original.Postings.Count];
        var wanted = part?.Amount ?? long.MaxValue;
        for (var i = 0; i < taken.Length; i++)
        {
            var posting = original.Postings[i];
            if (part is not { } p || (p.Source == posting.Destination && p.Destination == posting.Source))
            {
                taken[i] = Math.Min(wanted, original.Left[i]);
                wanted -= part is null ? 0 : taken[i];
            }
        }

        if (original.IsReversal || taken.Sum() == 0 || (part is not null && wanted > 0))
        {
            return Verdict.Refused("reversal_exceeds_original");
        }

        Posting[] postings =
        [
            .. original
                .Postings.Zip(taken)
                .Where(p => p.Second > 0)
                .Select(p => new Posting(p.First.Destination, p.First.Source, p.Second)),
        ];
        return Post(postings, reference, true, [], 0, []) is var verdict && !verdict.Succeeds
            ? verdict
            : verdict with
            {
                Commit =
                    verdict.Commit
                    + (() => Enumerable.Range(0, taken.Length).ToList().ForEach(i => original.Left[i] -= taken[i])),
            };
    }

    private static void Require(HashSet<string> codes, bool holds, string code)
    {
        if (!holds)
        {
            codes.Add(code);
        }
    }

    private static void RequireOpen(HashSet<string> codes, NaiveAccount account, bool mayBeFrozen)
    {
        Require(codes, account.Status != AccountStatus.Frozen || mayBeFrozen, "account_frozen");
        Require(codes, account.Status != AccountStatus.Closed, "account_closed");
    }

    private static Verdict? Over(NaiveHold hold) =>
        hold.State switch
        {
            HoldState.Pending => null,
            HoldState.Expired => Verdict.Refused("hold_expired"),
            _ => Verdict.Refused("hold_not_pending"),
        };

    private Verdict? Used(string? reference) =>
        reference is not null && transactionReferences.Contains(reference) ? Verdict.Refused("reference_reused") : null;

    private Verdict Reserve(NaiveHold hold, string reference) =>
        new(
            [],
            () =>
            {
                Holds.Add(hold);
                holdReferences.Add(reference);
                hold.Items.ForEach(item => Accounts[item.Account].Held += item.Amount);
            },
            hold
        );

    private Verdict PlaceCaptured(NaiveHold hold, string reference, Capture capture)
    {
        var verdict = Spend(hold, hold.Held, reference, capture, []);
        return verdict with
        {
            Hold = hold,
            Commit =
                verdict.Commit
                + (
                    () =>
                    {
                        hold.State = HoldState.Captured;
                        Holds.Add(hold);
                        holdReferences.Add(reference);
                    }
                ),
        };
    }

    private Verdict End(NaiveHold hold, HoldState state) =>
        new(
            [],
            () =>
            {
                hold.State = state;
                hold.Items.ForEach(item => Accounts[item.Account].Held -= item.Amount);
            },
            hold
        );

    private Verdict Spend(
        NaiveHold hold,
        long amount,
        string? reference,
        Capture capture,
        List<(AccountId Account, long Amount)> freed
    )
    {
        var (postings, left) = (new List<Posting>(), amount);
        foreach (var (account, held) in hold.Items.TakeWhile(_ => left > 0))
        {
            postings.Add(new Posting(account, capture.Destination, Math.Min(held, left)));
            left -= postings[^1].Amount;
        }

        return postings.Exists(p => p.Source == p.Destination)
            ? Verdict.Refused("invalid_request")
            : Post(
                [.. postings, .. capture.Further],
                reference,
                false,
                freed,
                postings.Count,
                [.. hold.Items.Select(i => i.Account)]
            );
    }

    /// <param name="reserved">So many postings, the first ones, spend what was reserved on the accounts named: these
    /// may be frozen.</param>
    private Verdict Post(
        IReadOnlyList<Posting> postings,
        string? reference,
        bool isReversal,
        List<(AccountId Account, long Amount)> freed,
        int reserved,
        HashSet<AccountId> reservedOn
    )
    {
        var codes = new HashSet<string>();
        Require(codes, reference is null || !transactionReferences.Contains(reference), "reference_reused");
        var delta = new Dictionary<AccountId, long>();
        foreach (var (i, (source, destination, amount)) in postings.Index())
        {
            var (from, to) = (Accounts.GetValueOrDefault(source), Accounts.GetValueOrDefault(destination));
            Require(codes, from is not null && to is not null, "not_found");
            if (from is not null && to is not null)
            {
                Require(codes, from.Opening.Asset == to.Opening.Asset, "currency_mismatch");
            }

            foreach (
                var (account, mayBeFrozen) in new[] { (from, i < reserved && reservedOn.Contains(source)), (to, false) }
            )
            {
                if (account is not null)
                {
                    RequireOpen(codes, account, mayBeFrozen);
                }
            }

            delta[source] = delta.GetValueOrDefault(source) - amount;
            delta[destination] = delta.GetValueOrDefault(destination) + amount;
        }

        foreach (
            var (account, change) in delta
                .Where(d => Accounts.ContainsKey(d.Key))
                .Select(d => (Accounts[d.Key], d.Value))
        )
        {
            var posted = account.Posted + change;
            var held = account.Held - freed.Where(f => f.Account == account.Opening.Id).Sum(f => f.Amount);
            Require(codes, account.Opening.Floor is not { } floor || posted - held >= floor, "insufficient_balance");
            Require(codes, account.Opening.Ceiling is not { } ceiling || posted <= ceiling, "limit_exceeded");
        }

        var transaction = new NaiveTransaction(postings, isReversal);
        return new Verdict(
            codes,
            () =>
            {
                Transactions.Add(transaction);
                delta.ToList().ForEach(d => Accounts[d.Key].Posted += d.Value);
                freed.ForEach(f => Accounts[f.Account].Held -= f.Amount);
                if (reference is not null)
                {
                    transactionReferences.Add(reference);
                }
            },
            null,
            transaction
        );
    }
}
