using LocalPlus.Giftcard.Cards;
using LocalPlus.Giftcard.Programs;
using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Giftcard.Batches;

/// <summary>
/// Makes the cards of a batch, a chunk a run and a transaction together with how far the batch is: a process that dies
/// leaves whole chunks, and any other goes on behind them. Batches get their turn one after the other, so that a large
/// one does not hold up a small one.
/// </summary>
internal sealed class BatchTask(Database database, CardMaker cards, TimeProvider time) : ITaskHandler
{
    private const int Chunk = 200;
    private const string Name = "gift_card_batch";

    public string Kind => Name;

    public WorkQueue Queue => WorkQueue.Low;

    public TaskRetry Retry => TaskRetry.Exponential;

    private sealed record Payload(Guid BatchId);

    /// <summary>There is a batch to make, in the transaction that orders it.</summary>
    public static Task OrderAsync(TaskQueue tasks, DbSession db, MerchantId merchant, JobId batch) =>
        tasks.AddAsync(
            db,
            new NewTask(Name, new Payload(batch.Value)) { MerchantId = merchant, DedupKey = $"{batch.Value}" }
        );

    public async Task<TaskStep> RunAsync(RunningTask task, CancellationToken cancel)
    {
        var id = new JobId(task.Read<Payload>().BatchId);
        try
        {
            return await MakeChunkAsync(id, cancel);
        }
        catch (Exception) when (!cancel.IsCancellationRequested)
        {
            await NoteAsync(id, cancel);
            throw;
        }
    }

    private async Task<TaskStep> MakeChunkAsync(JobId id, CancellationToken cancel)
    {
        await using var db = await database.BeginAsync(cancel);
        if (await db.QuerySingleOrDefaultAsync<BatchRow>(Sql.Take, new { BatchId = id }) is not { } batch)
        {
            return new TaskStep.Done();
        }

        var program = await db.QuerySingleAsync<ProgramRow>(Sql.Program, new { batch.ProgramId });
        var count = Math.Min(Chunk, batch.Quantity - batch.Made);
        await cards.InsertAsync(
            db,
            Enumerable.Range(0, count).Select(_ => cards.New()).ToList(),
            program,
            new(CustomerId: null, ExpiresAt: null, Reference: null, batch.Metadata)
            {
                BatchId = batch.BatchId,
                SealedUntil = batch.CodesUntil,
                Purpose = SealPurpose.Batch,
            }
        );
        await db.ExecuteAsync(
            Sql.Advance,
            new
            {
                batch.BatchId,
                Count = count,
                Now = time.GetUtcNow(),
            }
        );
        await db.CommitAsync();
        return new TaskStep.Again(Items: batch.Made + count, Total: batch.Quantity);
    }

    /// <summary>The merchant reads it: what broke is in the log.</summary>
    private async Task NoteAsync(JobId id, CancellationToken cancel)
    {
        await using var db = await database.BeginAsync(cancel);
        await db.ExecuteAsync(Sql.Note, new { BatchId = id, Error = CommonFaults.InternalError.Code });
        await db.CommitAsync();
    }

    private static class Sql
    {
        public const string Take = $"""
            {BatchRow.Columns}
             WHERE b.batch_id = @BatchId
               AND b.due_at IS NOT NULL
               FOR NO KEY UPDATE
            """;

        public const string Program = $"{ProgramRow.Columns} WHERE p.program_id = @ProgramId";

        public const string Advance = """
            UPDATE card_batches
               SET made = made + @Count, last_error = NULL, version = version + 1,
                   state = CASE WHEN made + @Count = quantity THEN 'ready' ELSE state END,
                   finished_at = CASE WHEN made + @Count = quantity THEN @Now END,
                   due_at = CASE WHEN made + @Count < quantity THEN @Now END
             WHERE batch_id = @BatchId
            """;

        public const string Note = """
            UPDATE card_batches
               SET last_error = @Error
             WHERE batch_id = @BatchId
               AND due_at IS NOT NULL
            """;
    }
}
