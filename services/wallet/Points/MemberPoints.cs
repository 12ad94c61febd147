using LocalPlus.Hosting;
using LocalPlus.Kernel;
using LocalPlus.Wallet.Members;
using LocalPlus.Wallet.Programs;

namespace LocalPlus.Wallet.Points;

/// <summary>What is written beside a movement itself.</summary>
/// <param name="EffectiveAt">When it counts; the purchase's time for what it earns.</param>
/// <param name="Awards">JSON of what each rule gave.</param>
internal sealed record MovementNote(
    DateTimeOffset EffectiveAt,
    EarningId? EarningId = null,
    MemberId? Counterpart = null,
    string? Awards = null,
    string? Reason = null,
    RedemptionId? RedemptionId = null
);

/// <summary>
/// A member under lock, with its points: what a transaction changes goes through here. Points whose time is over are
/// gone before anything else is decided. Each movement is written with the command that the ledger has to book. What
/// was decided is recorded, and written by <see cref="WriteAllAsync"/>, that of many members in one.
/// </summary>
internal sealed partial class MemberPoints
{
    private readonly TimeProvider time;
    private readonly List<MovementId> unbooked = [];
    private readonly HashSet<LotId> known;
    private readonly HashSet<Lot> changed = [];
    private readonly List<Recorded> movements = [];
    private readonly List<OutboxEvent> events = [];
    private bool isChanged;

    private MemberPoints(MemberRow member, LoyaltyProgramRow program, IEnumerable<Lot> lots, TimeProvider time)
    {
        (Member, Program, this.time) = (member, program, time);
        Terms = program.ToTerms();
        Account = new PointsAccount(
            member.MemberId,
            Terms.Negative,
            lots,
            member.Pending,
            member.Owed,
            () => LotId.New(time),
            member.Held
        );
        known = [.. Account.Lots.Select(lot => lot.LotId)];
    }

    public MemberRow Member { get; }

    public LoyaltyProgramRow Program { get; }

    public LoyaltyTerms Terms { get; }

    public PointsAccount Account { get; }

    /// <summary>What the ledger has to be told once this transaction is committed.</summary>
    public IReadOnlyList<MovementId> Unbooked => unbooked;

    /// <summary>As <see cref="Unbooked"/>, but each once.</summary>
    public IReadOnlyList<MovementId> TakeUnbooked()
    {
        MovementId[] taken = [.. unbooked];
        unbooked.Clear();
        return taken;
    }

    /// <summary>Locks the member and reads its points; what is over by now is written off.</summary>
    public static async Task<MemberPoints> LockAsync(DbSession db, MemberId id, TimeProvider time)
    {
        var points = (await LockAllAsync(db, [id], time))[id];
        await points.WriteAsync(db);
        return points;
    }

    /// <summary>As the other, for a job: null where somebody is at the member just now.</summary>
    public static async Task<MemberPoints?> TryLockAsync(DbSession db, MemberId id, TimeProvider time)
    {
        if (await MemberStore.TryLockAsync(db, id) is not { } member)
        {
            return null;
        }

        var points = (await ReadAsync(db, [member], time))[id];
        await points.WriteAsync(db);
        return points;
    }

    /// <summary>
    /// As the other, of many, in the order of their ids; those there are. What is over is recorded, not yet written.
    /// </summary>
    public static async Task<IReadOnlyDictionary<MemberId, MemberPoints>> LockAllAsync(
        DbSession db,
        IEnumerable<MemberId> ids,
        TimeProvider time
    ) => await ReadAsync(db, await MemberStore.LockAllAsync(db, ids), time);

    private static async Task<IReadOnlyDictionary<MemberId, MemberPoints>> ReadAsync(
        DbSession db,
        IReadOnlyList<MemberRow> members,
        TimeProvider time
    )
    {
        var programs = await LoyaltyPrograms.GetAllAsync(db, members.Select(member => member.ProgramId));
        var lots = (
            await db.QueryAsync<Lot>(
                Sql.Lots,
                new { MemberIds = members.Select(member => member.MemberId.Value).ToArray() }
            )
        ).ToLookup(lot => lot.MemberId);
        var all = members.ToDictionary(
            member => member.MemberId,
            member => new MemberPoints(member, programs[member.ProgramId], lots[member.MemberId], time)
        );
        foreach (var points in all.Values)
        {
            points.Expire();
        }

        return all;
    }

    /// <summary>Writes off what is over by now.</summary>
    public Task ExpireAsync(DbSession db)
    {
        Expire();
        return WriteAsync(db);
    }

    /// <summary>Reads lots that something is to come back to, also those that nothing is left of.</summary>
    public async Task KnowAsync(DbSession db, IEnumerable<LotId> ids)
    {
        var lots = await db.QueryAsync<Lot>(Sql.LotsById, new { LotIds = ids.Select(id => id.Value).ToArray() });
        Account.Know(lots);
        known.UnionWith(lots.Select(lot => lot.LotId));
    }

    /// <summary>Writes a movement that <see cref="Account"/> has made, and tells it.</summary>
    public async Task<MovementId> WriteAsync(DbSession db, Movement movement, MovementNote note)
    {
        var id = Record(movement, note);
        await WriteAsync(db);
        return id;
    }

    /// <summary>Writes what was recorded.</summary>
    public Task WriteAsync(DbSession db) => WriteAllAsync(db, [this], time.GetUtcNow());

    /// <summary>Records a movement of <see cref="Account"/>: a version of the member, and told as such.</summary>
    /// <param name="trace">Of its cause; absent: what runs now.</param>
    public MovementId Record(Movement movement, MovementNote note, string? trace = null)
    {
        var id = MovementId.New(time);
        RecordChange();
        changed.UnionWith(movement.Lots.Select(change => change.Lot));
        movements.Add(new(id, movement, note, time.GetUtcNow()));
        if (movement.Bookings.Count > 0)
        {
            unbooked.Add(id);
        }

        events.Add(
            MemberEvents.Of(
                MemberEvents.PointsChanged,
                Member,
                new(id.ToString(), movement.Kind, movement.Points, movement.Pending, movement.Value, Program.Currency),
                trace
            )
        );
        return id;
    }

    /// <summary>Records that the member's row has changed; every change is a version.</summary>
    public void RecordChange()
    {
        Member.Points = Account.Points;
        Member.Pending = Account.Pending;
        Member.Owed = Account.Owed;
        Member.Held = Account.Held;
        Member.Version++;
        isChanged = true;
    }

    /// <summary>Records another tier, or none, and tells it.</summary>
    public void RecordTier(string? tier, DateTimeOffset? until, string? trace = null)
    {
        (Member.Tier, Member.TierUntil) = (tier, until);
        RecordChange();
        events.Add(MemberEvents.Of(MemberEvents.TierChanged, Member, null, trace));
    }

    /// <summary>Every lot that is good now lasts at least until then: an activity has moved its end.</summary>
    public void Prolong(DateTimeOffset now, DateTimeOffset until) => changed.UnionWith(Account.Prolong(now, until));

    /// <summary>Writes what was recorded of these, each kind in one statement; nothing where nothing was.</summary>
    public static async Task WriteAllAsync(DbSession db, IReadOnlyList<MemberPoints> all, DateTimeOffset now)
    {
        var rows = all.Where(points => points.isChanged).ToArray();
        if (rows.Length > 0)
        {
            await PointsRows.WriteAsync(db, rows, now);
            await MemberEvents.PublishAsync(db, [.. rows.SelectMany(points => points.events)], now);
        }

        foreach (var points in rows)
        {
            points.changed.Clear();
            points.movements.Clear();
            points.events.Clear();
            points.isChanged = false;
        }
    }

    /// <summary>The lots that are to be written: those that are new, and the others that have changed.</summary>
    private (Lot[] Made, Lot[] Changed) TakeLots()
    {
        // One that was made and settled at once has no change of its own and is written all the same.
        var made = Account.Lots.Where(lot => known.Add(lot.LotId)).ToArray();
        return (made, [.. changed.Except(made)]);
    }

    private void Expire()
    {
        var now = time.GetUtcNow();
        if (Account.Expire(now) is { } expired)
        {
            Record(expired, new(now));
        }
    }
}
