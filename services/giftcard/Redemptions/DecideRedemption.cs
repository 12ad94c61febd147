using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Giftcard.Redemptions;

/// <summary>Who decides, and for how much.</summary>
/// <param name="Actor">till, clock, or operator:subject.</param>
/// <param name="Amount">For a confirm: what to capture; null = all that is held.</param>
internal sealed record DecisionRequest(Decision Decision, string Actor, long? Amount = null);

/// <summary>
/// Decides about a held redemption: the decision is committed first, then carried out in the ledger. Shared by the
/// till's confirm and cancel and by the operators' verbs; the rules are <see cref="RedemptionRules"/>.
/// </summary>
internal sealed class RedemptionDecider(
    Database database,
    RedemptionStore store,
    RedemptionDriver driver,
    Intents intents,
    TimeProvider time
)
{
    /// <summary>
    /// The redemption after the decision was carried out, or as it is when that had been done before. Refuses with what
    /// the rules say, and with hold_expired when the ledger was quicker. Throws when the ledger does not answer; the
    /// decision stands then and is carried out later.
    /// </summary>
    public async Task<Redemption> DecideAsync(
        RedemptionId id,
        MerchantId? merchant,
        DecisionRequest request,
        RequestKey? key,
        CancellationToken cancel
    )
    {
        var decided = await CommitAsync(id, merchant, request, key, cancel);
        var settled = await driver.SettleAsync(decided, CancellationToken.None);
        return request.Decision == Decision.Confirm && settled.Row.State == RedemptionState.Expired
            ? throw new FaultException(Faults.HoldExpired, "The hold ran out before it was confirmed.")
            : settled;
    }

    /// <summary>Only writes the decision down; the sweeper or the run carries it out.</summary>
    public async Task<Redemption> CommitAsync(
        RedemptionId id,
        MerchantId? merchant,
        DecisionRequest request,
        RequestKey? key,
        CancellationToken cancel
    )
    {
        await using var db = await database.BeginAsync(cancel);
        if (key is not null)
        {
            await intents.ClaimAsync(db, key, id.Value);
        }

        var now = await RedemptionStore.LockAsync(db, id);
        if (
            now is null
            || now.Row.State == RedemptionState.Refused
            || merchant is { } caller && now.Row.Order.MerchantId != caller
        )
        {
            throw new FaultException(CommonFaults.NotFound, "There is no such redemption.");
        }

        var verdict =
            request.Decision == Decision.Confirm
                ? RedemptionRules.Confirm(now.Row.Standing, request.Amount, time.GetUtcNow())
                : RedemptionRules.Cancel(now.Row.Standing);
        if (verdict is Verdict.Refuse refuse)
        {
            throw new FaultException(refuse.Fault, refuse.Detail);
        }

        if (verdict is Verdict.Decide decide)
        {
            now = now with { Row = await WriteAsync(db, now.Row, request, decide.Amount) };
        }

        await db.CommitAsync();
        return now;
    }

    private async Task<RedemptionRow> WriteAsync(DbSession db, RedemptionRow row, DecisionRequest request, long amount)
    {
        var now = time.GetUtcNow();
        var decided = row with
        {
            Progress = row.Progress.Next(now) with
            {
                State = request.Decision == Decision.Confirm ? RedemptionState.Confirming : RedemptionState.Releasing,
            },
            Decided = new(request.Decision, amount, request.Actor),
        };
        await RedemptionStore.UpdateAsync(db, decided, driveAfter: now + GiftcardLimits.TakeOver);
        await store.NoteAsync(
            db,
            row.Id,
            Wire.Name(request.Decision),
            request.Actor,
            amount == 0 ? null : new { amount }
        );
        return decided;
    }
}
