using LocalPlus.Contracts.Ledger.V1;
using LocalPlus.Giftcard.Ledger;
using LocalPlus.Giftcard.Runs;
using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Giftcard.Redemptions;

/// <summary>
/// POST /v1/redemptions/{id}/extend: moves the end of a hold further away, to an instant and not by a span, so that a
/// repeat extends nothing twice. Refusals: not_found, redemption_not_held, hold_expired, invalid_request (not later
/// than now and the present end, or further than a hold may live).
/// </summary>
internal static class ExtendRedemption
{
    public static IEndpointRouteBuilder MapExtendRedemption(this IEndpointRouteBuilder group)
    {
        group
            .MapPost("/redemptions/{id}/extend", HandleAsync)
            .RequireScope("redemptions:write")
            .RequireIdempotencyKey()
            .Refuses(Faults.OfExtensions)
            .WithName(nameof(ExtendRedemption))
            .Produces<RedemptionView>();
        return group;
    }

    internal sealed record Request(DateTimeOffset HoldExpiresAt);

    private static Task<IResult> HandleAsync(
        HttpContext http,
        RedemptionId id,
        Request request,
        Extension extension,
        CancellationToken cancel
    ) => extension.TakeAsync(http, id, request, request.HoldExpiresAt, cancel);

    /// <summary>A merchant's extension, with its key.</summary>
    internal sealed class Extension(
        RedemptionStore store,
        RedemptionExtender extender,
        Intents intents,
        TimeProvider time
    )
    {
        public async Task<IResult> TakeAsync<TRequest>(
            HttpContext http,
            RedemptionId id,
            TRequest request,
            DateTimeOffset end,
            CancellationToken cancel
        )
        {
            new FieldChecks().Require(end > time.GetUtcNow(), "/hold_expires_at", "past").ThrowIfAny();
            var key = RequestKey.Of(http, request);
            if ((await intents.FindAsync(key, cancel))?.Answer is { } stored)
            {
                return stored;
            }

            var redemption = await store.GetAsync(key.Merchant, id, cancel);
            Answer? answer = null;
            try
            {
                await extender.ExtendAsync(
                    redemption,
                    end,
                    "till",
                    async (db, extended) =>
                    {
                        var view = RedemptionView.Of(extended.Row, extended.Legs, RunState.Waiting);
                        answer = Answer.Ok(view, view.Version);
                        await intents.ClaimAsync(db, key, id.Value);
                        await Intents.StoreAsync(db, key.Merchant, key.Key, answer);
                    },
                    cancel
                );
            }
            catch (FaultException refusal)
            {
                return await intents.RefuseAsync(key, refusal, http.Request.Path, cancel);
            }

            return answer!;
        }
    }
}

/// <summary>
/// Moves the end of a hold: first in the ledger, then here; in between the hold merely ends a little early.
/// </summary>
internal sealed class RedemptionExtender(
    Database database,
    RedemptionStore store,
    LedgerGateway ledger,
    IRedemptionRuns runs,
    TimeProvider time
)
{
    /// <summary>Refuses unless the redemption is held.</summary>
    public void Require(Redemption redemption)
    {
        if (redemption.Row.State != RedemptionState.Held)
        {
            throw new FaultException(Faults.RedemptionNotHeld, $"It is {redemption.Row.State}.");
        }

        if (redemption.Row.Progress.HoldExpiresAt <= time.GetUtcNow())
        {
            throw new FaultException(Faults.HoldExpired, "The hold ran out before it was extended.");
        }
    }

    /// <param name="also">Written in the transaction of the extension.</param>
    public async Task ExtendAsync(
        Redemption redemption,
        DateTimeOffset end,
        string actor,
        Func<DbSession, Redemption, Task> also,
        CancellationToken cancel
    )
    {
        Require(redemption);
        var row = redemption.Row;
        var present = row.Progress.HoldExpiresAt;
        if (end <= present || end > row.Order.CreatedAt.AddSeconds(GiftcardLimits.HoldSecondsMax))
        {
            throw Faults.Invalid(
                "/hold_expires_at",
                $"A hold is extended beyond its end ({present:O}), to at most {GiftcardLimits.HoldSecondsMax} s after "
                    + "its start."
            );
        }

        await ExtendInLedgerAsync(row, end, cancel);
        await using var db = await database.BeginAsync(CancellationToken.None);
        var now = (await RedemptionStore.LockAsync(db, row.Id))!;
        Require(now with { Row = EndingAt(now.Row.Progress) });
        // Of two at once the longer one stays.
        if (now.Row.Progress.HoldExpiresAt < end)
        {
            now = now with { Row = EndingAt(now.Row.Progress.Next(time.GetUtcNow())) };
            await RedemptionStore.UpdateAsync(db, now.Row);
            await store.NoteAsync(db, row.Id, "extended", actor, new { HoldExpiresAt = end });
        }

        await also(db, now);
        await db.CommitAsync();
        runs.Wake(row.Id, now.Row.Progress.RunGeneration);

        RedemptionRow EndingAt(ProgressPart progress) =>
            now.Row with
            {
                Progress = progress with { HoldExpiresAt = end },
            };
    }

    private async Task ExtendInLedgerAsync(RedemptionRow row, DateTimeOffset end, CancellationToken cancel)
    {
        var books = row.Books.BooksMerchantId.ToString();
        try
        {
            await ledger.ExtendHoldAsync(
                new ExtendHoldRequest
                {
                    MerchantId = books,
                    IdempotencyKey = $"{row.Id}:extend:{end.ToUnixTimeMilliseconds()}",
                    HoldId = row.Books.HoldId!.Value.ToString(),
                    ExpiresAt = Google.Protobuf.WellKnownTypes.Timestamp.FromDateTimeOffset(end),
                },
                cancel
            );
        }
        catch (FaultException refusal) when (refusal.Fault == Faults.OperationFailed)
        {
            // The ledger moves an end only away. Another extension, to a later end, may have been quicker: then nothing
            // is left to do there.
            var hold = await ledger.GetHoldAsync(
                new GetHoldRequest { MerchantId = books, Reference = row.Id.ToString() },
                cancel
            );
            if (hold.State != HoldState.Pending)
            {
                throw new FaultException(Faults.RedemptionNotHeld, "It was decided, or ran out, a moment ago.");
            }

            if (hold.ExpiresAt.ToDateTimeOffset() < end)
            {
                throw;
            }
        }
    }
}
