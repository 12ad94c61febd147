using System.Text.Json;
using LocalPlus.Giftcard.Programs;
using LocalPlus.Hosting;
using LocalPlus.Kernel;
using Npgsql;

namespace LocalPlus.Giftcard.Batches;

/// <summary>
/// POST /v1/gift_cards/bulk: orders cards for a printer. They are made in the background, without value, so that a
/// stolen box is worth nothing; each is activated when it is sold. Refusals: not_found (programme), program_state,
/// quota_exceeded (too many batches being made), reference_reused.
/// </summary>
internal static class CreateBatch
{
    public static IEndpointRouteBuilder MapCreateBatch(this IEndpointRouteBuilder group)
    {
        group
            .MapPost("/gift_cards/bulk", HandleAsync)
            .RequireScope("gift_cards:write")
            .Limited(RateLimit.Sale)
            .RequireIdempotencyKey()
            .Refuses(
                CommonFaults.NotFound,
                Faults.ProgramState,
                CommonFaults.QuotaExceeded,
                CommonFaults.ReferenceReused
            )
            .WithName(nameof(CreateBatch))
            .Produces<BatchView>(StatusCodes.Status202Accepted);
        return group;
    }

    internal sealed record Request(
        ProgramId ProgramId,
        int Quantity,
        string? Reference = null,
        IReadOnlyDictionary<string, string>? Metadata = null
    );

    private static Task<IResult> HandleAsync(
        HttpContext http,
        Request request,
        IdempotentRequests requests,
        TaskQueue tasks,
        Database database,
        TimeProvider time,
        CancellationToken cancel
    )
    {
        new FieldChecks()
            .Require(request.Quantity is >= 1 and <= GiftcardLimits.BatchQuantityMax, "/quantity")
            .Text(request.Reference, "/reference", GiftcardLimits.ReferenceLength)
            .Metadata(request.Metadata)
            .ThrowIfAny();
        return requests.ExecuteAsync(
            http,
            request,
            db => InsertAsync(db, database, tasks, http.GetMerchant().MerchantId, request, time),
            cancel
        );
    }

    private static async Task<Answer> InsertAsync(
        DbSession db,
        Database database,
        TaskQueue tasks,
        MerchantId merchant,
        Request request,
        TimeProvider time
    )
    {
        var program =
            await db.QuerySingleOrDefaultAsync<ProgramRow>(
                Sql.Program,
                new { request.ProgramId, MerchantId = merchant }
            ) ?? throw new FaultException(CommonFaults.NotFound, "There is no such programme.");
        ProgramTerms.CheckSale(program, null);
        await db.ExecuteAsync(Sql.OneByOne, new { MerchantId = merchant });
        if (
            await db.QuerySingleAsync<int>(Sql.BeingMade, new { MerchantId = merchant })
            >= GiftcardLimits.BatchesBeingMade
        )
        {
            throw new FaultException(
                CommonFaults.QuotaExceeded,
                $"{GiftcardLimits.BatchesBeingMade} batches are being made; wait until one is ready."
            );
        }

        var id = JobId.New(time);
        var now = time.GetUtcNow();
        try
        {
            await db.ExecuteAsync(
                Sql.Insert,
                new
                {
                    BatchId = id,
                    MerchantId = merchant,
                    request.ProgramId,
                    request.Quantity,
                    request.Reference,
                    Metadata = request.Metadata is null
                        ? null
                        : JsonSerializer.Serialize(request.Metadata, StrictJson.Options),
                    Now = now,
                    CodesUntil = now + GiftcardLimits.BatchCodesLife,
                }
            );
        }
        catch (PostgresException taken) when (taken.ConstraintName == "ix_card_batches_merchant_id_reference")
        {
            throw await References.ReusedAsync<JobId>(
                database,
                References.Batch,
                merchant,
                request.Reference!,
                db.Cancel
            );
        }

        await BatchTask.OrderAsync(tasks, db, merchant, id);
        var view = (await db.QuerySingleAsync<BatchRow>(Sql.Get, new { BatchId = id })).ToView();
        return Answer.Accepted($"/v1/gift_cards/bulk/{id}", view, view.Version);
    }

    private static class Sql
    {
        public const string Program = $"""
            {ProgramRow.Columns}
             WHERE p.program_id = @ProgramId
               AND p.merchant_id = @MerchantId
            """;

        public const string Get = $"{BatchRow.Columns} WHERE b.batch_id = @BatchId";

        // Held to the end of the transaction: of two orders at once the second one counts the first.
        public const string OneByOne =
            "SELECT pg_advisory_xact_lock(hashtextextended('card_batches:' || @MerchantId::text, 0))";

        public const string BeingMade = """
            SELECT count(*)::integer
              FROM card_batches
             WHERE merchant_id = @MerchantId
               AND state = 'making'
            """;

        public const string Insert = """
            INSERT INTO card_batches (batch_id, merchant_id, program_id, state, quantity, reference, metadata, due_at,
                   codes_until, created_at)
            VALUES (@BatchId, @MerchantId, @ProgramId, 'making', @Quantity, @Reference, @Metadata::jsonb, @Now,
                   @CodesUntil,
                   @Now)
            """;
    }
}
