using System.Text.Json;
using LocalPlus.Giftcard.Ledger;
using LocalPlus.Hosting;
using LocalPlus.Kernel;
using Npgsql;

namespace LocalPlus.Giftcard.Redemptions;

/// <summary>
/// POST /v1/redemptions: pays from gift cards and with a member's points, at once (immediate) or by a hold that the
/// till confirms or cancels (two_phase); all sources in one act of the ledger. Three steps: the intent in SQL, the
/// hold in the ledger, the outcome in SQL (a member's points are reserved in the wallet between the first and the
/// second); a crash between them is finished by the sweeper or by a repeat of the request. Refusals:
/// gift_card_not_usable, member_not_usable, gift_card_state, not_accepted_here, currency_mismatch, limit_exceeded,
/// insufficient_balance (with available), reference_reused, velocity_limit, terminal_blocked. busy means that the
/// outcome is not known yet: repeat with the same key.
/// </summary>
internal static class CreateRedemption
{
    private const string Route = "/v1/redemptions";
    private const string ReferenceIndex = "ix_redemptions_merchant_id_reference";

    public static IEndpointRouteBuilder MapCreateRedemption(this IEndpointRouteBuilder group)
    {
        group
            .MapPost("/redemptions", HandleAsync)
            .RequireScope("redemptions:write")
            .RequireIdempotencyKey()
            .Refuses(Faults.OfRedemptions)
            .WithName(nameof(CreateRedemption))
            .Produces<RedemptionView>(StatusCodes.Status201Created);
        return group;
    }

    private static Task<IResult> HandleAsync(
        HttpContext http,
        RedemptionRequest request,
        Creation creation,
        CancellationToken cancel
    ) => creation.RedeemAsync(http, request, cancel);

    /// <summary>The three steps behind a key; what POST /v1/holds asks for too.</summary>
    internal sealed class Creation(
        Intents intents,
        Terminals terminals,
        RedemptionPlanner planner,
        RedemptionStore store,
        RedemptionDriver driver,
        Intake intake,
        Velocity velocity
    )
    {
        public async Task<IResult> RedeemAsync(HttpContext http, RedemptionRequest asked, CancellationToken cancel)
        {
            var key = RequestKey.Of(http, asked);
            asked.Check();
            var rules = MerchantRules.Of(http.GetMerchant());
            var request = rules.Complete(asked);
            IReadOnlyList<Velocity.Counter> counted = [];
            return await intents.OnceAsync(
                key,
                Route,
                id => store.FindAsync(new RedemptionId(id), cancel),
                async () =>
                {
                    await terminals.RequireAsync(key.Merchant, request.TerminalId, request.LocationId, cancel);
                    var plan = await planner.PlanAsync(http.GetMerchant(), request, cancel);
                    plan.RequireLegs(request.Amount.Currency);
                    counted = await velocity.CountAsync(key.Merchant, rules, request, plan, cancel);
                    try
                    {
                        return await intake.AcceptAsync(key, request, plan, cancel);
                    }
                    catch (FaultException)
                    {
                        // Nothing was written. After anything else that is not known, and it stays counted.
                        await velocity.GiveBackAsync(counted);
                        throw;
                    }
                },
                async intent =>
                {
                    var redemption =
                        intent.Row.State == RedemptionState.Authorizing
                            ? await driver.AuthorizeAsync(intent, CancellationToken.None)
                            : intent;
                    if (redemption.Row.State == RedemptionState.Refused)
                    {
                        await velocity.GiveBackAsync(counted);
                    }

                    return RedemptionOutcomes.ToAnswer(redemption);
                },
                cancel
            );
        }
    }

    /// <summary>
    /// Step 1: the intent, with its legs and the claim on the key; those of many requests in one transaction.
    /// </summary>
    internal sealed class Intake
    {
        private readonly Database database;
        private readonly LedgerAccounts accounts;
        private readonly TimeProvider time;
        private readonly GroupCommit<(RequestKey Key, Redemption Intent), bool> commit;

        public Intake(Database database, LedgerAccounts accounts, TimeProvider time)
        {
            this.database = database;
            this.accounts = accounts;
            this.time = time;
            commit = new(database, ClaimAndWriteAsync, begins: true);
        }

        public async Task<Redemption> AcceptAsync(
            RequestKey key,
            RedemptionRequest request,
            RedemptionPlan plan,
            CancellationToken cancel
        )
        {
            // The accounts are opened before the transaction: nothing waits for the ledger inside one.
            var (payable, commission) = await AccountsAsync(key.Merchant, request, plan, cancel);
            var intent = Intent(RedemptionId.New(time), key.Merchant, key.Key, request, plan, payable, commission);
            try
            {
                await Failpoints.BeforeAsync("Accept");
                var isClaimed = await commit.WriteAsync((key, intent), cancel);
                await Failpoints.CommittedAsync("Accept");
                return isClaimed ? intent : throw Intents.InProgress();
            }
            catch (PostgresException taken) when (taken.ConstraintName == ReferenceIndex)
            {
                throw await ReferenceReusedAsync(key.Merchant, request.Reference!, cancel);
            }
        }

        /// <summary>
        /// The intent alone, in the caller's transaction; its accounts have been opened. Refuses with reference_reused.
        /// </summary>
        public async Task<Redemption> WriteAsync(
            DbSession db,
            RedemptionId id,
            MerchantId merchant,
            string? key,
            RedemptionRequest request,
            RedemptionPlan plan,
            CancellationToken cancel
        )
        {
            var (payable, commission) = await AccountsAsync(merchant, request, plan, cancel);
            var intent = Intent(id, merchant, key, request, plan, payable, commission);
            try
            {
                await db.ExecuteAsync(Sql.Insert, Arguments([intent.Row], [.. intent.Legs]));
                await WritePointsAsync(db, [intent.Row]);
            }
            catch (PostgresException taken) when (taken.ConstraintName == ReferenceIndex)
            {
                throw await ReferenceReusedAsync(merchant, request.Reference!, cancel);
            }

            return intent;
        }

        /// <summary>Where the money goes; remembered after the first time.</summary>
        public async Task<(AccountId Payable, AccountId? Commission)> AccountsAsync(
            MerchantId merchant,
            RedemptionRequest request,
            RedemptionPlan plan,
            CancellationToken cancel
        )
        {
            var payable = await accounts.PayableAsync(plan.Books, merchant, request.Amount.Currency.Code, cancel);
            var commission = plan.Legs.Any(l => l.Card.CommissionBasisPoints > 0)
                ? await accounts.CommissionAsync(plan.Books, merchant, request.Amount.Currency.Code, cancel)
                : (AccountId?)null;
            return (payable, commission);
        }

        /// <summary>
        /// For each whether it has got the key; another request with the same key may have been quicker. The claims
        /// come first: of two requests with one key the second must meet the key, not the reference.
        /// </summary>
        private async Task<IReadOnlyList<bool>> ClaimAndWriteAsync(
            DbSession db,
            IReadOnlyList<(RequestKey Key, Redemption Intent)> intents
        )
        {
            var claimed = (
                await Intents.ClaimAsync(db, intents.Select(i => (i.Key, i.Intent.Row.Id.Value)), time.GetUtcNow())
            ).ToHashSet();
            var rows = intents.Select(i => i.Intent.Row).Where(row => claimed.Contains(row.Id.Value)).ToArray();
            var legs = intents
                .SelectMany(i => i.Intent.Legs)
                .Where(leg => claimed.Contains(leg.RedemptionId.Value))
                .ToArray();
            if (rows.Length > 0)
            {
                await db.ExecuteAsync(Sql.Insert, Arguments(rows, legs));
                await WritePointsAsync(db, rows);
            }

            return [.. intents.Select(i => claimed.Contains(i.Intent.Row.Id.Value))];
        }

        /// <summary>Most redemptions have none, and cost nothing here.</summary>
        private static Task WritePointsAsync(DbSession db, RedemptionRow[] rows)
        {
            var paying = Array.FindAll(rows, r => r.Points is not null);
            return paying.Length == 0
                ? Task.CompletedTask
                : db.ExecuteAsync(
                    Sql.Points,
                    new
                    {
                        RedemptionIds = Array.ConvertAll(paying, r => r.Id),
                        MemberIds = Array.ConvertAll(paying, r => r.Points!.MemberId),
                        ProgramIds = Array.ConvertAll(paying, r => r.Points!.PointsProgramId),
                        Lives = Array.ConvertAll(paying, r => r.Points!.PointsLive),
                        Positions = Array.ConvertAll(paying, r => r.Points!.PointsPosition),
                        MaxPoints = Array.ConvertAll(paying, r => r.Points!.MaxPoints),
                        MaxAmounts = Array.ConvertAll(paying, r => r.Points!.PointsMaxAmount),
                    }
                );
        }

        private static object Arguments(RedemptionRow[] rows, LegRow[] legs) =>
            new
            {
                RedemptionIds = Array.ConvertAll(rows, r => r.Order.RedemptionId),
                MerchantIds = Array.ConvertAll(rows, r => r.Order.MerchantId),
                BooksMerchantIds = Array.ConvertAll(rows, r => r.Books.BooksMerchantId),
                Modes = Array.ConvertAll(rows, r => r.Order.Mode),
                Partials = Array.ConvertAll(rows, r => r.Order.Partial),
                References = Array.ConvertAll(rows, r => r.Order.Reference),
                Currencies = Array.ConvertAll(rows, r => r.Order.Currency),
                Requested = Array.ConvertAll(rows, r => r.Order.Requested),
                PayableAccountIds = Array.ConvertAll(rows, r => r.Books.PayableAccountId),
                CommissionAccountIds = Array.ConvertAll(rows, r => r.Books.CommissionAccountId),
                LocationIds = Array.ConvertAll(rows, r => r.Order.LocationId),
                TerminalIds = Array.ConvertAll(rows, r => r.Order.TerminalId),
                Metadata = Array.ConvertAll(rows, r => r.Order.Metadata),
                HoldExpiresAts = Array.ConvertAll(rows, r => r.Progress.HoldExpiresAt?.UtcDateTime),
                IdempotencyKeys = Array.ConvertAll(rows, r => r.Order.IdempotencyKey),
                DriveAfters = Array.ConvertAll(rows, r => (r.Order.CreatedAt + TakeOver(r)).UtcDateTime),
                CreatedAts = Array.ConvertAll(rows, r => r.Order.CreatedAt.UtcDateTime),
                LegRedemptionIds = Array.ConvertAll(legs, l => l.RedemptionId),
                Positions = Array.ConvertAll(legs, l => l.Position),
                GiftCardIds = Array.ConvertAll(legs, l => l.GiftCardId),
                LastFours = Array.ConvertAll(legs, l => l.Last4),
                LotIds = Array.ConvertAll(legs, l => l.LotId),
                AccountIds = Array.ConvertAll(legs, l => l.AccountId),
                MaxAmounts = Array.ConvertAll(legs, l => l.MaxAmount),
                Commissions = Array.ConvertAll(legs, l => l.CommissionBasisPoints),
                LegPrograms = Array.ConvertAll(legs, l => l.ProgramId),
            };

        // One that no till waits for belongs to another step (an offline item), which drives it in its own order.
        private static TimeSpan TakeOver(RedemptionRow row) =>
            row.Order.IdempotencyKey is null ? GiftcardLimits.TakeOverOfItems : GiftcardLimits.TakeOver;

        private Task<FaultException> ReferenceReusedAsync(
            MerchantId merchant,
            string reference,
            CancellationToken cancel
        ) => References.ReusedAsync<RedemptionId>(database, References.Redemption, merchant, reference, cancel);

        private Redemption Intent(
            RedemptionId id,
            MerchantId merchant,
            string? key,
            RedemptionRequest request,
            RedemptionPlan plan,
            AccountId payable,
            AccountId? commission
        )
        {
            // Whole milliseconds, as the API says times: SQL would cut a finer one, and a hold that is placed again
            // after a crash has to be the same request to the tick, or the ledger refuses its key.
            var now = time.GetUtcNow();
            now = now.AddTicks(-(now.Ticks % TimeSpan.TicksPerMillisecond));
            DateTimeOffset? expiry =
                request.Mode == Mode.TwoPhase
                    ? now.AddSeconds(request.HoldTtlSeconds ?? GiftcardLimits.HoldSecondsDefault)
                    : null;
            var metadata = request.Metadata is null
                ? null
                : JsonSerializer.Serialize(request.Metadata, StrictJson.Options);
            var row = new RedemptionRow(
                new(
                    id,
                    merchant,
                    request.Mode,
                    plan.Partial,
                    request.Reference,
                    request.Amount.Currency.Code,
                    request.Amount.MinorUnits,
                    request.LocationId,
                    request.TerminalId,
                    metadata,
                    key,
                    now
                ),
                new(plan.Books, payable, commission, HoldId: null, TransactionId: null),
                new(
                    RedemptionState.Authorizing,
                    Approved: 0,
                    Captured: 0,
                    Refunded: 0,
                    expiry,
                    NeedsAttention: false,
                    RunGeneration: 0,
                    SkipNotify: false,
                    Version: 1,
                    now
                ),
                Decided: null,
                Refused: null,
                plan.Points?.ToPart()
            );
            return new(
                row,
                [
                    .. plan.Legs.Select(
                        (leg, position) =>
                            new LegRow(
                                id,
                                position,
                                leg.Card.Row.GiftCardId,
                                leg.Card.Row.Last4,
                                leg.Lot.LotId,
                                leg.Lot.AccountId,
                                leg.MaxAmount,
                                Held: 0,
                                Captured: 0,
                                Refunded: 0,
                                leg.Card.CommissionBasisPoints,
                                AvailableAfter: null,
                                leg.Card.Row.ProgramId
                            )
                    ),
                ]
            );
        }
    }

    private static class Sql
    {
        public const string Insert = """
            INSERT INTO redemptions (redemption_id, merchant_id, books_merchant_id, mode, partial, reference, currency,
                   requested, payable_account_id, commission_account_id, location_id, terminal_id, metadata,
                   hold_expires_at, idempotency_key, drive_after, created_at, updated_at, state)
            SELECT *, 'authorizing'
              FROM unnest(@RedemptionIds, @MerchantIds, @BooksMerchantIds, @Modes, @Partials, @References, @Currencies,
                          @Requested, @PayableAccountIds, @CommissionAccountIds, @LocationIds, @TerminalIds,
                          @Metadata::jsonb[], @HoldExpiresAts, @IdempotencyKeys, @DriveAfters, @CreatedAts,
                          @CreatedAts);
            INSERT INTO redemption_legs (redemption_id, position, gift_card_id, last4, lot_id, account_id, max_amount,
                   commission_basis_points, program_id)
            SELECT *
              FROM unnest(@LegRedemptionIds, @Positions, @GiftCardIds, @LastFours, @LotIds, @AccountIds, @MaxAmounts,
                          @Commissions, @LegPrograms::uuid[])
            """;

        public const string Points = """
            UPDATE redemptions r
               SET member_id = p.member_id, points_program_id = p.program_id, points_live = p.live,
                   points_position = p.position, max_points = p.max_points, points_max_amount = p.max_amount,
                   points = 0, points_pays = 0, points_held = 0, points_captured = 0, points_refunded = 0
              FROM unnest(@RedemptionIds::uuid[], @MemberIds::uuid[], @ProgramIds::uuid[], @Lives::boolean[],
                          @Positions::int[], @MaxPoints::bigint[], @MaxAmounts::bigint[])
                AS p (redemption_id, member_id, program_id, live, position, max_points, max_amount)
             WHERE r.redemption_id = p.redemption_id
            """;
    }
}
