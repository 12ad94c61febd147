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
/// gone before anything else is decided. Each movement is written with the command that the ledger has to book.
/// </summary>
internal sealed class MemberPoints
{
    private readonly TimeProvider time;
    private readonly List<MovementId> unbooked = [];
    private readonly HashSet<LotId> known;

    private MemberPoints(MemberRow member, LoyaltyProgramRow program, PointsAccount account, TimeProvider time)
    {
        (Member, Program, Account, this.time) = (member, program, account, time);
        Terms = program.ToTerms();
        known = [.. account.Lots.Select(lot => lot.LotId)];
    }

    public MemberRow Member { get; }

    public LoyaltyProgramRow Program { get; }

    public LoyaltyTerms Terms { get; }

    public PointsAccount Account { get; }

    /// <summary>What the ledger has to be told once this transaction is committed.</summary>
    public IReadOnlyList<MovementId> Unbooked => unbooked;

    /// <summary>Locks the member and reads its points; what is over by now is written off.</summary>
    public static async Task<MemberPoints> LockAsync(DbSession db, MemberId id, TimeProvider time) =>
        await ReadAsync(db, await MemberStore.LockAsync(db, id), time);

    /// <summary>As the other, for a job: null where somebody is at the member just now.</summary>
    public static async Task<MemberPoints?> TryLockAsync(DbSession db, MemberId id, TimeProvider time) =>
        await MemberStore.TryLockAsync(db, id) is { } member ? await ReadAsync(db, member, time) : null;

    private static async Task<MemberPoints> ReadAsync(DbSession db, MemberRow member, TimeProvider time)
    {
        var program = await LoyaltyPrograms.GetAsync(db, member.ProgramId);
        var lots = await db.QueryAsync<Lot>(Sql.Lots, new { member.MemberId });
        var account = new PointsAccount(
            member.MemberId,
            program.ToTerms().Negative,
            lots,
            member.Pending,
            member.Owed,
            () => LotId.New(time),
            member.Held
        );
        var points = new MemberPoints(member, program, account, time);
        await points.ExpireAsync(db);
        return points;
    }

    /// <summary>Writes off what is over by now.</summary>
    public async Task ExpireAsync(DbSession db)
    {
        var now = time.GetUtcNow();
        if (Account.Expire(now) is { } expired)
        {
            await WriteAsync(db, expired, new(now));
        }
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
        var (id, now) = (MovementId.New(time), time.GetUtcNow());
        await WriteMemberAsync(db);
        await WriteLotsAsync(db, movement.Lots);
        await db.ExecuteAsync(
            Sql.AddMovement,
            new
            {
                MovementId = id,
                Member.MemberId,
                movement.Kind,
                movement.Points,
                movement.Pending,
                movement.Owed,
                movement.Held,
                movement.Value,
                note.EarningId,
                note.RedemptionId,
                CounterpartId = note.Counterpart,
                note.Awards,
                note.Reason,
                note.EffectiveAt,
                RecordedAt = now,
                LotIds = movement.Lots.Select(change => change.Lot.LotId).ToArray(),
                LotPoints = movement.Lots.Select(change => change.Points).ToArray(),
            }
        );
        if (movement.Bookings.Count > 0)
        {
            await db.ExecuteAsync(
                Sql.AddCommand,
                new
                {
                    MovementId = id,
                    Member.MerchantId,
                    Member.ProgramId,
                    movement.Kind,
                    Bookings = StoredJson.Write(movement.Bookings),
                    note.EffectiveAt,
                    DriveAfter = now + LoyaltyLimits.TakeOver,
                    CreatedAt = now,
                }
            );
            unbooked.Add(id);
        }

        await MemberEvents.PublishAsync(
            db,
            MemberEvents.PointsChanged,
            Member,
            new(id.ToString(), movement.Kind, movement.Points, movement.Pending)
        );
        return id;
    }

    /// <summary>Writes the member's row as it is now; every change is a version.</summary>
    public async Task WriteMemberAsync(DbSession db)
    {
        Member.Points = Account.Points;
        Member.Pending = Account.Pending;
        Member.Owed = Account.Owed;
        Member.Held = Account.Held;
        Member.Version++;
        await db.ExecuteAsync(Sql.WriteMember, Member);
    }

    /// <summary>Writes the expiry of all lots, which an activity has moved.</summary>
    public Task WriteExpiriesAsync(DbSession db) =>
        db.ExecuteAsync(
            Sql.WriteExpiries,
            new
            {
                LotIds = Account.Lots.Where(lot => lot.ExpiresAt is not null).Select(lot => lot.LotId).ToArray(),
                ExpiresAts = Account
                    .Lots.Where(lot => lot.ExpiresAt is not null)
                    .Select(lot => lot.ExpiresAt!.Value.UtcDateTime)
                    .ToArray(),
            }
        );

    private async Task WriteLotsAsync(DbSession db, IReadOnlyList<LotChange> changes)
    {
        // One that was made and settled at once has no change of its own and is written all the same.
        var made = Account.Lots.Where(lot => known.Add(lot.LotId)).ToArray();
        foreach (var lot in made)
        {
            await db.ExecuteAsync(
                Sql.AddLot,
                new
                {
                    lot.LotId,
                    Member.MemberId,
                    lot.Source,
                    lot.EarningId,
                    lot.ParentLotId,
                    lot.Points,
                    lot.Remaining,
                    lot.Value,
                    lot.Funded,
                    lot.FundedBy,
                    lot.ExpiresAt,
                    lot.CreatedAt,
                }
            );
        }

        foreach (var lot in changes.Select(change => change.Lot).Except(made))
        {
            await db.ExecuteAsync(
                Sql.WriteLot,
                new
                {
                    lot.LotId,
                    lot.Remaining,
                    lot.Value,
                    lot.Funded,
                }
            );
        }
    }

    internal static class Sql
    {
        public const string Lots = """
            SELECT lot_id, source, earning_id, parent_lot_id, points, remaining, value, funded, funded_by, expires_at,
                   created_at
              FROM member_lots
             WHERE member_id = @MemberId
               AND remaining > 0
             ORDER BY lot_id
            """;

        public const string LotsById = """
            SELECT lot_id, source, earning_id, parent_lot_id, points, remaining, value, funded, funded_by, expires_at,
                   created_at
              FROM member_lots
             WHERE lot_id = ANY(@LotIds)
             ORDER BY lot_id
            """;

        public const string WriteMember = """
            UPDATE members
               SET points = @Points,
                   pending = @Pending,
                   owed = @Owed,
                   held = @Held,
                   purchases = @Purchases,
                   tier = @Tier,
                   tier_until = @TierUntil,
                   version = @Version
             WHERE member_id = @MemberId
            """;

        public const string AddLot = """
            INSERT INTO member_lots (lot_id, member_id, source, earning_id, parent_lot_id, points, remaining, value,
                   funded, funded_by, expires_at, created_at)
            VALUES (@LotId, @MemberId, @Source, @EarningId, @ParentLotId, @Points, @Remaining, @Value,
                   @Funded, @FundedBy, @ExpiresAt, @CreatedAt)
            """;

        public const string WriteLot = """
            UPDATE member_lots
               SET remaining = @Remaining, value = @Value, funded = @Funded
             WHERE lot_id = @LotId
            """;

        public const string WriteExpiries = """
            UPDATE member_lots l
               SET expires_at = n.expires_at
              FROM unnest(@LotIds, @ExpiresAts) AS n (lot_id, expires_at)
             WHERE l.lot_id = n.lot_id
               AND l.expires_at <> n.expires_at
            """;

        public const string AddMovement = """
            INSERT INTO member_movements (movement_id, member_id, kind, points, pending, owed, held, value, earning_id,
                   redemption_id, counterpart_id, awards, reason, effective_at, recorded_at)
            VALUES (@MovementId, @MemberId, @Kind, @Points, @Pending, @Owed, @Held, @Value, @EarningId,
                   @RedemptionId, @CounterpartId, @Awards::jsonb, @Reason, @EffectiveAt, @RecordedAt);
            INSERT INTO movement_lots (movement_id, lot_id, points)
            SELECT @MovementId, l.lot_id, l.points
              FROM unnest(@LotIds, @LotPoints) AS l (lot_id, points)
            """;

        public const string AddCommand = """
            INSERT INTO ledger_commands (movement_id, merchant_id, program_id, kind, bookings, effective_at,
                   drive_after, created_at)
            VALUES (@MovementId, @MerchantId, @ProgramId, @Kind, @Bookings::jsonb, @EffectiveAt,
                   @DriveAfter, @CreatedAt)
            """;
    }
}
