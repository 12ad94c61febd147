using LocalPlus.Contracts.Ledger.V1;
using LocalPlus.Giftcard.Runs;
using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Giftcard.Redemptions;

/// <summary>
/// What the ledger's answer makes of a redemption, decided without a database; <see cref="OutcomeWriter"/> writes it
/// down.
/// </summary>
/// <param name="Redemption">As it is from now on.</param>
/// <param name="Actor">Who is to be named in the timeline.</param>
/// <param name="Detail">What the timeline notes with the new state; null: its rows say it all (GetTimeline).</param>
/// <param name="EventType">What the world is told, with the amount that was moved or reserved; null: nothing.</param>
/// <param name="HasRedeemed">The cards' histories get what was captured.</param>
/// <param name="StartsRun">The first run begins.</param>
/// <param name="ReleasesRest">Part of the hold went back, maybe to cards that were replaced meanwhile.</param>
/// <param name="Answer">What a repeat of the request that began it gets; null when that was stored before.</param>
internal sealed record Outcome(
    Redemption Redemption,
    string Actor,
    object? Detail,
    string? EventType = null,
    long EventAmount = 0,
    bool HasRedeemed = false,
    bool StartsRun = false,
    bool ReleasesRest = false,
    Answer? Answer = null
);

/// <summary>
/// Each gives null for a redemption that somebody else has brought further already: it is left as it is.
/// </summary>
internal static class RedemptionOutcomes
{
    private const string System = "giftcard";

    /// <summary>The hold is placed, or with an immediate redemption captured.</summary>
    public static Outcome? Authorized(Redemption now, Taken taken, DateTimeOffset at)
    {
        if (now.Row.State != RedemptionState.Authorizing)
        {
            return null;
        }

        var isImmediate = now.Row.IsImmediate;
        var row = now.Row with
        {
            Books = now.Row.Books with { HoldId = taken.Hold, TransactionId = taken.Transaction },
            Progress = now.Row.Progress.Next(at) with
            {
                State = isImmediate ? RedemptionState.Completed : RedemptionState.Held,
                Approved = taken.Approved,
                Captured = taken.Captured,
                RunGeneration = 1,
            },
            Points = Apply(now.Row.Points, taken),
        };
        var after = new Redemption(row, Apply(now.Legs, taken));
        return new(
            after,
            System,
            isImmediate ? null : new { taken.Approved, HoldId = taken.Hold },
            isImmediate ? RedemptionEvents.Completed : RedemptionEvents.Held,
            taken.Approved,
            HasRedeemed: isImmediate,
            StartsRun: true,
            Answer: ToAnswer(after)
        );
    }

    /// <summary>The ledger refused: an answer, not a redemption; the row stays for those who ask why.</summary>
    public static Outcome? Refused(Redemption now, FaultException refusal, long? available, DateTimeOffset at)
    {
        if (now.Row.State != RedemptionState.Authorizing)
        {
            return null;
        }

        var why = new RefusedPart(
            refusal.Fault.Code,
            available is null
                ? refusal.Detail
                : $"Only {available} of {now.Row.Order.Requested} {now.Row.Order.Currency} are available.",
            available
        );
        var row = now.Row with
        {
            Progress = now.Row.Progress.Next(at) with
            {
                State = RedemptionState.Refused,
                NeedsAttention = refusal.Fault == Faults.OperationFailed,
            },
            Refused = why,
        };
        var after = now with { Row = row };
        return new(after, System, new { why.FaultCode, why.FaultAvailable }, Answer: ToAnswer(after));
    }

    /// <summary>What became of a hold that was to be captured or released.</summary>
    public static Outcome? Settled(Redemption now, HoldState hold, Taken taken, DateTimeOffset at)
    {
        if (
            now.Row.State.Value is not (RedemptionState.Confirming or RedemptionState.Releasing)
            || hold == HoldState.Pending
        )
        {
            return null;
        }

        var (state, type) = (hold, now.Row.Decided?.Decision.Value) switch
        {
            (HoldState.Captured, _) => (RedemptionState.Completed, RedemptionEvents.Completed),
            (HoldState.Released, not Decision.Expire) => (RedemptionState.Cancelled, RedemptionEvents.Cancelled),
            _ => (RedemptionState.Expired, RedemptionEvents.Expired),
        };
        var row = now.Row with
        {
            Books = now.Row.Books with { TransactionId = taken.Transaction },
            Progress = now.Row.Progress.Next(at) with
            {
                State = state,
                Captured = taken.Captured,
                NeedsAttention = false,
            },
            Points = Apply(now.Row.Points, taken),
        };
        var isCompleted = state == RedemptionState.Completed;
        return new(
            new(row, Apply(now.Legs, taken)),
            now.Row.Decided?.DecidedBy ?? System,
            new { taken.Captured },
            type,
            isCompleted ? taken.Captured : row.Progress.Approved,
            HasRedeemed: isCompleted,
            ReleasesRest: taken.Captured < row.Progress.Approved
        );
    }

    /// <summary>What a create request is answered with, once its redemption is past authorizing.</summary>
    public static Answer ToAnswer(Redemption redemption) =>
        redemption.Row.State == RedemptionState.Refused
            ? Problems.Answer(redemption.Row.Refusal(), "/v1/redemptions")
            : Answer.Created(
                $"/v1/redemptions/{redemption.Row.Id}",
                RedemptionView.Of(redemption.Row, redemption.Legs, RunState.Pending),
                redemption.Row.Progress.Version
            );

    private static PointsPart? Apply(PointsPart? points, Taken taken) =>
        points?.With(
            taken.Points ?? new(points.Points, points.PointsPays, points.PointsAccountId),
            (taken.Points?.AccountId ?? points.PointsAccountId) is { } account
                ? taken.Parts.GetValueOrDefault(account)
                : default
        );

    private static List<LegRow> Apply(IReadOnlyList<LegRow> legs, Taken taken) =>
        [
            .. legs.Select(leg =>
                taken.Parts.TryGetValue(leg.AccountId, out var part)
                    ? leg with
                    {
                        Held = part.Held,
                        Captured = part.Captured,
                        AvailableAfter = part.AvailableAfter,
                    }
                    : leg
            ),
        ];
}
