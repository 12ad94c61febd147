using LocalPlus.Giftcard.Batches;
using LocalPlus.Giftcard.Imports;
using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Giftcard.Jobs;

/// <summary>
/// POST /v1/jobs/{id}/cancel: no more of it. What was done stays: cards that an import has made are good until it is
/// reverted, those of a batch never get a value. A step under way ends with the chunk it is at. Refusals: not_found,
/// job_state (it is over).
/// </summary>
internal static class CancelJob
{
    public static IEndpointRouteBuilder MapCancelJob(this IEndpointRouteBuilder group)
    {
        group
            .MapPost("/jobs/{id}/cancel", HandleAsync)
            .RequireScope("gift_cards:write")
            .RequireIdempotencyKey()
            .Refuses(Faults.JobState)
            .WithName(nameof(CancelJob))
            .Produces<JobView>(StatusCodes.Status202Accepted);
        return group;
    }

    private static Task<IResult> HandleAsync(
        HttpContext http,
        JobId id,
        IdempotentRequests requests,
        TaskQueue tasks,
        TimeProvider time,
        CancellationToken cancel
    ) =>
        requests.ExecuteAsync(
            http,
            new { id },
            async db =>
            {
                var asked = new
                {
                    Id = id,
                    http.GetMerchant().MerchantId,
                    Now = time.GetUtcNow(),
                };
                var view = await CancelImportAsync(db, tasks, asked) ?? await CancelBatchAsync(db, asked);
                return Answer.Accepted($"/v1/jobs/{id}", view ?? throw GetJob.NotFound(), view.Version);
            },
            cancel
        );

    private static async Task<JobView?> CancelImportAsync(DbSession db, TaskQueue tasks, object asked)
    {
        if (await db.QuerySingleOrDefaultAsync<ImportRow>(Sql.LockImport, asked) is not { } import)
        {
            return null;
        }

        if (await db.ExecuteAsync(Sql.CancelImport, asked) == 0)
        {
            throw new FaultException(Faults.JobState, $"The job is {import.State}.");
        }

        var cancelled = await db.QuerySingleAsync<ImportRow>(Sql.LockImport, asked);
        if (cancelled.State != ImportState.Cancelled)
        {
            await ImportTask.OrderAsync(tasks, db, import.MerchantId, import.ImportId);
        }

        return JobView.Of(cancelled);
    }

    private static async Task<JobView?> CancelBatchAsync(DbSession db, object asked)
    {
        if (await db.QuerySingleOrDefaultAsync<BatchRow>(Sql.LockBatch, asked) is not { } batch)
        {
            return null;
        }

        return await db.ExecuteAsync(Sql.CancelBatch, asked) == 1
            ? JobView.Of(await db.QuerySingleAsync<BatchRow>(Sql.LockBatch, asked))
            : throw new FaultException(Faults.JobState, $"The job is {batch.State}.");
    }

    private static class Sql
    {
        public const string LockImport = $"""
            {ImportRow.Select}
             WHERE i.import_id = @Id
               AND i.merchant_id = @MerchantId
               FOR NO KEY UPDATE OF i
            """;

        public const string LockBatch = $"""
            {BatchRow.Columns}
             WHERE b.batch_id = @Id
               AND b.merchant_id = @MerchantId
               FOR NO KEY UPDATE
            """;

        // Somebody may be at a step: it stops where its chunk ends.
        public const string CancelImport = """
            UPDATE card_imports
               SET state = CASE WHEN due_at IS NULL THEN 'cancelled' ELSE state END, cancel_wanted = true,
                   version = version + 1, changed_at = @Now
             WHERE import_id = @Id
               AND merchant_id = @MerchantId
               AND state IN ('uploading', 'checking', 'checked', 'committing', 'reverting')
            """;

        public const string CancelBatch = """
            UPDATE card_batches
               SET state = 'cancelled', due_at = NULL, finished_at = @Now, version = version + 1
             WHERE batch_id = @Id
               AND merchant_id = @MerchantId
               AND state = 'making'
            """;
    }
}
