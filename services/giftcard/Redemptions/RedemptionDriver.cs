using LocalPlus.Contracts.Ledger.V1;
using LocalPlus.Giftcard.Cards;
using LocalPlus.Giftcard.Ledger;
using LocalPlus.Kernel;

namespace LocalPlus.Giftcard.Redemptions;

/// <summary>
/// Carries redemptions between SQL and the ledger. What is to happen is committed before, what did happen after; the
/// ledger's keys are made of the redemption's id and the step. So request, sweeper and workflow run may all drive the
/// same step, at the same time or after a crash: the ledger does it once, and the first to come back writes it down.
/// </summary>
internal sealed class RedemptionDriver(
    LedgerGateway ledger,
    OutcomeWriter outcomes,
    RedemptionStore store,
    CardReader cards,
    IRunBell runs,
    TimeProvider time
)
{
    /// <summary>
    /// Step 2 and 3 of a redemption: asks the ledger for the hold (or the capture at once) and writes down what it
    /// said. Returns the redemption as it now is, refused ones included. Throws <see cref="LedgerUnknownException"/>.
    /// </summary>
    public async Task<Redemption> AuthorizeAsync(Redemption redemption, CancellationToken cancel)
    {
        var row = redemption.Row;
        Hold placed;
        try
        {
            placed = await PlaceAsync(redemption, cancel);
            if (row.IsImmediate && placed.State == HoldState.Pending)
            {
                placed = await ledger.CaptureHoldAsync(CaptureRequest(redemption, placed), cancel);
            }
        }
        catch (FaultException refusal)
        {
            // An answer that nobody expected says nothing of what an earlier try did: the ledger knows.
            if (
                refusal.Fault == Faults.OperationFailed
                && await FindHoldAsync(row, cancel) is { } earlier
                && (!row.IsImmediate || earlier.State == HoldState.Captured)
            )
            {
                return await AuthorizedAsync(redemption, earlier, fresh: false, cancel);
            }

            var available =
                refusal.Fault == Faults.InsufficientBalance ? await AvailableAsync(redemption, cancel) : (long?)null;
            return await FinishAsync(
                    row.Id,
                    (now, at) => RedemptionOutcomes.Refused(now, refusal, available, at),
                    cancel
                ) ?? redemption;
        }

        return await AuthorizedAsync(redemption, placed, fresh: true, cancel);
    }

    /// <summary>The money has moved: from here on nothing that goes wrong is a refusal.</summary>
    private async Task<Redemption> AuthorizedAsync(
        Redemption redemption,
        Hold placed,
        bool fresh,
        CancellationToken cancel
    )
    {
        var hold = await BalancedAsync(redemption, placed, fresh, cancel);
        return await FinishAsync(redemption.Row.Id, (now, at) => RedemptionOutcomes.Authorized(now, hold, at), cancel)
            ?? redemption;
    }

    /// <summary>
    /// Carries a committed decision out: captures or releases the hold and writes down what became of it. Whatever the
    /// ledger refuses, its own state of the hold decides. Throws <see cref="LedgerUnknownException"/>.
    /// </summary>
    public async Task<Redemption> SettleAsync(Redemption redemption, CancellationToken cancel)
    {
        var row = redemption.Row;
        if (row.State is not (RedemptionState.Confirming or RedemptionState.Releasing))
        {
            return redemption;
        }

        Hold hold;
        FaultException? unexpected = null;
        var fresh = true;
        try
        {
            hold =
                row.State == RedemptionState.Confirming
                    ? await ledger.CaptureHoldAsync(CaptureRequest(redemption), cancel)
                    : await ledger.ReleaseHoldAsync(ReleaseRequest(row), cancel);
        }
        catch (FaultException refusal)
        {
            unexpected = refusal.Fault == Faults.OperationFailed ? refusal : null;
            fresh = false;
            hold = await HoldAsync(row, cancel);
        }

        hold = await BalancedAsync(redemption, hold, fresh, cancel);
        var settled =
            await FinishAsync(row.Id, (now, at) => RedemptionOutcomes.Settled(now, hold, at), cancel) ?? redemption;
        if (unexpected is not null && !RedemptionState.IsSettled(settled.Row.State))
        {
            // The hold ends by itself; until then a person can release it.
            await store.NeedAttentionAsync(row.Id, unexpected.Detail, cancel);
        }
        else if (RedemptionState.IsSettled(settled.Row.State))
        {
            runs.Ring(settled.Row.Id, settled.Row.RunGeneration);
        }

        return settled;
    }

    /// <summary>The hold as the ledger has it.</summary>
    public Task<Hold> HoldAsync(RedemptionRow row, CancellationToken cancel) =>
        ledger.GetHoldAsync(
            new GetHoldRequest
            {
                MerchantId = new MerchantId(row.BooksMerchantId).ToString(),
                Reference = row.Id.ToString(),
            },
            cancel
        );

    /// <summary>
    /// Places the hold. An intent that was driven so late that its hold would have run out already only learns whether
    /// the ledger had placed it in time.
    /// </summary>
    private async Task<Hold> PlaceAsync(Redemption redemption, CancellationToken cancel)
    {
        if (CapturesAtOnce(redemption) || HoldEnd(redemption.Row) > time.GetUtcNow())
        {
            return await ledger.PlaceHoldAsync(HoldRequest(redemption), cancel);
        }

        return await FindHoldAsync(redemption.Row, cancel)
            ?? throw new FaultException(Faults.HoldExpired, "The hold would have run out before it was placed.");
    }

    private async Task<Hold?> FindHoldAsync(RedemptionRow row, CancellationToken cancel)
    {
        try
        {
            return await HoldAsync(row, cancel);
        }
        catch (FaultException absent) when (absent.Fault == CommonFaults.NotFound)
        {
            return null;
        }
    }

    /// <summary>
    /// The ledger tells balances of the accounts it touched, at that moment. For cards with several lots, and for a
    /// hold that was only read, they are asked for.
    /// </summary>
    private async Task<Hold> BalancedAsync(Redemption redemption, Hold hold, bool fresh, CancellationToken cancel)
    {
        var told = hold.Items.Select(i => i.AccountId).ToHashSet(StringComparer.Ordinal);
        if (fresh && redemption.Legs.All(l => told.Contains(new AccountId(l.AccountId).ToString())))
        {
            return hold;
        }

        var accounts = await cards.AccountsAsync(
            new MerchantId(redemption.Row.BooksMerchantId),
            redemption.Legs.Select(l => new AccountId(l.AccountId)),
            cancel
        );
        var full = hold.Clone();
        foreach (var account in accounts.Values)
        {
            var item = full.Items.FirstOrDefault(i => i.AccountId == account.AccountId);
            if (item is null)
            {
                item = new HoldItem { AccountId = account.AccountId };
                full.Items.Add(item);
            }

            item.AvailableAfter = account.Available;
        }

        return full;
    }

    private async Task<Redemption?> FinishAsync(
        RedemptionId id,
        Func<Redemption, DateTimeOffset, Outcome?> decide,
        CancellationToken cancel
    )
    {
        var startsRun = false;
        var finished = await outcomes.FinishAsync(
            id,
            (now, at) =>
            {
                var outcome = decide(now, at);
                startsRun = outcome is { StartsRun: true };
                return outcome;
            },
            cancel
        );
        if (startsRun)
        {
            runs.Begun();
        }

        return finished;
    }

    private async Task<long> AvailableAsync(Redemption redemption, CancellationToken cancel)
    {
        var accounts = await cards.AccountsAsync(
            new MerchantId(redemption.Row.BooksMerchantId),
            redemption.Legs.Select(l => new AccountId(l.AccountId)),
            cancel
        );
        return redemption.Legs.Sum(leg =>
            leg.MaxAmount == 0
                ? accounts[new(leg.AccountId)].Available
                : Math.Min(leg.MaxAmount, accounts[new(leg.AccountId)].Available)
        );
    }

    /// <summary>
    /// Whether hold and capture are one call: an immediate redemption whose commission is known before the ledger says
    /// how much each lot gives. Otherwise the capture follows the hold, as when a till confirms.
    /// </summary>
    private static bool CapturesAtOnce(Redemption redemption) =>
        redemption.Row.IsImmediate
        && (
            redemption.Row.CommissionAccountId is null
            || redemption.Row.Partial == "refuse"
                && redemption.Legs.DistinctBy(l => l.CommissionBasisPoints).Count() == 1
        );

    /// <summary>When the ledger lets go of the hold by itself.</summary>
    private static DateTimeOffset HoldEnd(RedemptionRow row) =>
        row.HoldExpiresAt ?? row.CreatedAt + GiftcardLimits.ImmediateHold;

    private static PlaceHoldRequest HoldRequest(Redemption redemption)
    {
        var row = redemption.Row;
        var atOnce = CapturesAtOnce(redemption);
        var request = new PlaceHoldRequest
        {
            MerchantId = new MerchantId(row.BooksMerchantId).ToString(),
            IdempotencyKey = row.Id.ToString(),
            Reference = row.Id.ToString(),
            Amount = row.Requested,
            AllowPartial = row.Partial == "allow",
            ExpiresAt = atOnce ? null : Google.Protobuf.WellKnownTypes.Timestamp.FromDateTimeOffset(HoldEnd(row)),
            Capture = atOnce ? CaptureTo(row, Commission.Of([redemption.Legs[0]], [row.Requested])) : null,
        };
        request.Sources.AddRange(
            redemption.Legs.Select(leg => new HoldSource
            {
                AccountId = new AccountId(leg.AccountId).ToString(),
                MaxAmount = leg.MaxAmount,
            })
        );
        request.Metadata.Add("redemption_id", row.Id.ToString());
        return request;
    }

    private static CaptureHoldRequest CaptureRequest(Redemption redemption) =>
        CaptureRequest(
            redemption.Row,
            redemption.Row.HoldId!.Value,
            redemption.Row.DecisionAmount!.Value,
            Commission.Of(
                redemption.Legs,
                SpendOrder.Fill(redemption.Row.DecisionAmount!.Value, redemption.Legs.Select(l => l.Held))
            )
        );

    private static CaptureHoldRequest CaptureRequest(Redemption redemption, Hold placed)
    {
        var held = placed.Items.ToDictionary(i => AccountId.Parse(i.AccountId).Value, i => i.Held);
        return CaptureRequest(
            redemption.Row,
            HoldId.Parse(placed.HoldId).Value,
            placed.Held,
            Commission.Of(redemption.Legs, [.. redemption.Legs.Select(l => held.GetValueOrDefault(l.AccountId))])
        );
    }

    private static CaptureHoldRequest CaptureRequest(RedemptionRow row, Guid holdId, long amount, long commission)
    {
        var request = new CaptureHoldRequest
        {
            MerchantId = new MerchantId(row.BooksMerchantId).ToString(),
            IdempotencyKey = $"{row.Id}:capture",
            HoldId = new HoldId(holdId).ToString(),
            Amount = amount,
            Reference = $"{row.Id}:capture",
            Capture = CaptureTo(row, commission),
        };
        request.Metadata.Add("redemption_id", row.Id.ToString());
        return request;
    }

    private static ReleaseHoldRequest ReleaseRequest(RedemptionRow row) =>
        new()
        {
            MerchantId = new MerchantId(row.BooksMerchantId).ToString(),
            IdempotencyKey = $"{row.Id}:release",
            HoldId = new HoldId(row.HoldId!.Value).ToString(),
        };

    /// <summary>
    /// The card's liability goes to the merchant's payable, and from there the commission to the issuer.
    /// </summary>
    private static HoldCapture CaptureTo(RedemptionRow row, long commission)
    {
        var capture = new HoldCapture { DestinationAccountId = new AccountId(row.PayableAccountId).ToString() };
        if (row.CommissionAccountId is { } account && commission > 0)
        {
            capture.Postings.Add(
                new Posting
                {
                    SourceAccountId = capture.DestinationAccountId,
                    DestinationAccountId = new AccountId(account).ToString(),
                    Amount = commission,
                }
            );
        }

        return capture;
    }
}
