using System.Text.Json;
using LocalPlus.Giftcard.Ledger;
using LocalPlus.Giftcard.Runs;
using LocalPlus.Hosting;
using LocalPlus.Kernel;
using Npgsql;

namespace LocalPlus.Giftcard.RunBulks;

/// <summary>
/// Does a bulk, some runs at a time with a rest between: each is the call of the single verb, in the name of whoever
/// started the bulk, and leaves what that leaves. The verb's own transaction writes that this bulk did it, so whoever
/// dies after it is followed by somebody who knows. A run that is no more what was chosen is left alone.
/// </summary>
internal sealed class RunBulkTask(
    RunBulkStore bulks,
    RunOperator operators,
    OperatorActionLog actions,
    IServiceProvider services,
    TimeProvider time,
    ILogger<RunBulkTask> log
) : ITaskHandler
{
    private const string Name = "run_bulk";

    /// <summary>Runs before others of the queue get their turn.</summary>
    private const int RunsPerStep = 10;

    /// <summary>How often a run is tried that the ledger or the engine did not answer for.</summary>
    private const int Tries = 3;

    /// <summary>Between two steps, so that tills do not feel it: ten runs a second at most.</summary>
    private static readonly TimeSpan Pace = TimeSpan.FromSeconds(1);

    public string Kind => Name;

    public WorkQueue Queue => WorkQueue.Low;

    public TaskRetry Retry => TaskRetry.Exponential;

    private sealed record Payload(Guid BulkId);

    /// <summary>There is a bulk to do, in the transaction that says so.</summary>
    public static Task OrderAsync(TaskQueue tasks, DbSession db, RunBulkId bulk) =>
        tasks.AddAsync(db, new NewTask(Name, new Payload(bulk.Value)) { DedupKey = $"{bulk.Value}" });

    public async Task<TaskStep> RunAsync(RunningTask task, CancellationToken cancel)
    {
        var id = new RunBulkId(task.Read<Payload>().BulkId);
        if (await bulks.FindAsync(id, cancel) is not { } bulk)
        {
            return new TaskStep.Done();
        }

        for (var n = 0; n < RunsPerStep && await bulks.TakeAsync(id, cancel) is { } item; n++)
        {
            await DoAsync(bulk, item, cancel);
        }

        var progress = await bulks.LookAsync(id, cancel);
        return progress.NextAt is { } next
            ? new TaskStep.Again(Rest(next), progress.Settled, progress.Runs)
            : new TaskStep.Done();
    }

    private TimeSpan Rest(DateTimeOffset next)
    {
        var until = next - time.GetUtcNow();
        return until > Pace ? until : Pace;
    }

    private async Task DoAsync(RunBulkOrder bulk, RunBulkItem item, CancellationToken cancel)
    {
        try
        {
            if (item.Attempts > Tries)
            {
                // Whoever had it died at it, each time.
                await bulks.SettleAsync(bulk.BulkId, item, "failed", CommonFaults.InternalError.Code, cancel);
                return;
            }

            await ActAsync(bulk, item, cancel);
            await Failpoints.CommittedAsync("BulkItem");
            await bulks.SettleAsync(bulk.BulkId, item, "done", null, cancel);
        }
        catch (FaultException refused) when (!refused.Fault.Retryable)
        {
            await bulks.SettleAsync(bulk.BulkId, item, "refused", refused.Fault.Code, cancel);
        }
        catch (PostgresException another) when (another.ConstraintName == OperatorActionLog.OnceByBulk)
        {
            // Another worker does it at this moment, and says what became of it.
            log.BulkItemTaken(bulk.BulkId, item.RedemptionId);
        }
        catch (Exception failure) when (!cancel.IsCancellationRequested)
        {
            log.BulkItemFailed(bulk.BulkId, item.RedemptionId, item.Attempts, failure);
            if (item.Attempts >= Tries)
            {
                var isSilent = failure is LedgerUnknownException or FaultException;
                var code = isSilent ? CommonFaults.Busy.Code : CommonFaults.InternalError.Code;
                await bulks.SettleAsync(bulk.BulkId, item, "failed", code, cancel);
            }
        }
    }

    /// <summary>Throws what the single verb throws.</summary>
    private async Task ActAsync(RunBulkOrder bulk, RunBulkItem item, CancellationToken cancel)
    {
        var verb = RunVerbs.OfBulks.Single(known => known.Name == bulk.Verb);
        var call = new RunVerbs.Call<RunVerbs.RunVerbRequest>(
            new(bulk.StartedBy, bulk.Role),
            item.RedemptionId,
            new(bulk.Reason),
            cancel
        )
        {
            Bulk = bulk.BulkId,
        };
        if (await actions.HasRecordedAsync(bulk.BulkId, item.RedemptionId, cancel))
        {
            await verb.Act(operators, call with { IsRepeat = true });
            return;
        }

        var filter = JsonSerializer.Deserialize<RunFilter>(bulk.Filter, StrictJson.Lenient)!;
        if (!await bulks.MatchesAsync(filter, bulk.MovedBefore, item.RedemptionId, cancel))
        {
            throw new FaultException(Faults.RunChanged, "It is no more what was chosen.");
        }

        var told = new AuditEntry(
            $"run.{bulk.Verb}",
            AuditEntry.Operator,
            bulk.StartedBy,
            bulk.RequestId,
            item.RedemptionId.ToString(),
            bulk.Role,
            bulk.Address,
            bulk.Reason
        );
        await AuditNote.OfAsync(services, told, () => verb.Act(operators, call));
    }
}
