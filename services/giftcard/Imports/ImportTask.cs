using LocalPlus.Giftcard.Ledger;
using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Giftcard.Imports;

/// <summary>
/// Carries an import's step out, a chunk of rows a run. What a chunk does is keyed by its rows, and how far the import
/// is is written with the chunk's outcome: whoever dies is followed by whoever begins the same chunk again.
/// </summary>
internal sealed class ImportTask(
    Database database,
    ImportChecker checker,
    ImportCommitter committer,
    ImportReverter reverter,
    TimeProvider time
) : ITaskHandler
{
    private const string Name = "gift_card_import";

    public string Kind => Name;

    public WorkQueue Queue => WorkQueue.Low;

    public TaskRetry Retry => TaskRetry.Exponential;

    private sealed record Payload(Guid ImportId);

    /// <summary>There is something to do, in the transaction that says what.</summary>
    public static Task OrderAsync(TaskQueue tasks, DbSession db, MerchantId merchant, JobId import) =>
        tasks.AddAsync(
            db,
            new NewTask(Name, new Payload(import.Value)) { MerchantId = merchant, DedupKey = $"{import.Value}" }
        );

    public async Task<TaskStep> RunAsync(RunningTask task, CancellationToken cancel)
    {
        var id = new JobId(task.Read<Payload>().ImportId);
        if (await FindAsync(id, cancel) is not { } import)
        {
            return new TaskStep.Done();
        }

        try
        {
            await (
                import.Progress.CancelWanted ? StopAsync(import, cancel)
                : import.State == ImportState.Checking ? checker.AdvanceAsync(import, cancel)
                : import.State == ImportState.Committing ? committer.AdvanceAsync(import, cancel)
                : reverter.AdvanceAsync(import, cancel)
            );
        }
        catch (Exception exception) when (!cancel.IsCancellationRequested)
        {
            await NoteAsync(import, exception, cancel);
            throw;
        }

        return new TaskStep.Again(Items: import.Progress.Checked + import.Progress.Imported + import.Progress.Reverted);
    }

    /// <summary>The import, if there is something to do.</summary>
    private Task<ImportRow?> FindAsync(JobId id, CancellationToken cancel) =>
        database.QuerySingleOrDefaultAsync<ImportRow>(Sql.Get, new { ImportId = id }, cancel);

    private async Task StopAsync(ImportRow import, CancellationToken cancel)
    {
        await using var db = await database.BeginAsync(cancel);
        await db.ExecuteAsync(Sql.Stop, new { import.ImportId, Now = time.GetUtcNow() });
        await db.CommitAsync();
    }

    private async Task NoteAsync(ImportRow import, Exception exception, CancellationToken cancel)
    {
        await using var db = await database.BeginAsync(cancel);
        await db.ExecuteAsync(
            Sql.Note,
            new
            {
                import.ImportId,
                // The merchant reads it: what broke is in the log.
                Error = exception is LedgerUnknownException or FaultException { Fault.Retryable: true }
                    ? CommonFaults.Busy.Code
                    : CommonFaults.InternalError.Code,
            }
        );
        await db.CommitAsync();
    }

    private static class Sql
    {
        public const string Get = $"""
            {ImportRow.Select}
             WHERE i.import_id = @ImportId
               AND i.due_at IS NOT NULL
            """;

        public const string Stop = """
            UPDATE card_imports
               SET state = 'cancelled', due_at = NULL, version = version + 1, changed_at = @Now
             WHERE import_id = @ImportId
               AND cancel_wanted
            """;

        public const string Note = """
            UPDATE card_imports
               SET last_error = @Error
             WHERE import_id = @ImportId
               AND due_at IS NOT NULL
            """;
    }
}
