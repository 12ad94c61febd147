using LocalPlus.Giftcard.Runs;
using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Giftcard.RunBulks;

/// <summary>
/// POST /ops/v1/runs/bulks/{id}/start/{verb}: what was previewed is done, in the background and in the name of whoever
/// says so, which wants the role and the sign-in of the single verb, a reason and the number of runs, typed; above
/// <see cref="GiftcardLimits.RunsPerOperator"/> runs an administrator. Refusals: not_found, bulk_state (another verb,
/// started before, nothing in it, an old preview), bulk_count, quota_exceeded (too many are at work).
/// </summary>
internal static class StartRunBulk
{
    public static IEndpointRouteBuilder MapStartRunBulk(this IEndpointRouteBuilder group)
    {
        foreach (var verb in RunVerbs.OfBulks)
        {
            group
                .MapPost(
                    $"/runs/bulks/{{id}}/start/{verb.Name}",
                    (
                        HttpContext http,
                        RunBulkId id,
                        Request request,
                        IdempotentRequests requests,
                        TaskQueue tasks,
                        CancellationToken cancel
                    ) => HandleAsync(http, new Asked(id, verb.Name, request), requests, tasks, cancel)
                )
                .RequireWhoMay(verb.Role)
                .RequireIdempotencyKey()
                .Refuses(Faults.BulkState, Faults.BulkCount, CommonFaults.QuotaExceeded)
                .Audit("run.bulk_start")
                .WithName($"StartBulk{char.ToUpperInvariant(verb.Name[0])}{verb.Name[1..]}")
                .Produces<RunBulkView>(StatusCodes.Status202Accepted);
        }

        return group;
    }

    /// <param name="Count">How many runs it is about, as the preview says.</param>
    internal sealed record Request(string Reason, int Count) : RunVerbs.IReasoned;

    private sealed record Asked(RunBulkId Id, string Verb, Request Request);

    private static Task<IResult> HandleAsync(
        HttpContext http,
        Asked asked,
        IdempotentRequests requests,
        TaskQueue tasks,
        CancellationToken cancel
    )
    {
        RunVerbs.CheckReason(asked.Request.Reason);
        var who = http.GetOperator();
        return requests.ExecuteAsync(http, asked.Request, db => StartAsync(db, asked, who, tasks), cancel);
    }

    private static async Task<Answer> StartAsync(DbSession db, Asked asked, OperatorIdentity who, TaskQueue tasks)
    {
        await db.ExecuteAsync(Sql.OneByOne);
        var args = new { BulkId = asked.Id };
        var bulk =
            await db.QuerySingleOrDefaultAsync<RunBulkRow>(Sql.Lock, args)
            ?? throw new FaultException(CommonFaults.NotFound, "There is no such bulk.");
        Check(bulk, asked, who, db.Now);
        if (await db.QuerySingleAsync<int>(Sql.AtWork) >= GiftcardLimits.RunBulksAtWork)
        {
            throw new FaultException(
                CommonFaults.QuotaExceeded,
                $"{GiftcardLimits.RunBulksAtWork} bulks are at work: wait until one is through, or cancel one."
            );
        }

        var note = AuditNote.Current!.Entry();
        await db.ExecuteAsync(
            Sql.Start,
            new
            {
                bulk.BulkId,
                StartedBy = who.Subject,
                who.Role,
                note.Address,
                note.RequestId,
                asked.Request.Reason,
                Now = db.Now,
            }
        );
        await RunBulkTask.OrderAsync(tasks, db, bulk.BulkId);
        var started = await db.QuerySingleAsync<RunBulkRow>(Sql.Get, args);
        return Answer.Accepted($"/ops/v1/runs/bulks/{bulk.BulkId}", started.ToView(), started.Version);
    }

    private static void Check(RunBulkRow bulk, Asked asked, OperatorIdentity who, DateTimeOffset now)
    {
        if (bulk.Verb != asked.Verb)
        {
            throw new FaultException(Faults.BulkState, $"It was previewed for {bulk.Verb}.");
        }

        if (bulk.State.Value != RunBulkState.Previewed || bulk.Runs == 0)
        {
            throw new FaultException(Faults.BulkState, $"It is {bulk.State}, with {bulk.Runs} runs.");
        }

        if (bulk.CreatedAt + GiftcardLimits.RunBulkPreviewLife < now)
        {
            throw new FaultException(Faults.BulkState, "The preview is too old: choose the runs again.");
        }

        if (bulk.Runs != asked.Request.Count)
        {
            throw new FaultException(Faults.BulkCount, $"It is about {bulk.Runs} runs.");
        }

        if (bulk.Runs > GiftcardLimits.RunsPerOperator && who.Role != "admin")
        {
            throw new FaultException(
                CommonFaults.ScopeMissing,
                $"More than {GiftcardLimits.RunsPerOperator} runs at once are an administrator's."
            );
        }
    }

    private static class Sql
    {
        // Two that start at once would both find room for one.
        public const string OneByOne = "SELECT pg_advisory_xact_lock(hashtextextended('run_bulks', 0))";

        public const string Lock = $"{RunBulkRow.Columns} WHERE b.bulk_id = @BulkId FOR NO KEY UPDATE";

        public const string Get = $"{RunBulkRow.Columns} WHERE b.bulk_id = @BulkId";

        public const string AtWork = "SELECT count(bulk_id)::int FROM run_bulks WHERE state IN ('running', 'paused')";

        public const string Start = """
            UPDATE run_bulks
               SET state = 'running', started_by = @StartedBy, role = @Role, address = @Address,
                   request_id = @RequestId, reason = @Reason, started_at = @Now, changed_at = @Now,
                   version = version + 1
             WHERE bulk_id = @BulkId
            """;
    }
}
