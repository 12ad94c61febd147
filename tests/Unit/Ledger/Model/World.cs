using LocalPlus.Kernel;
using LocalPlus.Ledger.Books;
using LocalPlus.Ledger.Operations;

namespace LocalPlus.Tests.Unit.Ledger.Model;

/// <summary>Something to send to the books, and what ought to come of it.</summary>
/// <param name="Earlier">Set on a repeat: the text that the key was answered with.</param>
internal sealed record Plan(Request Request, Verdict Verdict, string? Earlier = null)
{
    public bool Changes => Verdict.Succeeds && !Request.Rehearses && Earlier is null;
}

/// <summary>Turns steps into operations on what exists, and knows what they ought to come to.</summary>
internal sealed class World
{
    private static readonly int[] MinutesToPass = [1, 10, 61];
    private readonly List<(Request Request, Reply Reply)> answered = [];
    private readonly AccountId missing = AccountId.New(TimeProvider.System);
    private int count;

    public World()
    {
        Openings =
        [
            new("source", "EUR", Floor: null),
            new("card:1", "EUR"),
            new("card:2", "EUR", Ceiling: 500),
            new("credit", "EUR", Floor: -50),
            new("payable", "EUR", Floor: null, Striped: true),
            new("fees", "EUR", Floor: null, Striped: true),
            new("member", "PTS:club"),
            new("pool", "PTS:club", Floor: null, Striped: true),
            new("card:3", "EUR"),
        ];
        Ledger = new NaiveLedger(Openings);
    }

    public MerchantId Merchant { get; } = MerchantId.New(TimeProvider.System);

    public IReadOnlyList<Opening> Openings { get; }

    public NaiveLedger Ledger { get; }

    private IReadOnlyList<NaiveHold> KnownHolds => [.. Ledger.Holds.Where(hold => hold.Id is not null)];

    private IReadOnlyList<NaiveTransaction> KnownTransactions =>
        [.. Ledger.Transactions.Where(transaction => transaction.Id is not null)];

    /// <summary>The operation of a step, or null when there is nothing yet that it could be done to.</summary>
    public Plan? Plan(Step step, bool remembersKeys)
    {
        if (step.Act is Act.Repeat or Act.RepeatOther)
        {
            return remembersKeys && answered.Count > 0 ? Again(step, answered[step.A % answered.Count]) : null;
        }

        if (Decide(step) is not var (operation, verdict))
        {
            return null;
        }

        var name = $"{Merchant}-{++count}";
        var plan = new Plan(new Request(operation, name, name, step.Rehearses), verdict);
        if (plan.Changes)
        {
            verdict.Commit();
        }

        return plan;
    }

    /// <summary>Takes note of the ids that the books gave and of the answers that they have to remember.</summary>
    public void Learn(Plan plan, Reply reply)
    {
        if (plan.Changes)
        {
            plan.Verdict.Hold?.Id ??= reply.Hold;
            plan.Verdict.Transaction?.Id ??= reply.Transaction;
        }

        if (
            !plan.Request.Rehearses
            && plan.Earlier is null
            && reply.Code is not ("invalid_request" or "idempotency_key_reused")
        )
        {
            answered.Add((plan.Request, reply));
        }
    }

    /// <summary>The account of a step, with whom the status changes: nobody closes what is not empty.</summary>
    public (AccountId Account, AccountStatus Status)? StatusChange(Step step)
    {
        var account = Ledger.Accounts[Openings[step.A % Openings.Count].Id];
        AccountStatus? wanted = step.Act switch
        {
            Act.Freeze => AccountStatus.Frozen,
            Act.Thaw => AccountStatus.Open,
            Act.Close when account is { Posted: 0, Held: 0 } && step.Flag => AccountStatus.Closed,
            _ => null,
        };
        if (wanted is not { } status || account.Status == AccountStatus.Closed)
        {
            return null;
        }

        account.Status = status;
        return (account.Opening.Id, status);
    }

    public void Pass(Step step) => Ledger.Now = Ledger.Now.AddMinutes(MinutesToPass[step.A % MinutesToPass.Length]);

    public void RequireAgrees(BooksState state)
    {
        foreach (var fact in state.Accounts)
        {
            var expected = Ledger.Accounts[fact.Id];
            Assert.True(
                (expected.Posted, expected.Held) == (fact.Posted, fact.Held),
                $"{fact}: {expected.Posted} and {expected.Held} expected"
            );
        }

        var states = state.Holds.ToDictionary(h => h.Id, h => h.State);
        Assert.All(Ledger.Holds, hold => Assert.Equal(hold.State, states[hold.Id!.Value]));
        Assert.Equal(Ledger.Transactions.Count, state.Transactions.Count);
    }

    private static Plan Again(Step step, (Request Request, Reply Reply) earlier) =>
        step.Act == Act.Repeat
            ? new Plan(earlier.Request, new Verdict([], () => { }), earlier.Reply.Text)
            : new Plan(
                earlier.Request with
                {
                    Body = $"other than {earlier.Request.Body}",
                },
                Verdict.Refused("idempotency_key_reused")
            );

    private (Operation Operation, Verdict Verdict)? Decide(Step step) =>
        step.Act switch
        {
            Act.Post => Post(step, [Move(step.A, step.B, step.Amount)]),
            Act.PostTwo => Post(
                step,
                [Move(step.A, step.B, step.Amount), Move(step.B, step.C, Math.Max(1, step.Amount / 2))]
            ),
            Act.Place => Place(step, null),
            Act.PlaceAndCapture => Place(step, Capture(step)),
            Act.Reverse or Act.ReversePart => KnownTransactions.Count == 0 ? null : Reverse(step),
            _ => KnownHolds.Count == 0 ? null : Settle(step, KnownHolds[step.A % KnownHolds.Count]),
        };

    private (Operation, Verdict) Post(Step step, Posting[] postings)
    {
        var reference = Reference("t", step);
        return (
            new PostTransaction(Merchant, new Header(reference, "test"), postings),
            Ledger.Post(postings, reference)
        );
    }

    private (Operation, Verdict) Place(Step step, Capture? capture)
    {
        AccountId[] accounts =
        [
            .. new[] { Pick(step.A), Pick(step.B), Pick(step.C) }.Take(1 + (step.C % 3)).Distinct(),
        ];
        HoldSource[] sources =
        [
            .. accounts.Select((id, i) => new HoldSource(id, i == 0 && step.B % 4 == 0 ? 10 : null)),
        ];
        var reference = Reference("h", step) ?? $"h-{count + 1}";
        var expiresAt = step.C == 99 ? Ledger.Now : Ledger.Now.AddMinutes(MinutesToPass[step.B % MinutesToPass.Length]);
        return (
            new PlaceHold(Merchant, reference, step.Amount, sources, step.Flag, expiresAt, capture, null),
            Ledger.Place(sources, step.Amount, step.Flag, expiresAt, reference, capture)
        );
    }

    private (Operation, Verdict) Settle(Step step, NaiveHold hold)
    {
        var id = hold.Id!.Value;
        switch (step.Act)
        {
            case Act.Capture:
                var (amount, reference, capture) = (
                    step.Flag ? (long?)null : step.Amount,
                    Reference("t", step),
                    Capture(step)
                );
                return (
                    new CaptureHold(Merchant, id, amount, reference, capture, null),
                    Ledger.Capture(hold, amount, reference, capture)
                );
            case Act.Release:
                return (new ReleaseHold(Merchant, id), Ledger.Release(hold));
            case Act.Expire:
                return (new ExpireHold(Merchant, id), Ledger.Expire(hold));
            default:
                var until = Ledger.Now.AddMinutes(step.B * 5);
                return (new ExtendHold(Merchant, id, until), Ledger.Extend(hold, until));
        }
    }

    private (Operation, Verdict) Reverse(Step step)
    {
        var original = KnownTransactions[step.A % KnownTransactions.Count];
        var posting = original.Postings[step.B % original.Postings.Count];
        Posting? part = step.Act == Act.Reverse ? null : new Posting(posting.Destination, posting.Source, step.Amount);
        var reference = Reference("t", step);
        return (
            new ReverseTransaction(
                Merchant,
                original.Id!.Value,
                new Header(reference, "reversal"),
                part is { } p ? [p] : []
            ),
            Ledger.Reverse(original, part, reference)
        );
    }

    private Capture Capture(Step step) => new(Pick(step.B), step.C % 3 == 0 ? [Move(step.C, 5, 1)] : []);

    /// <summary>Mostly a fresh one, sometimes none, sometimes one that may be used already.</summary>
    private string? Reference(string kind, Step step) =>
        ((step.A + step.C) % 10) switch
        {
            0 => $"{kind}-{step.B % (count + 1)}",
            < 4 => null,
            _ => $"{kind}-{count + 1}",
        };

    private AccountId Pick(int n) => n == 98 ? missing : Openings[n % Openings.Count].Id;

    private Posting Move(int from, int to, long amount)
    {
        var (source, destination) = (Pick(from), Pick(to));
        return new Posting(source, destination == source ? Pick((from + 1) % Openings.Count) : destination, amount);
    }
}
