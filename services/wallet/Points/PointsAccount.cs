using LocalPlus.Kernel;
using LocalPlus.Wallet.Programs;

namespace LocalPlus.Wallet.Points;

/// <summary>Where points come from: what they are worth, who pays for it, and when they end.</summary>
internal sealed record PointsOrigin(
    string Source,
    long Value,
    DateTimeOffset? ExpiresAt,
    EarningId? EarningId = null,
    MerchantId? FundedBy = null,
    long Funded = 0
);

/// <summary>
/// A member's points as rules of arithmetic: lots, what is pending, and what is owed. Pure: it is given the state, and
/// what it decides is written and booked by others. What can be spent is always the sum of the lots; nobody is owed and
/// owes at once.
/// </summary>
internal sealed partial class PointsAccount(
    MemberId member,
    NegativePolicy negative,
    IEnumerable<Lot> lots,
    long pending,
    long owed,
    Func<LotId> newLot,
    long held = 0
)
{
    private readonly List<Lot> lots = [.. lots];

    public MemberId Member { get; } = member;

    public long Points => lots.Sum(lot => lot.Remaining);

    public long Pending { get; private set; } = pending;

    public long Owed { get; private set; } = owed;

    /// <summary>What redemptions hold; none of it can be spent.</summary>
    public long Held { get; private set; } = held;

    public IReadOnlyList<Lot> Lots => lots;

    private string Account => PointsAccounts.Of(Member);

    /// <summary>Points that may be spent from now on; what is owed is settled with them first.</summary>
    public Movement Earn(long points, PointsOrigin origin, DateTimeOffset now)
    {
        var change = Add(points, origin, now);
        return Incoming(MovementKind.Earn, PointsAccounts.Pool, points, 0, origin, change);
    }

    /// <summary>Points that have to wait.</summary>
    public Movement Pend(long points)
    {
        Pending += points;
        return new(
            MovementKind.Pend,
            0,
            points,
            0,
            0,
            [],
            [new(PointsAccounts.Pool, PointsAccounts.PendingOf(Member), points)]
        );
    }

    /// <summary>What has waited may be spent.</summary>
    public Movement Release(long points, PointsOrigin origin, DateTimeOffset now)
    {
        Pending -= points;
        var change = Add(points, origin, now);
        return Incoming(MovementKind.Release, PointsAccounts.PendingOf(Member), points, -points, origin, change);
    }

    /// <summary>Of what waits, so much will not come.</summary>
    public Movement TakeBackPending(long points)
    {
        Pending -= points;
        return new(
            MovementKind.TakeBack,
            0,
            -points,
            0,
            0,
            [],
            [new(PointsAccounts.PendingOf(Member), PointsAccounts.Pool, points)]
        );
    }

    /// <summary>
    /// What a purchase has earned, from its own lot first; what is gone already is owed, or makes the account negative.
    /// </summary>
    public Movement TakeBack(long points, EarningId earning)
    {
        var (taken, from) = Take(points, lot => lot.EarningId == earning ? 0 : 1);
        var missing = points - taken.Points;
        Owed += missing;
        var booked = negative == NegativePolicy.Allow ? points : taken.Points;
        return Outgoing(MovementKind.TakeBack, PointsAccounts.Pool, booked, taken, from, PointsAccounts.Expense) with
        {
            Owed = missing,
        };
    }

    /// <summary>Spends points; null: there are not so many.</summary>
    public Movement? Redeem(long points)
    {
        if (points > Points)
        {
            return null;
        }

        var (taken, from) = Take(points);
        return Outgoing(MovementKind.Redeem, PointsAccounts.Pool, points, taken, from, PointsAccounts.Payable);
    }

    /// <summary>All points whose time is over; null: there are none.</summary>
    public Movement? Expire(DateTimeOffset now)
    {
        var over = lots.Where(lot => lot.ExpiresAt <= now).Sum(lot => lot.Remaining);
        if (over == 0)
        {
            return null;
        }

        var (taken, from) = Take(over, lot => lot.ExpiresAt <= now ? 0 : 1);
        return Outgoing(MovementKind.Expire, PointsAccounts.Pool, over, taken, from, PointsAccounts.Breakage);
    }

    /// <summary>More points or fewer, by somebody's decision; null: there are not so many to take.</summary>
    public Movement? Adjust(long points, PointsOrigin origin, DateTimeOffset now)
    {
        if (points > 0)
        {
            var change = Add(points, origin, now);
            return Incoming(MovementKind.Adjust, PointsAccounts.Adjustments, points, 0, origin, change);
        }

        if (-points > Points)
        {
            return null;
        }

        var (taken, from) = Take(-points);
        return Outgoing(MovementKind.Adjust, PointsAccounts.Adjustments, -points, taken, from, PointsAccounts.Expense);
    }

    /// <summary>
    /// Points to another member, each with the expiry and the value that it has; null: there are not so many. What the
    /// other owes is settled with them first.
    /// </summary>
    public (Movement Out, Movement In)? Transfer(long points, PointsAccount to, DateTimeOffset now)
    {
        if (points > Points)
        {
            return null;
        }

        var changes = new List<LotChange>();
        var received = new List<LotChange>();
        foreach (var lot in Ordered(_ => 0))
        {
            var part = Math.Min(lot.Remaining, points + changes.Sum(change => change.Points));
            if (part == 0)
            {
                break;
            }

            var (value, funded) = lot.Take(part);
            changes.Add(new(lot, -part));
            received.Add(to.Receive(lot, part, value, funded, now));
        }

        var (settled, settling) = to.Settle(received);
        List<Booking> bookings = [new(Account, to.Account, points), .. settling.Bookings];
        return (
            new(MovementKind.TransferOut, -points, 0, 0, settling.Value, changes, bookings),
            new(MovementKind.TransferIn, points - settled, 0, -settled, 0, Net(received), [])
        );
    }

    /// <summary>All that is left of a member that leaves; null: nothing is.</summary>
    public Movement? Forfeit()
    {
        var (all, waiting) = (Points, Pending);
        if (all == 0 && waiting == 0)
        {
            return null;
        }

        var (taken, from) = Take(all);
        var movement = Outgoing(MovementKind.Forfeit, PointsAccounts.Pool, all, taken, from, PointsAccounts.Breakage);
        Pending = 0;
        return waiting == 0
            ? movement
            : movement with
            {
                Pending = -waiting,
                Bookings = [.. movement.Bookings, new(PointsAccounts.PendingOf(Member), PointsAccounts.Pool, waiting)],
            };
    }

    /// <summary>What waits, to another member; null: nothing does.</summary>
    public (Movement Out, Movement In)? TransferPending(PointsAccount to)
    {
        var waiting = Pending;
        if (waiting == 0)
        {
            return null;
        }

        Pending = 0;
        to.Pending += waiting;
        Booking booking = new(PointsAccounts.PendingOf(Member), PointsAccounts.PendingOf(to.Member), waiting);
        return (
            new(MovementKind.TransferOut, 0, -waiting, 0, 0, [], [booking]),
            new(MovementKind.TransferIn, 0, waiting, 0, 0, [], [])
        );
    }

    /// <summary>What is owed, to another member, who settles it with what there is; null: nothing is.</summary>
    public (Movement Out, Movement In)? TransferOwed(PointsAccount to)
    {
        var moved = Owed;
        if (moved == 0)
        {
            return null;
        }

        Owed = 0;
        var (taken, from) = to.Take(moved);
        to.Owed += moved - taken.Points;
        var isNegative = negative == NegativePolicy.Allow;
        var settled = Outgoing(
            MovementKind.TransferIn,
            isNegative ? Account : PointsAccounts.Pool,
            isNegative ? moved : taken.Points,
            taken,
            from,
            PointsAccounts.Expense,
            to.Account
        );
        return (new(MovementKind.TransferOut, 0, 0, -moved, 0, [], []), settled with { Owed = moved - taken.Points });
    }

    /// <summary>Every lot that is good now lasts at least until then; those that last longer now.</summary>
    public IReadOnlyList<Lot> Prolong(DateTimeOffset now, DateTimeOffset until)
    {
        var prolonged = lots.FindAll(lot => lot.Remaining > 0 && lot.ExpiresAt > now && lot.ExpiresAt < until);
        prolonged.ForEach(lot => lot.ExpiresAt = until);
        return prolonged;
    }

    /// <summary>Makes a lot and settles with it what is owed.</summary>
    private (LotChange Lot, long Settled, long Value, long Funded) Add(
        long points,
        PointsOrigin origin,
        DateTimeOffset now
    )
    {
        var lot = new Lot
        {
            LotId = newLot(),
            Source = origin.Source,
            EarningId = origin.EarningId,
            Points = points,
            Remaining = points,
            Value = origin.Value,
            Funded = origin.Funded,
            FundedBy = origin.FundedBy,
            ExpiresAt = origin.ExpiresAt,
            CreatedAt = now,
        };
        lots.Add(lot);
        var settled = Math.Min(Owed, points);
        Owed -= settled;
        var (value, funded) = settled == 0 ? (0, 0) : lot.Take(settled);
        return (new(lot, points - settled), settled, value, funded);
    }

    private LotChange Receive(Lot from, long points, long value, long funded, DateTimeOffset now)
    {
        var lot = new Lot
        {
            LotId = newLot(),
            Source = MovementKind.TransferIn,
            ParentLotId = from.LotId,
            Points = points,
            Remaining = points,
            Value = value,
            Funded = funded,
            FundedBy = from.FundedBy,
            ExpiresAt = from.ExpiresAt,
            CreatedAt = now,
        };
        lots.Add(lot);
        return new(lot, points);
    }

    /// <summary>Settles what is owed with points that came from another member.</summary>
    private (long Settled, (long Value, IReadOnlyList<Booking> Bookings)) Settle(IReadOnlyList<LotChange> received)
    {
        var (settled, money) = (0L, new List<(long Value, long Funded, MerchantId? By)>());
        foreach (var lot in received.Select(change => change.Lot))
        {
            var part = Math.Min(Owed, lot.Remaining);
            if (part > 0)
            {
                var (value, funded) = lot.Take(part);
                money.Add((value, funded, lot.FundedBy));
                (Owed, settled) = (Owed - part, settled + part);
            }
        }

        if (settled == 0)
        {
            return (0, (0, []));
        }

        List<Booking> bookings = [.. Unowe(money, PointsAccounts.Expense)];
        if (negative == NegativePolicy.Owed)
        {
            bookings.Add(new(Account, PointsAccounts.Pool, settled));
        }

        return (settled, (-money.Sum(m => m.Value), bookings));
    }

    private static LotChange[] Net(IReadOnlyList<LotChange> received) =>
        [
            .. received
                .Select(change => new LotChange(change.Lot, change.Lot.Remaining))
                .Where(change => change.Points > 0),
        ];

    private Movement Incoming(
        string kind,
        string from,
        long points,
        long pendingChange,
        PointsOrigin origin,
        (LotChange Lot, long Settled, long Value, long Funded) change
    )
    {
        List<Booking> bookings = [new(from, Account, points)];
        if (change.Settled > 0 && negative == NegativePolicy.Owed)
        {
            bookings.Add(new(Account, PointsAccounts.Pool, change.Settled));
        }

        var (value, funded) = (origin.Value - change.Value, origin.Funded - change.Funded);
        Add(bookings, PointsAccounts.Expense, PointsAccounts.Liability, value - funded);
        if (origin.FundedBy is { } partner)
        {
            Add(bookings, PointsAccounts.FundedBy(partner), PointsAccounts.Liability, funded);
        }

        return new(
            kind,
            points - change.Settled,
            pendingChange,
            -change.Settled,
            value,
            change.Lot.Points == 0 ? [] : [change.Lot],
            bookings
        );
    }

    private Movement Outgoing(
        string kind,
        string to,
        long booked,
        (long Points, IReadOnlyList<LotChange> Lots) taken,
        IReadOnlyList<(long Value, long Funded, MerchantId? By)> money,
        string moneyTo,
        string? of = null
    )
    {
        List<Booking> bookings = [];
        Add(bookings, of ?? Account, to, booked, isMoney: false);
        bookings.AddRange(Unowe(money, moneyTo));
        return new(kind, -taken.Points, 0, 0, -money.Sum(m => m.Value), taken.Lots, bookings);
    }

    /// <summary>
    /// The money that is owed no more: to where it goes; of what is taken back, a partner gets its part again.
    /// </summary>
    private static List<Booking> Unowe(IReadOnlyList<(long Value, long Funded, MerchantId? By)> money, string moneyTo)
    {
        List<Booking> bookings = [];
        var returned = moneyTo == PointsAccounts.Expense;
        Add(
            bookings,
            PointsAccounts.Liability,
            moneyTo,
            money.Sum(m => returned && m.By is not null ? m.Value - m.Funded : m.Value)
        );
        foreach (var partner in money.Where(m => returned && m.By is not null).GroupBy(m => m.By!.Value))
        {
            Add(bookings, PointsAccounts.Liability, PointsAccounts.FundedBy(partner.Key), partner.Sum(m => m.Funded));
        }

        return bookings;
    }

    private static void Add(List<Booking> bookings, string from, string to, long amount, bool isMoney = true)
    {
        if (amount > 0)
        {
            bookings.Add(new(from, to, amount, isMoney));
        }
    }

    /// <summary>As many as there are, up to so many: those that end first, first.</summary>
    private (
        (long Points, IReadOnlyList<LotChange> Lots) Taken,
        IReadOnlyList<(long Value, long Funded, MerchantId? By)> Money
    ) Take(long points, Func<Lot, int>? preference = null)
    {
        var (left, changes, money) = (points, new List<LotChange>(), new List<(long, long, MerchantId?)>());
        foreach (var lot in Ordered(preference ?? (_ => 0)))
        {
            var part = Math.Min(lot.Remaining, left);
            if (part == 0)
            {
                break;
            }

            var (value, funded) = lot.Take(part);
            changes.Add(new(lot, -part));
            money.Add((value, funded, lot.FundedBy));
            left -= part;
        }

        return ((points - left, changes), money);
    }

    private Lot[] Ordered(Func<Lot, int> preference) =>
        [
            .. lots.Where(lot => lot.Remaining > 0)
                .OrderBy(preference)
                .ThenBy(lot => lot.ExpiresAt ?? DateTimeOffset.MaxValue)
                .ThenBy(lot => lot.CreatedAt)
                .ThenBy(lot => lot.LotId.Value),
        ];
}
