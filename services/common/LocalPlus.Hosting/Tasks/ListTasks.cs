using System.Text.Json;
using LocalPlus.Kernel;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace LocalPlus.Hosting;

/// <summary>A task as operators see it; what it is about is nobody's business here.</summary>
/// <param name="Attempts">Tries since it last got somewhere.</param>
/// <param name="Done">Items that it is through with, of <paramref name="Total"/>.</param>
internal sealed record TaskView(
    Guid TaskId,
    string Queue,
    string Kind,
    MerchantId? MerchantId,
    string State,
    int Priority,
    DateTimeOffset? DueAt,
    int Attempts,
    long Done,
    long? Total,
    JsonElement? Result,
    string? LastError,
    DateTimeOffset CreatedAt,
    DateTimeOffset? StartedAt,
    DateTimeOffset? FinishedAt
)
{
    public string Object { get; } = "task";
}

/// <summary>How a queue of a service is.</summary>
/// <param name="Due">Tasks that wait for a worker, the first of them since <paramref name="OldestAt"/>.</param>
/// <param name="Resting">Those whose time is to come.</param>
/// <param name="Dead">Given up, and kept until somebody decides.</param>
internal sealed record TaskQueueView(
    string Queue,
    long Due,
    DateTimeOffset? OldestAt,
    long Running,
    long Resting,
    long Dead
)
{
    public string Object { get; } = "task_queue";
}

/// <summary>
/// GET /ops/v1/{service}/tasks: a service's tasks, the newest first, by queue and state. GET …/queues: how each queue
/// is. POST …/{id}/cancel: no more of
/// one (operators). Refusals: invalid_request, not_found, task_state (it is over).
/// </summary>
internal static class ListTasks
{
    private static readonly string[] States = ["waiting", "running", "done", "dead", "cancelled"];

    public static IEndpointRouteBuilder MapListTasks(this IEndpointRouteBuilder tasks)
    {
        tasks.MapGet("", HandleAsync).WithName(nameof(ListTasks)).Produces<Page<TaskView>>();
        tasks.MapGet("/queues", QueuesAsync).WithName("ListTaskQueues").Produces<Queues>();
        tasks
            .MapPost("/{id}/cancel", CancelAsync)
            .RequireRole("operator")
            .Refuses(CommonFaults.NotFound, CommonFaults.TaskState)
            .WithName("CancelTask")
            .Produces<TaskView>();
        return tasks;
    }

    private static async Task<IResult> HandleAsync(
        Database database,
        string? queue,
        string? state,
        int? limit,
        string? cursor,
        CancellationToken cancel
    )
    {
        var before = Guid.AllBitsSet;
        new FieldChecks()
            .Require(queue is null || WorkQueue.All.Any(q => q.Name == queue), "queue", "invalid")
            .Require(state is null || States.Contains(state), "state", "invalid")
            .Require(cursor is null || Guid.TryParse(cursor, out before), "cursor", "invalid")
            .ThrowIfAny();
        var take = CursorCodec.Limit(limit);
        var rows = await database.SearchAsync<TaskRow>(
            Sql.List,
            new
            {
                Queue = queue,
                State = state,
                Before = before,
                Take = take + 1,
            },
            cancel
        );
        return Answer.Ok(Page<TaskView>.Of([.. rows.Select(row => row.ToView())], take, row => row.TaskId.ToString()));
    }

    internal sealed record Queues(IReadOnlyList<TaskQueueView> Data);

    private static async Task<IResult> QueuesAsync(Database database, TimeProvider time, CancellationToken cancel)
    {
        var busy = await database.QueryAsync<TaskQueueView>(Sql.Queues, new { Now = time.GetUtcNow() }, cancel);
        return Answer.Ok(
            new Queues([
                .. WorkQueue.All.Select(queue =>
                    busy.FirstOrDefault(row => row.Queue == queue.Name) ?? new(queue.Name, 0, null, 0, 0, 0)
                ),
            ])
        );
    }

    private static async Task<IResult> CancelAsync(string id, Database database, CancellationToken cancel)
    {
        if (!Guid.TryParse(id, out var task))
        {
            throw NoSuchTask();
        }

        await using var db = await database.BeginAsync(cancel);
        var isCancelled = await TaskQueue.CancelAsync(db, task);
        var row = await db.QuerySingleOrDefaultAsync<TaskRow>(Sql.Get, new { TaskId = task }) ?? throw NoSuchTask();
        if (!isCancelled)
        {
            throw new FaultException(CommonFaults.TaskState, $"The task is {row.State}.");
        }

        await db.CommitAsync();
        return Answer.Ok(row.ToView());
    }

    private static FaultException NoSuchTask() => new(CommonFaults.NotFound, "There is no such task.");

    private sealed record TaskRow(
        Guid TaskId,
        string Queue,
        string Kind,
        MerchantId? MerchantId,
        string State,
        int Priority,
        DateTimeOffset? DueAt,
        int Attempts,
        long Done,
        long? Total,
        string? Result,
        string? LastError,
        DateTimeOffset CreatedAt,
        DateTimeOffset? StartedAt,
        DateTimeOffset? FinishedAt
    )
    {
        public const string Columns = """
            SELECT t.task_id, t.queue, t.kind, t.merchant_id, t.state, t.priority, t.due_at, t.attempts, t.done,
                   t.total,
                   t.result::text AS result, t.last_error, t.created_at, t.started_at, t.finished_at
              FROM tasks t
            """;

        public TaskView ToView() =>
            new(
                TaskId,
                Queue,
                Kind,
                MerchantId,
                State,
                Priority,
                DueAt,
                Attempts,
                Done,
                Total,
                Result is null ? null : JsonElement.Parse(Result),
                LastError,
                CreatedAt,
                StartedAt,
                FinishedAt
            );
    }

    private static class Sql
    {
        // Ids are UUIDv7: their order is that of their making.
        public const string List = $"""
            {TaskRow.Columns}
             WHERE t.task_id < @Before
               AND (@Queue::text IS NULL OR t.queue = @Queue)
               AND (@State::text IS NULL OR t.state = @State)
             ORDER BY t.task_id DESC
             LIMIT @Take
            """;

        public const string Queues = """
            SELECT queue,
                   count(*) FILTER (WHERE state = 'waiting' AND due_at <= @Now) AS due,
                   min(due_at) FILTER (WHERE state = 'waiting' AND due_at <= @Now) AS oldest_at,
                   count(*) FILTER (WHERE state = 'running') AS running,
                   count(*) FILTER (WHERE state = 'waiting' AND due_at > @Now) AS resting,
                   count(*) FILTER (WHERE state = 'dead') AS dead
              FROM tasks
             WHERE due_at IS NOT NULL
                OR finished_at IS NOT NULL AND state = 'dead'
             GROUP BY queue
            """;

        public const string Get = $"{TaskRow.Columns} WHERE t.task_id = @TaskId";
    }
}
