using LocalPlus.Hosting;
using LocalPlus.Kernel;
using LocalPlus.Wallet.Ledger;
using LocalPlus.Wallet.Members;
using LocalPlus.Wallet.Pools;
using LocalPlus.Wallet.Programs;

namespace LocalPlus.Wallet.Points;

/// <summary>A redemption's points.</summary>
/// <param name="Captured">Of what they pay, what the redemption took; null: it is held.</param>
/// <param name="Returned">Of what they pay, what was not taken or came back.</param>
internal sealed record PointHoldRow(
    RedemptionId RedemptionId,
    MerchantId MerchantId,
    MemberId? MemberId,
    long Points,
    long Pays,
    string Lots,
    long? Captured,
    long Returned,
    long PointsBack,
    MovementId? MovementId
)
{
    public const string Columns = """
        SELECT h.redemption_id, h.merchant_id, h.member_id, h.points, h.pays, h.lots::text AS lots, h.captured,
               h.returned, h.points_back, h.movement_id
          FROM point_holds h
        """;

    public HeldPoints ToHeld() => new(Points, Pays, StoredJson.Read<HeldLot[]>(Lots));
}

/// <summary>
/// Points in redemptions: giftcard has them reserved before it asks the ledger for the hold, says what was taken once
/// the hold is settled, and what was refunded. Each step is known by the redemption or the refund, so it may be
/// repeated and happens once; its movement and what the ledger has to book are written together (ADR 0027).
/// </summary>
internal sealed class PointHolds(Database database, LedgerCommands commands, LedgerAccounts accounts, TimeProvider time)
{
    /// <summary>Who asks, for whose points, and how many of them at most.</summary>
    /// <param name="MaxAmount">What they may pay at most, in minor units.</param>
    internal sealed record Ask(
        RedemptionId RedemptionId,
        MerchantId MerchantId,
        bool Live,
        MemberId MemberId,
        long? MaxPoints,
        long MaxAmount
    );

    /// <summary>A member whose points its programme's merchant may take now, or nothing.</summary>
    public static async Task<(MemberRow Member, LoyaltyProgramRow Program)> PayingAsync(
        DbSession db,
        MerchantId merchant,
        bool live,
        MemberId id
    )
    {
        var member = await db.QuerySingleOrDefaultAsync<MemberRow>(
            MemberStore.Sql.Own,
            new
            {
                MemberId = id,
                MerchantId = merchant,
                Live = live,
            }
        );
        return member is { State: MemberRow.Active }
            ? (member, await LoyaltyPrograms.GetAsync(db, member.ProgramId))
            : throw NoMember();
    }

    /// <summary>
    /// The points of a redemption, reserved now or before, with the account that what they pay lies on. busy: the
    /// ledger has not booked it yet.
    /// </summary>
    public async Task<(PointHoldRow Hold, AccountId? Account)> HoldAsync(Ask ask, CancellationToken cancel)
    {
        var hold = await ReserveAsync(ask, cancel);
        if (hold.MemberId is not { } member || hold.Points == 0)
        {
            return (hold, null);
        }

        await using var db = await database.BeginAsync(cancel);
        var unbooked = await db.QueryAsync<MovementId>(Sql.Unbooked, new { MemberId = member });
        var currency = await db.QuerySingleAsync<string>(Sql.Currency, new { MemberId = member });
        await db.CommitAsync();
        // In their order: what was earned is booked before it is spent.
        await commands.TryAsync(unbooked, cancel);
        if (
            unbooked.Contains(hold.MovementId!.Value)
            && !await database.QuerySingleOrDefaultAsync<bool>(Sql.IsBooked, new { hold.MovementId }, cancel)
        )
        {
            throw new FaultException(CommonFaults.Busy, "The ledger has not booked the points yet.");
        }

        var name = PointsAccounts.PayingOf(member);
        var found = await accounts.EnsureAsync(hold.MerchantId, currency, [name], mayBeNegative: false, cancel);
        return (hold, found[name]);
    }

    /// <summary>
    /// The redemption has taken so much of what its points pay; the rest comes back. Refuses another amount than
    /// before.
    /// </summary>
    public async Task<PointHoldRow> SettleAsync(
        RedemptionId id,
        MerchantId merchant,
        long captured,
        CancellationToken cancel
    )
    {
        await using var db = await database.BeginAsync(cancel);
        if (captured == 0)
        {
            // One that has reserved nothing by now must not do so later.
            await db.ExecuteAsync(
                Sql.Never,
                new
                {
                    RedemptionId = id,
                    MerchantId = merchant,
                    Now = time.GetUtcNow(),
                }
            );
        }

        var (hold, owner) = await LockAsync(db, id);
        if (hold.Captured is { } before)
        {
            return before == captured
                ? hold
                : throw Faults.Invalid("/captured", $"{before} was captured, and not {captured}.");
        }

        if (captured > hold.Pays)
        {
            throw Faults.Invalid("/captured", $"The points pay {hold.Pays}.");
        }

        var settled = Moved(hold with { Captured = captured }, hold.Pays - captured);
        var held = hold.ToHeld();
        var back = held.Back(0, settled.PointsBack);
        var note = new MovementNote(time.GetUtcNow(), RedemptionId: id);
        if (back.Points > 0)
        {
            await owner!.Points.KnowAsync(db, back.Lots.Select(lot => lot.LotId));
            await owner.Points.WriteAsync(db, owner.Points.Account.Unhold(back), note);
        }

        if (back.Points < held.Points)
        {
            var spent = owner!.Points.Account.Spend(held.Points - back.Points, held.OwedAs - back.OwedAs);
            await owner.Points.WriteAsync(db, spent, note);
        }

        await WriteAsync(db, settled);
        await FinishAsync(db, owner, back.Points > 0, cancel);
        return settled;
    }

    /// <summary>
    /// So much of what was captured was refunded; the points that came back with it. Refuses what was not captured or
    /// has come back before.
    /// </summary>
    public async Task<long> RefundAsync(RedemptionId id, RefundId refund, long amount, CancellationToken cancel)
    {
        await using var db = await database.BeginAsync(cancel);
        var (hold, owner) = await LockAsync(db, id);
        if (await db.QuerySingleOrDefaultAsync<long?>(Sql.Refunded, new { RefundId = refund }) is { } before)
        {
            return before;
        }

        if (hold.Captured is null || hold.Returned + amount > hold.Pays)
        {
            throw Faults.Invalid("/amount", $"{hold.Pays - hold.Returned} are left to refund.");
        }

        var moved = Moved(hold, amount);
        var back = hold.ToHeld().Back(hold.PointsBack, moved.PointsBack);
        if (back.Points > 0)
        {
            await owner!.Points.KnowAsync(db, back.Lots.Select(lot => lot.LotId));
            var note = new MovementNote(time.GetUtcNow(), RedemptionId: id);
            await owner.Points.WriteAsync(db, owner.Points.Account.Refund(back), note);
        }

        await db.ExecuteAsync(
            Sql.AddRefund,
            new
            {
                RefundId = refund,
                RedemptionId = id,
                Amount = amount,
                back.Points,
                CreatedAt = time.GetUtcNow(),
            }
        );
        await WriteAsync(db, moved);
        await FinishAsync(db, owner, back.Points > 0, cancel);
        return back.Points;
    }

    private static FaultException NoMember() =>
        new(CommonFaults.NoSuchObject, "There is no such member of this merchant.");

    private static PointHoldRow Moved(PointHoldRow hold, long returned) =>
        hold with
        {
            Returned = hold.Returned + returned,
            PointsBack = hold.ToHeld().PointsFor(hold.Returned + returned),
        };

    private async Task<PointHoldRow> ReserveAsync(Ask ask, CancellationToken cancel)
    {
        await using var db = await database.BeginAsync(cancel);
        var before = await FindAsync(db, ask.RedemptionId);
        if (before is not null)
        {
            return before;
        }

        await PayingAsync(db, ask.MerchantId, ask.Live, ask.MemberId);
        var pool = await PooledPoints.LockAsync(db, ask.MemberId, time);
        var points = pool.Own;
        if (points.Member.State != MemberRow.Active)
        {
            throw NoMember();
        }

        var rate = points.Terms.PointValue;
        var available = Math.Min(pool.Available, ask.MaxPoints ?? long.MaxValue);
        var number = rate.Paying(available, ask.MaxAmount);
        if (await FindAsync(db, ask.RedemptionId) is { } quicker)
        {
            return quicker;
        }

        await pool.DrawAsync(db, number, time.GetUtcNow(), ask.RedemptionId);
        var (movement, held) = points.Account.Hold(number, rate.Of(number))!.Value;
        var hold = new PointHoldRow(
            ask.RedemptionId,
            ask.MerchantId,
            ask.MemberId,
            held.Points,
            held.Pays,
            StoredJson.Write(held.Lots),
            Captured: null,
            Returned: 0,
            PointsBack: 0,
            MovementId: null
        );
        if (await db.ExecuteAsync(Sql.Add, Arguments(hold, time.GetUtcNow())) == 0)
        {
            // Another try was quicker, or has given it up.
            return (await FindAsync(db, ask.RedemptionId))!;
        }

        if (number > 0)
        {
            var id = await points.WriteAsync(db, movement, new(time.GetUtcNow(), RedemptionId: ask.RedemptionId));
            hold = hold with { MovementId = id };
            await WriteAsync(db, hold);
        }

        await db.CommitAsync();
        return hold;
    }

    /// <summary>
    /// The hold, with its member locked, and the one that the member was merged into. busy where that happens just now.
    /// </summary>
    private async Task<(PointHoldRow Hold, Owner? Owner)> LockAsync(DbSession db, RedemptionId id)
    {
        var seen = await FindAsync(db, id);
        if (seen?.MemberId is not { } member)
        {
            return (seen ?? throw new FaultException(CommonFaults.NoSuchObject, "No points were reserved."), null);
        }

        var heir = (await db.QuerySingleAsync<MemberRow>(MemberStore.Sql.Get, new { MemberId = member })).MergedInto;
        Owner owner;
        if (heir is { } other)
        {
            var (from, to) = await TransferPoints.LockBothAsync(db, member, other, time);
            owner = new(from, to);
        }
        else
        {
            owner = new(await MemberPoints.LockAsync(db, member, time), null);
        }

        return owner.Points.Member.MergedInto == heir
            ? ((await FindAsync(db, id))!, owner)
            : throw new FaultException(CommonFaults.Busy, "The membership is being merged.");
    }

    /// <summary>
    /// What came back to a membership that is none any more goes where the rest of it went; what is over by now is
    /// written off.
    /// </summary>
    private async Task FinishAsync(DbSession db, Owner? owner, bool hasComeBack, CancellationToken cancel)
    {
        if (owner is not null && hasComeBack)
        {
            await owner.Points.ExpireAsync(db);
            await PassOnAsync(db, owner);
        }

        await db.CommitAsync();
        await commands.TryAsync([.. owner?.Points.Unbooked ?? [], .. owner?.Heir?.Unbooked ?? []], cancel);
    }

    private async Task PassOnAsync(DbSession db, Owner owner)
    {
        var (points, now) = (owner.Points, time.GetUtcNow());
        if (owner.Heir is { } heir && points.Account.Points > 0)
        {
            var (sent, received) = points.Account.Transfer(points.Account.Points, heir.Account, now)!.Value;
            await points.WriteAsync(db, sent, new(now, Counterpart: heir.Member.MemberId));
            await heir.WriteAsync(db, received, new(now, Counterpart: points.Member.MemberId));
        }
        else if (points.Member.State != MemberRow.Active && points.Account.Forfeit() is { } forfeited)
        {
            await points.WriteAsync(db, forfeited, new(now));
        }
    }

    private static Task<PointHoldRow?> FindAsync(DbSession db, RedemptionId id) =>
        db.QuerySingleOrDefaultAsync<PointHoldRow>(Sql.Get, new { RedemptionId = id });

    private static Task<int> WriteAsync(DbSession db, PointHoldRow hold) => db.ExecuteAsync(Sql.Write, Arguments(hold));

    private static object Arguments(PointHoldRow hold, DateTimeOffset? now = null) =>
        new
        {
            hold.RedemptionId,
            hold.MerchantId,
            hold.MemberId,
            hold.Points,
            hold.Pays,
            hold.Lots,
            hold.Captured,
            hold.Returned,
            hold.PointsBack,
            hold.MovementId,
            Now = now,
        };

    /// <param name="Heir">Whose the points are now; null: the member's own.</param>
    private sealed record Owner(MemberPoints Points, MemberPoints? Heir);

    private static class Sql
    {
        public const string Get = $"{PointHoldRow.Columns} WHERE h.redemption_id = @RedemptionId";

        public const string Add = """
            INSERT INTO point_holds (redemption_id, merchant_id, member_id, points, pays, lots, created_at)
            VALUES (@RedemptionId, @MerchantId, @MemberId, @Points, @Pays, @Lots::jsonb, @Now)
                ON CONFLICT DO NOTHING
            """;

        public const string Never = """
            INSERT INTO point_holds (redemption_id, merchant_id, points, pays, lots, captured, created_at)
            VALUES (@RedemptionId, @MerchantId, 0, 0, '[]', 0, @Now)
                ON CONFLICT DO NOTHING
            """;

        public const string Write = """
            UPDATE point_holds
               SET captured = @Captured, returned = @Returned, points_back = @PointsBack, movement_id = @MovementId
             WHERE redemption_id = @RedemptionId
            """;

        public const string Refunded = "SELECT points FROM point_refunds WHERE refund_id = @RefundId";

        public const string AddRefund = """
            INSERT INTO point_refunds (refund_id, redemption_id, amount, points, created_at)
            VALUES (@RefundId, @RedemptionId, @Amount, @Points, @CreatedAt)
            """;

        public const string Unbooked = """
            SELECT c.movement_id
              FROM member_movements v
              JOIN ledger_commands c
                ON c.movement_id = v.movement_id
             WHERE (v.member_id = @MemberId OR v.counterpart_id = @MemberId)
               AND c.drive_after IS NOT NULL
             ORDER BY c.movement_id
            """;

        public const string IsBooked =
            "SELECT drive_after IS NULL FROM ledger_commands WHERE movement_id = @MovementId";

        public const string Currency = """
            SELECT p.currency
              FROM members m
              JOIN loyalty_programs p
                ON p.program_id = m.program_id
             WHERE m.member_id = @MemberId
            """;
    }
}
