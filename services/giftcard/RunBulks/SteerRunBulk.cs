using LocalPlus.Giftcard.Runs;
using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Giftcard.RunBulks;

/// <summary>
/// POST /ops/v1/runs/bulks/{id}/pause, /continue and /cancel, each with a reason: no further run is begun, for now or
/// for good; what was begun ends. Refusals: not_found, bulk_state.
/// </summary>
internal static class SteerRunBulk
{
    public static IEndpointRouteBuilder MapSteerRunBulk(this IEndpointRouteBuilder group)
    {
        Map(group, "pause", [RunBulkState.Running], RunBulkState.Paused);
        Map(group, "continue", [RunBulkState.Paused], RunBulkState.Running);
        Map(
            group,
            "cancel",
            [RunBulkState.Previewed, RunBulkState.Running, RunBulkState.Paused],
            RunBulkState.Cancelled
        );
        return group;
    }

    private static void Map(
        IEndpointRouteBuilder group,
        string verb,
        EnumText<RunBulkState>[] from,
        EnumText<RunBulkState> to
    ) =>
        group
            .MapPost(
                $"/runs/bulks/{{id}}/{verb}",
                (
                    RunBulkId id,
                    RunVerbs.RunVerbRequest body,
                    Database database,
                    TaskQueue tasks,
                    CancellationToken cancel
                ) => HandleAsync(id, body, new Step(from, to), database, tasks, cancel)
            )
            .RequireRole("operator")
            .Refuses(Faults.BulkState)
            .Audit($"run.bulk_{verb}")
            .WithName($"{char.ToUpperInvariant(verb[0])}{verb[1..]}RunBulk")
            .Produces<RunBulkView>();

    private sealed record Step(EnumText<RunBulkState>[] From, EnumText<RunBulkState> To);

    private static async Task<IResult> HandleAsync(
        RunBulkId id,
        RunVerbs.RunVerbRequest body,
        Step step,
        Database database,
        TaskQueue tasks,
        CancellationToken cancel
    )
    {
        RunVerbs.CheckReason(body.Reason);
        await using var db = await database.BeginAsync(cancel);
        var args = new { BulkId = id };
        var bulk =
            await db.QuerySingleOrDefaultAsync<RunBulkRow>(Sql.Lock, args)
            ?? throw new FaultException(CommonFaults.NotFound, "There is no such bulk.");
        if (!step.From.Contains(bulk.State))
        {
            throw new FaultException(Faults.BulkState, $"It is {bulk.State}.");
        }

        await db.ExecuteAsync(
            Sql.Steer,
            new
            {
                BulkId = id,
                step.To,
                Now = db.Now,
            }
        );
        if (step.To.Value == RunBulkState.Running)
        {
            await RunBulkTask.OrderAsync(tasks, db, id);
        }

        var steered = await db.QuerySingleAsync<RunBulkRow>(Sql.Get, args);
        await db.CommitAsync();
        return Answer.Ok(steered.ToView(), steered.Version);
    }

    private static class Sql
    {
        public const string Lock = $"{RunBulkRow.Columns} WHERE b.bulk_id = @BulkId FOR NO KEY UPDATE";

        public const string Get = $"{RunBulkRow.Columns} WHERE b.bulk_id = @BulkId";

        public const string Steer = """
            UPDATE run_bulks
               SET state = @To, changed_at = @Now, version = version + 1,
                   finished_at = CASE WHEN @To = 'cancelled' THEN @Now::timestamptz END
             WHERE bulk_id = @BulkId
            """;
    }
}
