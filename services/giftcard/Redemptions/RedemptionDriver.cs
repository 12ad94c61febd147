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
    WalletPoints wallet,
    PointsSettlements settlements,
    IRedemptionRuns runs,
    TimeProvider time
)
{
    /// <summary>
    /// Step 2 and 3 of a redemption: has the ledger hold the amount, or spend it at once, and writes down what it said.
    /// Returns the redemption as it now is, refused ones included. Throws <see cref="LedgerUnknownException"/>.
    /// </summary>
    public async Task<Redemption> AuthorizeAsync(Redemption redemption, CancellationToken cancel)
    {
        var row = redemption.Row;
        var reserved = ReservedPoints.None;
        Taken taken;
        try
        {
            reserved = await ReserveAsync(row, cancel);
            taken = row.IsImmediate
                ? await SpendAsync(redemption, reserved, cancel)
                : await BalancedAsync(redemption, Taken.Of(await PlaceAsync(redemption, reserved, cancel)), cancel);
        }
        catch (FaultException refusal)
        {
            // An answer that nobody expected says nothing of what an earlier try did: the ledger knows.
            if (
                (refusal.Fault == Faults.OperationFailed || refusal.Fault == CommonFaults.ReferenceReused)
                && await FindTakenAsync(row, cancel) is { } earlier
            )
            {
                var balanced = await BalancedAsync(redemption, earlier, cancel);
                return await AuthorizedAsync(redemption, balanced with { Points = reserved }, cancel);
            }

            var available =
                refusal.Fault == Faults.InsufficientBalance
                    ? await AvailableAsync(redemption, cancel) + reserved.Pays
                    : (long?)null;
            var refused =
                await outcomes.FinishAsync(
                    row.Id,
                    (now, at) => RedemptionOutcomes.Refused(now, refusal, available, at),
                    cancel
                ) ?? redemption;
            await settlements.TryAsync(refused.Row, cancel);
            return refused;
        }

        return await AuthorizedAsync(redemption, taken with { Points = reserved }, cancel);
    }

    /// <summary>
    /// Has the wallet reserve what a member's points are to pay, before the ledger is asked for all of it together.
    /// Asked again it says the same, so the ledger's request is the same too.
    /// </summary>
    private async Task<ReservedPoints> ReserveAsync(RedemptionRow row, CancellationToken cancel) =>
        row.Points is { PointsMaxAmount: > 0 } points
            ? await wallet.HoldAsync(row, points, cancel)
            : ReservedPoints.None;

    /// <summary>The money has moved: from here on nothing that goes wrong is a refusal.</summary>
    private async Task<Redemption> AuthorizedAsync(Redemption redemption, Taken taken, CancellationToken cancel)
    {
        var authorized =
            await outcomes.FinishAsync(
                redemption.Row.Id,
                (now, at) => RedemptionOutcomes.Authorized(now, taken, at),
                cancel
            ) ?? redemption;
        await settlements.TryAsync(authorized.Row, cancel);
        return authorized;
    }

    /// <summary>
    /// Hold and capture in one command. One that was begun long ago may be of the release that gave two, the second
    /// under a key of its own: its hold is looked for, and captured if that was not done yet.
    /// </summary>
    private async Task<Taken> SpendAsync(Redemption redemption, ReservedPoints reserved, CancellationToken cancel)
    {
        var row = redemption.Row;
        if (
            row.Books.CommissionAccountId is not null
            && row.Order.CreatedAt + GiftcardLimits.TakeOver <= time.GetUtcNow()
            && await FindHoldAsync(row, cancel) is { State: HoldState.Pending or HoldState.Captured } begun
        )
        {
            var captured =
                begun.State == HoldState.Captured
                    ? begun
                    : await ledger.CaptureHoldAsync(CaptureRequest(redemption, begun), cancel);
            return await BalancedAsync(redemption, Taken.Of(captured) with { IsFresh = false }, cancel);
        }

        return Taken.Of(await ledger.SpendAsync(SpendRequest(redemption, reserved), cancel));
    }

    /// <summary>
    /// Carries a committed decision out: captures or releases the hold and writes down what became of it. Whatever the
    /// ledger refuses, its own state of the hold decides. Throws <see cref="LedgerUnknownException"/>.
    /// </summary>
    public async Task<Redemption> SettleAsync(Redemption redemption, CancellationToken cancel)
    {
        var row = redemption.Row;
        if (row.State.Value is not (RedemptionState.Confirming or RedemptionState.Releasing))
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

        var taken = await BalancedAsync(redemption, Taken.Of(hold) with { IsFresh = fresh }, cancel);
        var settled =
            await outcomes.FinishAsync(
                row.Id,
                (now, at) => RedemptionOutcomes.Settled(now, hold.State, taken, at),
                cancel
            ) ?? redemption;
        if (unexpected is not null && !settled.Row.State.Value.IsSettled())
        {
            // The hold ends by itself; until then a person can release it.
            await store.NeedAttentionAsync(row.Id, unexpected.Detail, cancel);
        }
        else if (settled.Row.State.Value.IsSettled())
        {
            runs.Wake(settled.Row.Id, settled.Row.Progress.RunGeneration);
            await settlements.TryAsync(settled.Row, cancel);
        }

        return settled;
    }

    /// <summary>The hold as the ledger has it.</summary>
    public Task<Hold> HoldAsync(RedemptionRow row, CancellationToken cancel) =>
        ledger.GetHoldAsync(
            new GetHoldRequest { MerchantId = row.Books.BooksMerchantId.ToString(), Reference = row.Id.ToString() },
            cancel
        );

    /// <summary>What the ledger took for a redemption without a hold. Refuses with not_found.</summary>
    public async Task<Taken> SpentAsync(RedemptionRow row, CancellationToken cancel) =>
        Taken.Of(
            await ledger.GetTransactionAsync(
                new GetTransactionRequest
                {
                    MerchantId = row.Books.BooksMerchantId.ToString(),
                    Reference = row.Id.ToString(),
                },
                cancel
            ),
            row.Books.PayableAccountId
        );

    /// <summary>
    /// Places the hold. An intent that was driven so late that its hold would have run out already only learns whether
    /// the ledger had placed it in time.
    /// </summary>
    private async Task<Hold> PlaceAsync(Redemption redemption, ReservedPoints reserved, CancellationToken cancel)
    {
        if (redemption.Row.Progress.HoldExpiresAt > time.GetUtcNow())
        {
            return await ledger.PlaceHoldAsync(HoldRequest(redemption, reserved), cancel);
        }

        return await FindHoldAsync(redemption.Row, cancel)
            ?? throw new FaultException(Faults.HoldExpired, "The hold would have run out before it was placed.");
    }

    private async Task<Taken?> FindTakenAsync(RedemptionRow row, CancellationToken cancel)
    {
        if (!row.IsImmediate)
        {
            return await FindHoldAsync(row, cancel) is { } hold ? Taken.Of(hold) with { IsFresh = false } : null;
        }

        try
        {
            return await SpentAsync(row, cancel);
        }
        catch (FaultException absent) when (absent.Fault == CommonFaults.NotFound)
        {
            return null;
        }
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
    /// The ledger tells balances of the accounts it touched, at that moment. For a hold over some lots of several, and
    /// for what was only read, they are asked for.
    /// </summary>
    private async Task<Taken> BalancedAsync(Redemption redemption, Taken taken, CancellationToken cancel)
    {
        if (taken.IsFresh && redemption.Legs.All(l => taken.Parts.ContainsKey(l.AccountId)))
        {
            return taken;
        }

        var accounts = await cards.AccountsAsync(
            redemption.Row.Books.BooksMerchantId,
            redemption.Legs.Select(l => l.AccountId),
            cancel
        );
        return taken.With(accounts.Values.Select(a => (AccountId.Parse(a.AccountId), a.Available)));
    }

    private async Task<long> AvailableAsync(Redemption redemption, CancellationToken cancel)
    {
        var accounts = await cards.AccountsAsync(
            redemption.Row.Books.BooksMerchantId,
            redemption.Legs.Select(l => l.AccountId),
            cancel
        );
        return redemption.Legs.Sum(leg =>
            leg.MaxAmount == 0
                ? accounts[leg.AccountId].Available
                : Math.Min(leg.MaxAmount, accounts[leg.AccountId].Available)
        );
    }

    private static SpendRequest SpendRequest(Redemption redemption, ReservedPoints reserved)
    {
        var row = redemption.Row;
        var request = new SpendRequest
        {
            MerchantId = row.Books.BooksMerchantId.ToString(),
            IdempotencyKey = row.Id.ToString(),
            Reference = row.Id.ToString(),
            Amount = row.Order.Requested,
            AllowPartial = row.Order.Partial == Partial.Allow,
            DestinationAccountId = row.Books.PayableAccountId.ToString(),
            ShareAccountId = row.Books.CommissionAccountId?.ToString() ?? "",
        };
        foreach (var leg in redemption.Legs)
        {
            var source = new SpendSource
            {
                AccountId = leg.AccountId.ToString(),
                ShareBasisPoints = row.Books.CommissionAccountId is null ? 0 : leg.CommissionBasisPoints,
            };
            if (leg.MaxAmount > 0)
            {
                source.MaxAmount = leg.MaxAmount;
            }

            request.Sources.Add(source);
        }

        if (reserved.AccountId is { } points)
        {
            request.Sources.Insert(
                row.Points!.PointsPosition,
                new SpendSource { AccountId = points.ToString(), MaxAmount = reserved.Pays }
            );
        }

        request.Metadata.Add("redemption_id", row.Id.ToString());
        return request;
    }

    private static PlaceHoldRequest HoldRequest(Redemption redemption, ReservedPoints reserved)
    {
        var row = redemption.Row;
        var request = new PlaceHoldRequest
        {
            MerchantId = row.Books.BooksMerchantId.ToString(),
            IdempotencyKey = row.Id.ToString(),
            Reference = row.Id.ToString(),
            Amount = row.Order.Requested,
            AllowPartial = row.Order.Partial == Partial.Allow,
            ExpiresAt = Google.Protobuf.WellKnownTypes.Timestamp.FromDateTimeOffset(row.Progress.HoldExpiresAt!.Value),
        };
        request.Sources.AddRange(
            redemption.Legs.Select(leg => new HoldSource
            {
                AccountId = leg.AccountId.ToString(),
                MaxAmount = leg.MaxAmount,
            })
        );
        if (reserved.AccountId is { } points)
        {
            request.Sources.Insert(
                row.Points!.PointsPosition,
                new HoldSource { AccountId = points.ToString(), MaxAmount = reserved.Pays }
            );
        }

        request.Metadata.Add("redemption_id", row.Id.ToString());
        return request;
    }

    private static CaptureHoldRequest CaptureRequest(Redemption redemption) =>
        CaptureRequest(
            redemption.Row,
            redemption.Row.Books.HoldId!.Value,
            redemption.Row.Decided!.DecisionAmount!.Value,
            Commission.Of(
                redemption.Legs,
                SpendOrder.Fill(redemption.Row.Decided!.DecisionAmount!.Value, redemption.Legs.Select(l => l.Held))
            )
        );

    private static CaptureHoldRequest CaptureRequest(Redemption redemption, Hold placed)
    {
        var held = placed.Items.ToDictionary(i => AccountId.Parse(i.AccountId), i => i.Held);
        return CaptureRequest(
            redemption.Row,
            HoldId.Parse(placed.HoldId),
            placed.Held,
            Commission.Of(redemption.Legs, [.. redemption.Legs.Select(l => held.GetValueOrDefault(l.AccountId))])
        );
    }

    private static CaptureHoldRequest CaptureRequest(RedemptionRow row, HoldId holdId, long amount, long commission)
    {
        var request = new CaptureHoldRequest
        {
            MerchantId = row.Books.BooksMerchantId.ToString(),
            IdempotencyKey = $"{row.Id}:capture",
            HoldId = holdId.ToString(),
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
            MerchantId = row.Books.BooksMerchantId.ToString(),
            IdempotencyKey = $"{row.Id}:release",
            HoldId = row.Books.HoldId!.Value.ToString(),
        };

    /// <summary>
    /// The card's liability goes to the merchant's payable, and from there the commission to the issuer.
    /// </summary>
    private static HoldCapture CaptureTo(RedemptionRow row, long commission)
    {
        var capture = new HoldCapture { DestinationAccountId = row.Books.PayableAccountId.ToString() };
        if (row.Books.CommissionAccountId is { } account && commission > 0)
        {
            capture.Postings.Add(
                new Posting
                {
                    SourceAccountId = capture.DestinationAccountId,
                    DestinationAccountId = account.ToString(),
                    Amount = commission,
                }
            );
        }

        return capture;
    }
}
