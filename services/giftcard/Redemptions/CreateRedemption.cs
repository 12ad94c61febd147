using System.Text.Json;
using LocalPlus.Giftcard.Ledger;
using LocalPlus.Hosting;
using LocalPlus.Kernel;
using Npgsql;

namespace LocalPlus.Giftcard.Redemptions;

/// <summary>
/// POST /v1/redemptions: pays from gift cards, at once (immediate) or by a hold that the till confirms or cancels
/// (two_phase); all sources in one act of the ledger. Three steps: the intent in SQL, the hold in the ledger, the outcome in
/// SQL; a crash between them is finished by the sweeper or by a repeat of the request. Refusals: gift_card_not_usable,
/// gift_card_state, not_accepted_here, currency_mismatch, limit_exceeded, insufficient_balance (with available),
/// reference_reused. busy means that the outcome is not known yet: repeat with the same key.
/// </summary>
internal static class CreateRedemption
{
    private const string Route = "/v1/redemptions";

    public static void MapCreateRedemption(this IEndpointRouteBuilder group) =>
        group.MapPost("/redemptions", HandleAsync).RequireScope("redemptions:write").WithName(nameof(CreateRedemption))
            .Produces<RedemptionView>(StatusCodes.Status201Created);

    private static Task<IResult> HandleAsync(HttpContext http, RedemptionRequest request, Till till, CancellationToken cancel) =>
        till.RedeemAsync(http, request, cancel);

    /// <summary>The three steps behind a key; what POST /v1/holds asks for too.</summary>
    internal sealed class Till(
        Intents intents, RedemptionPlanner planner, RedemptionStore store, RedemptionDriver driver, Intake intake)
    {
        public async Task<IResult> RedeemAsync(HttpContext http, RedemptionRequest request, CancellationToken cancel)
        {
            var key = RequestKey.Of(http, request);
            request.Check();
            var prior = await intents.FindAsync(key, cancel);
            if (prior?.Answer is { } answer)
            {
                return answer;
            }

            Redemption intent;
            if (prior?.IntentId is { } unfinished)
            {
                intent = await store.FindAsync(new RedemptionId(unfinished), cancel) ?? throw Intents.InProgress();
            }
            else
            {
                try
                {
                    var plan = await planner.PlanAsync(key.Merchant, request, cancel);
                    intent = await intake.AcceptAsync(key, request, plan, cancel);
                }
                catch (FaultException refusal) when (Intents.IsFinal(refusal.Fault))
                {
                    return await intents.RefuseAsync(key, refusal, Route, cancel);
                }
            }

            // From here on the till may hang up: what was accepted is finished.
            var redemption = intent.Row.State == RedemptionState.Authorizing
                ? await driver.AuthorizeAsync(intent, CancellationToken.None)
                : intent;
            return RedemptionOutcomes.ToAnswer(redemption);
        }
    }

    /// <summary>Step 1: the intent, with its legs and the claim on the key, in one transaction.</summary>
    internal sealed class Intake(Database database, Intents intents, LedgerAccounts accounts, TimeProvider time)
    {
        public async Task<Redemption> AcceptAsync(
            RequestKey key, RedemptionRequest request, RedemptionPlan plan, CancellationToken cancel)
        {
            // Opened before the transaction: nothing waits for the ledger inside one.
            await AccountsAsync(key.Merchant, request, plan, cancel);
            var id = RedemptionId.New(time);
            await Failpoints.BeforeAsync("Accept");
            await using var db = await database.BeginAsync(cancel);
            // The claim first: of two requests with one key the second must meet the key, not the reference.
            await intents.ClaimAsync(db, key, id.Value);
            var intent = await WriteAsync(db, id, key.Merchant, key.Key, request, plan, cancel);
            await db.CommitAsync();
            await Failpoints.CommittedAsync("Accept");
            return intent;
        }

        /// <summary>
        /// The intent alone, in the caller's transaction; its accounts have been opened. Refuses with reference_reused.
        /// </summary>
        public async Task<Redemption> WriteAsync(
            DbSession db, RedemptionId id, MerchantId merchant, string? key, RedemptionRequest request, RedemptionPlan plan,
            CancellationToken cancel)
        {
            var (payable, commission) = await AccountsAsync(merchant, request, plan, cancel);
            var intent = Intent(id, merchant, key, request, plan, payable, commission);
            var row = intent.Row;
            try
            {
                await db.ExecuteAsync(Sql.Insert, new
                {
                    row.RedemptionId, row.MerchantId, row.BooksMerchantId, row.Mode, row.Partial, row.Reference, row.Currency,
                    row.Requested, row.PayableAccountId, row.CommissionAccountId, row.LocationId, row.TerminalId, row.Metadata,
                    row.HoldExpiresAt, row.IdempotencyKey, DriveAfter = row.CreatedAt + GiftcardLimits.TakeOver, row.CreatedAt,
                    Positions = intent.Legs.Select(l => l.Position).ToArray(),
                    GiftCardIds = intent.Legs.Select(l => l.GiftCardId).ToArray(),
                    LastFours = intent.Legs.Select(l => l.Last4).ToArray(),
                    LotIds = intent.Legs.Select(l => l.LotId).ToArray(),
                    AccountIds = intent.Legs.Select(l => l.AccountId).ToArray(),
                    MaxAmounts = intent.Legs.Select(l => l.MaxAmount).ToArray(),
                    Commissions = intent.Legs.Select(l => l.CommissionBasisPoints).ToArray(),
                });
            }
            catch (PostgresException taken) when (taken.ConstraintName == "ix_redemptions_merchant_id_reference")
            {
                throw new FaultException(CommonFaults.ReferenceReused, "Another redemption has this reference.");
            }

            return intent;
        }

        /// <summary>Where the money goes; remembered after the first time.</summary>
        public async Task<(Guid Payable, Guid? Commission)> AccountsAsync(
            MerchantId merchant, RedemptionRequest request, RedemptionPlan plan, CancellationToken cancel)
        {
            var payable = await accounts.PayableAsync(plan.Books, merchant, request.Amount.Currency.Code, cancel);
            var commission = plan.Legs.Any(l => l.Card.CommissionBasisPoints > 0)
                ? await accounts.CommissionAsync(plan.Books, merchant, request.Amount.Currency.Code, cancel)
                : (Guid?)null;
            return (payable, commission);
        }

        private Redemption Intent(
            RedemptionId id, MerchantId merchant, string? key, RedemptionRequest request, RedemptionPlan plan, Guid payable, Guid? commission)
        {
            // Whole milliseconds, as the API says times: SQL would cut a finer one, and a hold that is placed again after a
            // crash has to be the same request to the tick, or the ledger refuses its key.
            var now = time.GetUtcNow();
            now = now.AddTicks(-(now.Ticks % TimeSpan.TicksPerMillisecond));
            DateTimeOffset? expiry = request.Mode == Mode.TwoPhase
                ? now.AddSeconds(request.HoldTtlSeconds ?? GiftcardLimits.HoldSecondsDefault)
                : null;
            var metadata = request.Metadata is null ? null : JsonSerializer.Serialize(request.Metadata, StrictJson.Options);
            var row = new RedemptionRow(
                id.Value, merchant.Value, plan.Books.Value, RedemptionState.Authorizing, Wire.Name(request.Mode), plan.Partial,
                request.Reference, request.Amount.Currency.Code, request.Amount.MinorUnits, Approved: 0, Captured: 0, Refunded: 0,
                payable, commission, request.LocationId?.Value, request.TerminalId?.Value, metadata, HoldId: null, expiry,
                TransactionId: null, Decision: null, DecisionAmount: null, DecidedBy: null, FaultCode: null, FaultDetail: null,
                FaultAvailable: null, NeedsAttention: false, key, DriveAttempts: 0, RunGeneration: 0, Version: 1, now, now);
            return new(row, [.. plan.Legs.Select((leg, position) => new LegRow(
                id.Value, position, leg.Card.GiftCardId, leg.Card.Last4, leg.Lot.LotId, leg.Lot.AccountId, leg.MaxAmount,
                Held: 0, Captured: 0, Refunded: 0, leg.Card.CommissionBasisPoints, AvailableAfter: null))]);
        }
    }

    private static class Sql
    {
        public const string Insert =
            """
            INSERT INTO redemptions (redemption_id, merchant_id, books_merchant_id, state, mode, partial, reference, currency,
                   requested, payable_account_id, commission_account_id, location_id, terminal_id, metadata, hold_expires_at,
                   idempotency_key, drive_after, created_at, updated_at)
            VALUES (@RedemptionId, @MerchantId, @BooksMerchantId, 'authorizing', @Mode, @Partial, @Reference, @Currency,
                   @Requested, @PayableAccountId, @CommissionAccountId, @LocationId, @TerminalId, @Metadata::jsonb, @HoldExpiresAt,
                   @IdempotencyKey, @DriveAfter, @CreatedAt, @CreatedAt);
            INSERT INTO redemption_legs (redemption_id, position, gift_card_id, last4, lot_id, account_id, max_amount,
                   commission_basis_points)
            SELECT @RedemptionId, l.position, l.gift_card_id, l.last4, l.lot_id, l.account_id, l.max_amount, l.commission
              FROM unnest(@Positions, @GiftCardIds, @LastFours, @LotIds, @AccountIds, @MaxAmounts, @Commissions)
                AS l (position, gift_card_id, last4, lot_id, account_id, max_amount, commission);
            INSERT INTO redemption_events (redemption_id, kind, actor, occurred_at)
            VALUES (@RedemptionId, 'accepted', 'till', @CreatedAt)
            """;
    }
}
