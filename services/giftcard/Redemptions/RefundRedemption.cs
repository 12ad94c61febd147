using System.Text.Json;
using LocalPlus.Hosting;
using LocalPlus.Kernel;
using Npgsql;

namespace LocalPlus.Giftcard.Redemptions;

/// <summary>
/// POST /v1/redemptions/{id}/refunds: gives all (no amount) or part of what was captured back to the lots it came from,
/// or the heirs of their cards; as often as wanted, never more than was captured in sum. Without an amount what can go
/// back does, and not_refunded names what can not (cards closed or expired) and what to do. Refusals: not_found,
/// redemption_not_completed, refund_exceeds_captured, gift_card_state (more was asked for than the cards can take; with
/// refundable and not_refunded), currency_mismatch, reference_reused, refund_window_closed.
/// </summary>
internal static class RefundRedemption
{
    public static IEndpointRouteBuilder MapRefundRedemption(this IEndpointRouteBuilder group)
    {
        group
            .MapPost("/redemptions/{id}/refunds", HandleAsync)
            .RequireScope("redemptions:write")
            .WorksAcrossMerchants()
            .OpenTo(MerchantStatus.Suspended, MerchantStatus.Closed)
            .RequireIdempotencyKey()
            .Refuses(Faults.OfRefunds)
            .WithName(nameof(RefundRedemption))
            .Produces<RefundView>(StatusCodes.Status201Created);
        return group;
    }

    internal sealed record Request(Money? Amount = null, string? Reference = null, string? Reason = null);

    private static async Task<IResult> HandleAsync(
        HttpContext http,
        RedemptionId id,
        Request? request,
        Intents intents,
        Intake intake,
        RefundDriver driver,
        CancellationToken cancel
    )
    {
        request ??= new Request();
        new FieldChecks()
            .Positive(request.Amount, "/amount")
            .Text(request.Reference, "/reference", GiftcardLimits.ReferenceLength)
            .Text(request.Reason, "/reason", GiftcardLimits.ReasonLength)
            .ThrowIfAny();
        var key = RequestKey.Of(http, request);
        return await intents.OnceAsync(
            key,
            $"/v1/redemptions/{id}/refunds",
            intent => driver.FindAsync(new RefundId(intent), cancel),
            () => intake.AcceptAsync(id, key, request, MerchantRules.Of(http.GetMerchant()), cancel),
            refund => driver.DriveAsync(refund, CancellationToken.None),
            cancel
        );
    }

    /// <summary>
    /// Sets the amount aside under the redemption's lock: two refunds at once can not exceed what was captured.
    /// </summary>
    internal sealed class Intake(Database database, Intents intents, TimeProvider time)
    {
        public async Task<RefundRow> AcceptAsync(
            RedemptionId id,
            RequestKey key,
            Request request,
            MerchantRules rules,
            CancellationToken cancel
        )
        {
            var refundId = RefundId.New(time);
            await using var db = await database.BeginAsync(cancel);
            await intents.ClaimAsync(db, key, refundId.Value);
            var now = await RedemptionStore.LockAsync(db, id);
            if (now is null || now.Row.Order.MerchantId != key.Merchant || now.Row.State == RedemptionState.Refused)
            {
                throw new FaultException(CommonFaults.NotFound, "There is no such redemption.");
            }

            var created = time.GetUtcNow();
            rules.RequireRefundable(now.Row.Order.CreatedAt, created);
            var asked = Amount(now.Row, request);
            var (open, points) = await PendingAsync(db, now);
            var (takers, closed) = await RefundHomes.SplitAsync(db, now.Row, open, created);
            var refundable = takers.Sum(l => l.Captured - l.Refunded) + (points?.Left ?? 0);
            if (refundable == 0 || request.Amount is not null && asked > refundable)
            {
                throw Refusal(now.Row, refundable, closed);
            }

            var amount = Math.Min(asked, refundable);
            var (parts, pointsAmount) = RefundRow.Split(takers, points, amount);
            var commission = Commission.Back(
                open,
                parts,
                await db.QuerySingleAsync<long>(Sql.CommissionBack, new { now.Row.Order.RedemptionId })
            );
            var refund = new RefundRow(
                new(
                    refundId,
                    id,
                    key.Merchant,
                    amount,
                    commission,
                    now.Row.Order.Currency,
                    StoredJson.Write(parts),
                    request.Reference,
                    request.Reason,
                    key.Key,
                    created,
                    NotRefundedIn(request, closed)
                ),
                RefundEndPart.None,
                new(pointsAmount, Points: 0)
            );
            try
            {
                await db.ExecuteAsync(
                    Sql.Insert,
                    new
                    {
                        refund.Order.RefundId,
                        refund.Order.RedemptionId,
                        refund.Order.MerchantId,
                        refund.Order.Amount,
                        refund.Order.Commission,
                        refund.Order.Currency,
                        refund.Order.Legs,
                        refund.Order.Reference,
                        refund.Order.Reason,
                        refund.Order.IdempotencyKey,
                        DriveAfter = created + GiftcardLimits.TakeOver,
                        refund.Order.CreatedAt,
                        refund.Order.NotRefunded,
                        refund.Points.PointsAmount,
                    }
                );
            }
            catch (PostgresException taken) when (taken.ConstraintName == "ix_redemption_refunds_merchant_id_reference")
            {
                throw await References.ReusedAsync<RefundId>(
                    database,
                    References.Refund,
                    key.Merchant,
                    request.Reference!,
                    cancel
                );
            }

            var row = now.Row with
            {
                Progress = now.Row.Progress.Next(created) with { Refunded = now.Row.Progress.Refunded + amount },
            };
            await RedemptionStore.UpdateAsync(db, row);
            await db.CommitAsync();
            return refund;
        }

        private static FaultException Refusal(RedemptionRow row, long refundable, IReadOnlyList<NotRefunded> closed) =>
            new(
                Faults.GiftCardState,
                $"{refundable} {row.Order.Currency} can go back to the gift cards, not_refunded says why no more."
            )
            {
                Extensions = new Dictionary<string, object?>
                {
                    ["refundable"] = new Money(refundable, Currency.Parse(row.Order.Currency)),
                    ["not_refunded"] = closed,
                },
            };

        /// <summary>Who asks for a part asks for nothing of the rest.</summary>
        private static string? NotRefundedIn(Request request, IReadOnlyList<NotRefunded> closed) =>
            request.Amount is null && closed.Count > 0 ? JsonSerializer.Serialize(closed, StrictJson.Options) : null;

        private static long Amount(RedemptionRow row, Request request)
        {
            if (
                row.State.Value
                is not (RedemptionState.Completed or RedemptionState.PartiallyRefunded or RedemptionState.Refunded)
            )
            {
                throw new FaultException(Faults.RedemptionNotCompleted, $"It is {row.State}.");
            }

            if (request.Amount is { } asked && asked.Currency.Code != row.Order.Currency)
            {
                throw new FaultException(Faults.CurrencyMismatch, "The redemption is in another currency.");
            }

            var left = row.Progress.Captured - row.Progress.Refunded;
            var amount = request.Amount?.MinorUnits ?? left;
            return amount > 0 && amount <= left
                ? amount
                : throw new FaultException(
                    Faults.RefundExceedsCaptured,
                    $"{left} {row.Order.Currency} are left to refund."
                );
        }

        /// <summary>
        /// The legs and points with what other refunds, not yet finished, have set aside already.
        /// </summary>
        private static async Task<(IReadOnlyList<LegRow> Legs, PointsPart? Points)> PendingAsync(
            DbSession db,
            Redemption now
        )
        {
            var refunds = await db.QueryAsync<RefundRow>(Sql.Pending, new { now.Row.Order.RedemptionId });
            var pending = refunds.SelectMany(f => f.Parts).ToLookup(p => p.Position, p => p.Amount);
            var points = now.Row.Points;
            return (
                [.. now.Legs.Select(l => l with { Refunded = l.Refunded + pending[l.Position].Sum() })],
                points is null
                    ? null
                    : points with
                    {
                        PointsRefunded = points.PointsRefunded + refunds.Sum(f => f.Points.PointsAmount),
                    }
            );
        }
    }

    private static class Sql
    {
        public const string Pending = $"""
            {RefundRow.Columns}
             WHERE f.redemption_id = @RedemptionId
               AND f.state = 'pending'
            """;

        /// <summary>What earlier refunds, finished or not, give back of the commission.</summary>
        public const string CommissionBack = """
            SELECT coalesce(sum(commission), 0)::bigint
              FROM redemption_refunds
             WHERE redemption_id = @RedemptionId
               AND state <> 'refused'
            """;

        public const string Insert = """
            INSERT INTO redemption_refunds (refund_id, redemption_id, merchant_id, state, amount, commission, currency,
                   legs, reference, reason, idempotency_key, drive_after, created_at, not_refunded, points_amount)
            VALUES (@RefundId, @RedemptionId, @MerchantId, 'pending', @Amount, @Commission, @Currency, @Legs::jsonb,
                   @Reference, @Reason, @IdempotencyKey, @DriveAfter, @CreatedAt, @NotRefunded::jsonb, @PointsAmount)
            """;
    }
}
