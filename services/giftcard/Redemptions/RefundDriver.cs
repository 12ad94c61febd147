using LocalPlus.Contracts.Ledger.V1;
using LocalPlus.Giftcard.Cards;
using LocalPlus.Giftcard.Ledger;
using LocalPlus.Giftcard.Operations;
using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Giftcard.Redemptions;

/// <summary>
/// Carries a refund that is committed in SQL out in the ledger: a reversal of the capture, keyed by the refund, so that
/// the value returns to the very lots it came from.
/// </summary>
internal sealed class RefundDriver(
    Database database,
    LedgerGateway ledger,
    WalletPoints wallet,
    PointsSettlements settlements,
    RedemptionStore store,
    TimeProvider time
)
{
    public Task<RefundRow?> FindAsync(RefundId id, CancellationToken cancel) =>
        database.QuerySingleOrDefaultAsync<RefundRow>(Sql.Get, new { RefundId = id }, cancel);

    public async Task DriveAsync(Guid id, CancellationToken cancel)
    {
        if (await FindAsync(new RefundId(id), cancel) is { End.State.Value: RefundState.Pending } refund)
        {
            await DriveAsync(refund, cancel);
        }
    }

    /// <summary>What the refund's request is answered with. Throws when the ledger does not answer.</summary>
    public async Task<Answer> DriveAsync(RefundRow refund, CancellationToken cancel)
    {
        var redemption = (await store.FindAsync(refund.Order.RedemptionId, cancel))!;
        PostTransactionResponse posted;
        try
        {
            posted = await ledger.ReverseAsync(Reversal(redemption.Row, refund), cancel);
        }
        catch (FaultException refusal)
        {
            return await FinishAsync(refund, null, refusal, cancel);
        }

        var points = await GiveBackPointsAsync(redemption.Row, refund, cancel);
        var done = refund with { Points = refund.Points with { Points = points } };
        return await FinishAsync(done, TransactionId.Parse(posted.Transaction.TransactionId), null, cancel);
    }

    /// <summary>
    /// The money is back on the member's account: the wallet makes points of it again. It has to know first what the
    /// redemption had taken, which it may not have been told yet.
    /// </summary>
    private async Task<long> GiveBackPointsAsync(RedemptionRow redemption, RefundRow refund, CancellationToken cancel)
    {
        if (refund.Points.PointsAmount == 0)
        {
            return 0;
        }

        await settlements.DriveAsync(redemption.Id.Value, cancel);
        return await wallet.RefundAsync(redemption.Id, refund.Id, refund.Points.PointsAmount, cancel);
    }

    private async Task<Answer> FinishAsync(
        RefundRow refund,
        TransactionId? transactionId,
        FaultException? refusal,
        CancellationToken cancel
    )
    {
        await using var db = await database.BeginAsync(cancel);
        var now = (await RedemptionStore.LockAsync(db, refund.Order.RedemptionId))!;
        var state = refusal is null ? RefundState.Completed : RefundState.Refused;
        var done = refund with { End = new(state, transactionId, refusal?.Fault.Code, time.GetUtcNow()) };
        var written = await db.ExecuteAsync(
            Sql.Finish,
            new
            {
                RefundId = refund.Id,
                done.End.State,
                done.End.TransactionId,
                done.End.FaultCode,
                done.End.FinishedAt,
                done.Points.Points,
            }
        );
        if (written == 0)
        {
            var other = await db.QuerySingleAsync<RefundRow>(Sql.Get, new { RefundId = refund.Id });
            return ToAnswer(other, now.Row, refusal);
        }

        var row = now.Row;
        if (refusal is null)
        {
            row = await GiveBackAsync(db, now, done);
        }
        else
        {
            // What was set aside for this refund is free for another.
            row = row with
            {
                Progress = row.Progress.Next(time.GetUtcNow()) with
                {
                    Refunded = row.Progress.Refunded - refund.Order.Amount,
                    NeedsAttention = row.Progress.NeedsAttention || refusal.Fault == Faults.OperationFailed,
                },
            };
            await RedemptionStore.UpdateAsync(db, row);
            await store.NoteAsync(
                db,
                row.Id,
                "refund_refused",
                "giftcard",
                new { refund.Order.Amount, Code = refusal.Fault.Code }
            );
        }

        var answer = ToAnswer(done, row, refusal);
        if (refund.Order.IdempotencyKey is { } key)
        {
            await Intents.StoreAsync(db, refund.Order.MerchantId, key, answer);
        }

        await db.CommitAsync();
        return answer;
    }

    private async Task<RedemptionRow> GiveBackAsync(DbSession db, Redemption now, RefundRow refund)
    {
        var parts = refund.Parts;
        await db.ExecuteAsync(
            Sql.GiveBack,
            new
            {
                refund.Order.RedemptionId,
                Positions = parts.Select(p => p.Position).ToArray(),
                Amounts = parts.Select(p => p.Amount).ToArray(),
            }
        );
        var givenBack = now.Legs.Sum(l => l.Refunded) + (now.Row.Points?.PointsRefunded ?? 0) + refund.Order.Amount;
        var row = now.Row with
        {
            Progress = now.Row.Progress.Next(time.GetUtcNow()) with
            {
                State = RedemptionRules.AfterRefund(now.Row.Progress.Captured, givenBack),
            },
            Points = now.Row.Points is { } points
                ? points with
                {
                    PointsRefunded = points.PointsRefunded + refund.Points.PointsAmount,
                }
                : null,
        };
        await RedemptionStore.UpdateAsync(db, row);
        await store.NoteAsync(
            db,
            row.Id,
            "refunded",
            "till",
            new
            {
                refund.Order.Amount,
                RefundId = refund.Id,
                Points = refund.Points.PointsAmount == 0 ? (long?)null : refund.Points.Points,
            }
        );
        await CardActivities.AddAsync(
            db,
            "refund",
            parts.GroupBy(p => p.GiftCardId).Select(g => (g.Key, g.Sum(p => p.Amount))),
            ActivityCause.OfRedemption(row, refund.End.TransactionId, refund.Order.Reference, refund.Order.Reason),
            time
        );
        await Settlement.RefundedAsync(db, row, refund);
        await CardLeftovers.MarkAsync(db, parts.Select(p => p.GiftCardId), "refund", row.Progress.UpdatedAt);
        await RedemptionEvents.PublishAsync(db, row, now.Legs, RedemptionEvents.Refunded, refund.Order.Amount, refund);
        return row;
    }

    private static Answer ToAnswer(RefundRow refund, RedemptionRow redemption, FaultException? refusal) =>
        refund.End.State == RefundState.Refused
            ? Problems.Answer(
                refusal
                    ?? new FaultException(Faults.FromLedger(refund.End.FaultCode!)!, "The ledger refused the refund."),
                $"/v1/redemptions/{redemption.Id}/refunds"
            )
            : Answer.Created(
                $"/v1/redemptions/{redemption.Id}/refunds",
                refund.ToView(redemption.State, redemption.Points)
            );

    private static ReverseTransactionRequest Reversal(RedemptionRow redemption, RefundRow refund)
    {
        var id = refund.Id.ToString();
        var request = new ReverseTransactionRequest
        {
            MerchantId = redemption.Books.BooksMerchantId.ToString(),
            IdempotencyKey = id,
            TransactionId = redemption.Books.TransactionId!.Value.ToString(),
            Reference = id,
            Kind = "refund",
        };
        request.Postings.AddRange(
            refund.Parts.Select(part => new Posting
            {
                SourceAccountId = redemption.Books.PayableAccountId.ToString(),
                DestinationAccountId = part.AccountId.ToString(),
                Amount = part.Amount,
            })
        );
        if (refund.Points.PointsAmount > 0)
        {
            request.Postings.Add(
                new Posting
                {
                    SourceAccountId = redemption.Books.PayableAccountId.ToString(),
                    DestinationAccountId = redemption.Points!.PointsAccountId!.Value.ToString(),
                    Amount = refund.Points.PointsAmount,
                }
            );
        }

        if (refund.Order.Commission > 0)
        {
            request.Postings.Add(
                new Posting
                {
                    SourceAccountId = redemption.Books.CommissionAccountId!.Value.ToString(),
                    DestinationAccountId = redemption.Books.PayableAccountId.ToString(),
                    Amount = refund.Order.Commission,
                }
            );
        }

        request.Metadata.Add("redemption_id", redemption.Id.ToString());
        return request;
    }

    private static class Sql
    {
        public const string Get = $"{RefundRow.Columns} WHERE f.refund_id = @RefundId";

        public const string Finish = """
            UPDATE redemption_refunds
               SET state = @State, transaction_id = @TransactionId, fault_code = @FaultCode, finished_at = @FinishedAt,
                   points = @Points, drive_after = NULL,
                   needs_attention = @FaultCode IS NOT DISTINCT FROM 'operation_failed'
             WHERE refund_id = @RefundId
               AND state = 'pending'
            """;

        public const string GiveBack = """
            UPDATE redemption_legs g
               SET refunded = g.refunded + b.amount
              FROM unnest(@Positions, @Amounts) AS b (position, amount)
             WHERE g.redemption_id = @RedemptionId
               AND g.position = b.position
            """;
    }
}
