using System.Threading.Channels;
using LocalPlus.Giftcard.Cards;
using LocalPlus.Giftcard.Programs;
using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Giftcard.Batches;

/// <summary>
/// Makes the cards of batches, a chunk a transaction together with how far the batch is: a process that dies leaves
/// whole chunks, and any other goes on behind them. Replicas take different batches (SKIP LOCKED) and a chunk from each
/// in turn, so that a large batch does not hold up a small one.
/// </summary>
internal sealed class BatchMaker(Database database, CardMaker cards, TimeProvider time, ILogger<BatchMaker> log)
    : BackgroundService
{
    private const int Chunk = 200;
    private static readonly TimeSpan IdlePoll = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan AfterFailure = TimeSpan.FromSeconds(10);

    private readonly Channel<bool> orders = Channel.CreateBounded<bool>(
        new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite }
    );

    /// <summary>There is something to do.</summary>
    public void Ring() => orders.Writer.TryWrite(true);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            var busy = false;
            try
            {
                busy = await MakeChunkAsync(stoppingToken);
            }
            catch (Exception exception) when (!stoppingToken.IsCancellationRequested)
            {
                log.BatchStumbled(exception);
            }

            if (!busy)
            {
                await IdleAsync(stoppingToken);
            }
        }
    }

    private async Task IdleAsync(CancellationToken cancel)
    {
        using var pause = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        pause.CancelAfter(IdlePoll);
        try
        {
            await orders.Reader.ReadAsync(pause.Token);
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            // Nobody rang: look by itself, an order may have come to another replica that died.
        }
    }

    /// <summary>One chunk of the batch that waits longest; false when none waits.</summary>
    internal async Task<bool> MakeChunkAsync(CancellationToken cancel)
    {
        await using var db = await database.BeginAsync(cancel);
        var now = time.GetUtcNow();
        if (await db.QuerySingleOrDefaultAsync<BatchRow>(Sql.Take, new { Now = now }) is not { } batch)
        {
            return false;
        }

        try
        {
            await db.Transaction.SaveAsync("chunk", cancel);
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
                    Now = now,
                }
            );
        }
        catch (Exception exception) when (!cancel.IsCancellationRequested)
        {
            await db.Transaction.RollbackAsync("chunk", cancel);
            log.BatchFailed(batch.BatchId.Value, exception);
            // The merchant reads it: what broke is in the log.
            await db.ExecuteAsync(
                Sql.Fail,
                new
                {
                    batch.BatchId,
                    Error = CommonFaults.InternalError.Code,
                    DueAt = now + AfterFailure,
                }
            );
        }

        await db.CommitAsync();
        return true;
    }

    private static class Sql
    {
        public const string Take = $"""
            {BatchRow.Columns}
             WHERE b.due_at <= @Now
             ORDER BY b.due_at
             LIMIT 1
               FOR NO KEY UPDATE SKIP LOCKED
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

        public const string Fail =
            "UPDATE card_batches SET last_error = @Error, due_at = @DueAt WHERE batch_id = @BatchId";
    }
}
