using LocalPlus.Hosting;
using LocalPlus.Kernel;
using LocalPlus.Wallet.Members;

namespace LocalPlus.Wallet.Points;

/// <summary>What was recorded of members, as rows: those of many members in one statement of a kind.</summary>
internal sealed partial class MemberPoints
{
    private sealed record Recorded(MovementId Id, Movement Movement, MovementNote Note, DateTimeOffset At);

    private static class PointsRows
    {
        public static async Task WriteAsync(DbSession db, MemberPoints[] all, DateTimeOffset now)
        {
            var lots = Array.ConvertAll(all, points => (Points: points, Lots: points.TakeLots()));
            var made = lots.SelectMany(x => x.Lots.Made.Select(lot => (x.Points.Member.MemberId, Lot: lot))).ToArray();
            var changed = lots.SelectMany(x => x.Lots.Changed).ToArray();
            var movements = all.SelectMany(points => points.movements.Select(row => (points.Member, Row: row)))
                .ToArray();
            await db.ExecuteAsync(Sql.WriteMembers, Members(Array.ConvertAll(all, points => points.Member)));
            if (made.Length > 0)
            {
                await db.ExecuteAsync(Sql.AddLots, Made(made));
            }

            if (changed.Length > 0)
            {
                await db.ExecuteAsync(Sql.WriteLots, Changed(changed));
            }

            if (movements.Length > 0)
            {
                await db.ExecuteAsync(Sql.AddMovements, Movements(movements));
            }

            var commands = Array.FindAll(movements, row => row.Row.Movement.Bookings.Count > 0);
            if (commands.Length > 0)
            {
                await db.ExecuteAsync(Sql.AddCommands, Commands(commands, now));
            }
        }

        private static object Members(MemberRow[] rows) =>
            new
            {
                MemberIds = Array.ConvertAll(rows, row => row.MemberId),
                Points = Array.ConvertAll(rows, row => row.Points),
                Pending = Array.ConvertAll(rows, row => row.Pending),
                Owed = Array.ConvertAll(rows, row => row.Owed),
                Held = Array.ConvertAll(rows, row => row.Held),
                Purchases = Array.ConvertAll(rows, row => row.Purchases),
                Tiers = Array.ConvertAll(rows, row => row.Tier),
                TierUntils = Array.ConvertAll(rows, row => row.TierUntil?.UtcDateTime),
                Versions = Array.ConvertAll(rows, row => row.Version),
            };

        private static object Made((MemberId MemberId, Lot Lot)[] rows) =>
            new
            {
                LotIds = Array.ConvertAll(rows, row => row.Lot.LotId),
                MemberIds = Array.ConvertAll(rows, row => row.MemberId),
                Sources = Array.ConvertAll(rows, row => row.Lot.Source),
                EarningIds = Array.ConvertAll(rows, row => row.Lot.EarningId),
                ParentLotIds = Array.ConvertAll(rows, row => row.Lot.ParentLotId),
                Points = Array.ConvertAll(rows, row => row.Lot.Points),
                Remaining = Array.ConvertAll(rows, row => row.Lot.Remaining),
                Values = Array.ConvertAll(rows, row => row.Lot.Value),
                Funded = Array.ConvertAll(rows, row => row.Lot.Funded),
                FundedBy = Array.ConvertAll(rows, row => row.Lot.FundedBy),
                ExpiresAts = Array.ConvertAll(rows, row => row.Lot.ExpiresAt?.UtcDateTime),
                CreatedAts = Array.ConvertAll(rows, row => row.Lot.CreatedAt.UtcDateTime),
            };

        private static object Changed(Lot[] rows) =>
            new
            {
                LotIds = Array.ConvertAll(rows, lot => lot.LotId),
                Remaining = Array.ConvertAll(rows, lot => lot.Remaining),
                Values = Array.ConvertAll(rows, lot => lot.Value),
                Funded = Array.ConvertAll(rows, lot => lot.Funded),
                ExpiresAts = Array.ConvertAll(rows, lot => lot.ExpiresAt?.UtcDateTime),
            };

        private static object Movements((MemberRow Member, Recorded Row)[] rows)
        {
            var lots = rows.SelectMany(row => row.Row.Movement.Lots.Select(change => (row.Row.Id, change))).ToArray();
            return new
            {
                MovementIds = Array.ConvertAll(rows, row => row.Row.Id),
                MemberIds = Array.ConvertAll(rows, row => row.Member.MemberId),
                Kinds = Array.ConvertAll(rows, row => row.Row.Movement.Kind),
                Points = Array.ConvertAll(rows, row => row.Row.Movement.Points),
                Pending = Array.ConvertAll(rows, row => row.Row.Movement.Pending),
                Owed = Array.ConvertAll(rows, row => row.Row.Movement.Owed),
                Held = Array.ConvertAll(rows, row => row.Row.Movement.Held),
                Values = Array.ConvertAll(rows, row => row.Row.Movement.Value),
                EarningIds = Array.ConvertAll(rows, row => row.Row.Note.EarningId),
                RedemptionIds = Array.ConvertAll(rows, row => row.Row.Note.RedemptionId),
                CounterpartIds = Array.ConvertAll(rows, row => row.Row.Note.Counterpart),
                Awards = Array.ConvertAll(rows, row => row.Row.Note.Awards),
                Reasons = Array.ConvertAll(rows, row => row.Row.Note.Reason),
                EffectiveAts = Array.ConvertAll(rows, row => row.Row.Note.EffectiveAt.UtcDateTime),
                RecordedAts = Array.ConvertAll(rows, row => row.Row.At.UtcDateTime),
                LotMovementIds = Array.ConvertAll(lots, lot => lot.Id),
                LotIds = Array.ConvertAll(lots, lot => lot.change.Lot.LotId),
                LotPoints = Array.ConvertAll(lots, lot => lot.change.Points),
            };
        }

        private static object Commands((MemberRow Member, Recorded Row)[] rows, DateTimeOffset now) =>
            new
            {
                MovementIds = Array.ConvertAll(rows, row => row.Row.Id),
                MerchantIds = Array.ConvertAll(rows, row => row.Member.MerchantId),
                ProgramIds = Array.ConvertAll(rows, row => row.Member.ProgramId),
                Kinds = Array.ConvertAll(rows, row => row.Row.Movement.Kind),
                Bookings = Array.ConvertAll(rows, row => StoredJson.Write(row.Row.Movement.Bookings)),
                EffectiveAts = Array.ConvertAll(rows, row => row.Row.Note.EffectiveAt.UtcDateTime),
                DriveAfter = now + LoyaltyLimits.TakeOver,
                CreatedAts = Array.ConvertAll(rows, row => row.Row.At.UtcDateTime),
            };
    }

    internal static class Sql
    {
        public const string Lots = """
            SELECT lot_id, member_id, source, earning_id, parent_lot_id, points, remaining, value, funded, funded_by,
                   expires_at, created_at
              FROM member_lots
             WHERE member_id = ANY(@MemberIds)
               AND remaining > 0
             ORDER BY lot_id
            """;

        public const string LotsById = """
            SELECT lot_id, member_id, source, earning_id, parent_lot_id, points, remaining, value, funded, funded_by,
                   expires_at, created_at
              FROM member_lots
             WHERE lot_id = ANY(@LotIds)
             ORDER BY lot_id
            """;

        public const string WriteMembers = """
            UPDATE members m
               SET points = n.points, pending = n.pending, owed = n.owed, held = n.held, purchases = n.purchases,
                   tier = n.tier, tier_until = n.tier_until, version = n.version
              FROM unnest(@MemberIds, @Points, @Pending, @Owed, @Held, @Purchases, @Tiers, @TierUntils, @Versions)
                AS n (member_id, points, pending, owed, held, purchases, tier, tier_until, version)
             WHERE m.member_id = n.member_id
            """;

        public const string AddLots = """
            INSERT INTO member_lots (lot_id, member_id, source, earning_id, parent_lot_id, points, remaining, value,
                   funded, funded_by, expires_at, created_at)
            SELECT *
              FROM unnest(@LotIds, @MemberIds, @Sources, @EarningIds, @ParentLotIds, @Points, @Remaining, @Values,
                          @Funded, @FundedBy, @ExpiresAts, @CreatedAts)
            """;

        public const string WriteLots = """
            UPDATE member_lots l
               SET remaining = n.remaining, value = n.value, funded = n.funded, expires_at = n.expires_at
              FROM unnest(@LotIds, @Remaining, @Values, @Funded, @ExpiresAts)
                AS n (lot_id, remaining, value, funded, expires_at)
             WHERE l.lot_id = n.lot_id
            """;

        public const string AddMovements = """
            INSERT INTO member_movements (movement_id, member_id, kind, points, pending, owed, held, value, earning_id,
                   redemption_id, counterpart_id, awards, reason, effective_at, recorded_at)
            SELECT *
              FROM unnest(@MovementIds, @MemberIds, @Kinds, @Points, @Pending, @Owed, @Held, @Values, @EarningIds,
                          @RedemptionIds, @CounterpartIds, @Awards::jsonb[], @Reasons, @EffectiveAts, @RecordedAts);
            INSERT INTO movement_lots (movement_id, lot_id, points)
            SELECT *
              FROM unnest(@LotMovementIds, @LotIds, @LotPoints)
            """;

        public const string AddCommands = """
            INSERT INTO ledger_commands (movement_id, merchant_id, program_id, kind, bookings, effective_at,
                   created_at, drive_after)
            SELECT *, @DriveAfter
              FROM unnest(@MovementIds, @MerchantIds, @ProgramIds, @Kinds, @Bookings::jsonb[], @EffectiveAts,
                          @CreatedAts)
            """;
    }
}
