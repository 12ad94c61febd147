using System.Text.Json;
using System.Text.Json.Nodes;

namespace LocalPlus.Hosting;

/// <summary>What workers read and write of tasks.</summary>
internal sealed class TaskStore(Database database, ServiceIdentity service, TimeProvider time)
{
    /// <summary>How long a task is its worker's own; it is prolonged while the worker lives.</summary>
    public static readonly TimeSpan Lease = TimeSpan.FromSeconds(10);

    private const int MaxErrorLength = 200;
    private const int MaxStackLength = 4000;
    private const string Hidden = "***";

    /// <summary>Members of payloads that no letter shows, should one ever hold them.</summary>
    private static readonly string[] Masked =
    [
        "code",
        "email",
        "key",
        "name",
        "password",
        "phone",
        "pin",
        "secret",
        "token",
    ];

    /// <summary>Takes tasks that are due, those of the highest priority first.</summary>
    public async Task<IReadOnlyList<RunningTask>> TakeAsync(
        WorkQueue queue,
        string[] kinds,
        int most,
        CancellationToken cancel
    )
    {
        await using var db = await database.BeginAsync(cancel);
        var now = time.GetUtcNow();
        var taken = await db.QueryAsync<RunningTask>(
            Sql.Take,
            new
            {
                Queue = queue.Name,
                Kinds = kinds,
                Most = most,
                Now = now,
                Until = now + Lease,
            }
        );
        await db.CommitAsync();
        return taken;
    }

    /// <summary>
    /// Prolongs what is still held; the tasks whose cancellation is wanted, and those that are another's.
    /// </summary>
    public async Task<IReadOnlyList<Guid>> ProlongAsync(IReadOnlyList<RunningTask> tasks, CancellationToken cancel)
    {
        await using var db = await database.BeginAsync(cancel);
        var held = await db.QueryAsync<Guid>(
            Sql.Prolong,
            new
            {
                TaskIds = tasks.Select(t => t.TaskId).ToArray(),
                Runs = tasks.Select(t => t.Run).ToArray(),
                Until = time.GetUtcNow() + Lease,
            }
        );
        await db.CommitAsync();
        return [.. tasks.Select(t => t.TaskId).Except(held)];
    }

    /// <summary>False: its lease was over, and another has it.</summary>
    public Task<bool> EndAsync(RunningTask task, TaskStep step) =>
        WriteAsync(
            task,
            step is TaskStep.Again ? Sql.Again : Sql.Done,
            step is TaskStep.Again again
                ? new
                {
                    task.TaskId,
                    task.Run,
                    DueAt = time.GetUtcNow() + again.After,
                    again.Items,
                    again.Total,
                    Now = time.GetUtcNow(),
                }
                : new
                {
                    task.TaskId,
                    task.Run,
                    Result = step is TaskStep.Done { Result: { } result }
                        ? JsonSerializer.Serialize(result, StrictJson.Options)
                        : null,
                    Now = time.GetUtcNow(),
                }
        );

    /// <summary>
    /// Nobody waits for it any more, or this process can not: waiting again, as if it had not been taken.
    /// </summary>
    public Task<bool> LetGoAsync(RunningTask task) =>
        WriteAsync(
            task,
            Sql.LetGo,
            new
            {
                task.TaskId,
                task.Run,
                Now = time.GetUtcNow(),
            }
        );

    /// <summary>
    /// After a try that failed: the rest before the next one, or a dead letter in the same transaction.
    /// </summary>
    public async Task<bool> FailAsync(RunningTask task, TimeSpan? rest, Exception cause)
    {
        await using var db = await database.BeginAsync(CancellationToken.None);
        var error = Kind(cause);
        var now = time.GetUtcNow();
        var mine =
            await db.ExecuteAsync(
                rest is null ? Sql.Bury : Sql.Rest,
                new
                {
                    task.TaskId,
                    task.Run,
                    Error = error,
                    DueAt = now + (rest ?? TimeSpan.Zero),
                    Now = now,
                }
            ) == 1;
        if (mine && rest is null)
        {
            var letter = new DeadLetter(
                $"task:{task.TaskId}",
                Letter(task, cause, now),
                $"{task.Queue} {task.Kind}: {task.Attempt} tries, {error}"
            );
            await DeadLetters.KeepAsync(db, TaskDoor.TopicOf(service), [letter], now);
        }

        await db.CommitAsync();
        return mine;
    }

    /// <summary>Gives a task that was given up another round of tries. False: it is not dead.</summary>
    public async Task<bool> ReviveAsync(Guid taskId, CancellationToken cancel)
    {
        await using var db = await database.BeginAsync(cancel);
        var revived = await db.ExecuteAsync(Sql.Revive, new { TaskId = taskId, Now = time.GetUtcNow() });
        await db.CommitAsync();
        return revived == 1;
    }

    private async Task<bool> WriteAsync(RunningTask task, string sql, object args)
    {
        await using var db = await database.BeginAsync(CancellationToken.None);
        var rows = await db.ExecuteAsync(sql, args);
        await db.CommitAsync();
        return rows == 1;
    }

    /// <summary>The kind of failure; messages of exceptions may quote what the task is about.</summary>
    private static string Kind(Exception cause)
    {
        var text = FailureText.Of(cause);
        return text[..Math.Min(text.Length, MaxErrorLength)];
    }

    private static byte[] Letter(RunningTask task, Exception cause, DateTimeOffset now)
    {
        var stack = cause.StackTrace ?? "";
        return JsonSerializer.SerializeToUtf8Bytes(
            new
            {
                task.TaskId,
                task.Queue,
                task.Kind,
                task.MerchantId,
                Attempts = task.Attempt,
                task.CreatedAt,
                task.StartedAt,
                FailedAt = now,
                Reason = Kind(cause),
                Stack = stack[..Math.Min(stack.Length, MaxStackLength)],
                Payload = Mask(JsonNode.Parse(task.Payload)),
            },
            StrictJson.Options
        );
    }

    internal static JsonNode? Mask(JsonNode? node)
    {
        switch (node)
        {
            case JsonObject map:
                foreach (var (name, value) in map.ToArray())
                {
                    if (Array.Exists(Masked, word => name.EndsWith(word, StringComparison.OrdinalIgnoreCase)))
                    {
                        map[name] = Hidden;
                    }
                    else
                    {
                        Mask(value);
                    }
                }

                break;
            case JsonArray list:
                foreach (var item in list)
                {
                    Mask(item);
                }

                break;
        }

        return node;
    }

    private static class Sql
    {
        public const string Take = """
            UPDATE tasks t
               SET state = 'running', due_at = @Until, attempts = t.attempts + 1, runs = t.runs + 1,
                   started_at = coalesce(t.started_at, @Now)
              FROM (SELECT task_id
                      FROM tasks
                     WHERE queue = @Queue
                       AND kind = ANY(@Kinds)
                       AND due_at <= @Now
                     ORDER BY priority DESC, due_at
                     LIMIT @Most
                       FOR NO KEY UPDATE SKIP LOCKED) d
             WHERE t.task_id = d.task_id
            RETURNING t.task_id, t.queue, t.kind, t.merchant_id, t.payload::text AS payload, t.attempts AS attempt,
                   t.runs AS run, t.created_at, t.started_at, t.traceparent
            """;

        // Ordered, as two that prolong at once hold different tasks, but for one that was late.
        public const string Prolong = """
            UPDATE tasks t
               SET due_at = @Until
              FROM (SELECT k.task_id
                      FROM unnest(@TaskIds::uuid[], @Runs::int[]) AS h (task_id, run)
                      JOIN tasks k
                        ON k.task_id = h.task_id
                       AND k.runs = h.run
                     ORDER BY k.task_id
                       FOR NO KEY UPDATE OF k) h
             WHERE t.task_id = h.task_id
               AND t.state = 'running'
               AND NOT t.cancel_wanted
            RETURNING t.task_id
            """;

        public const string Done = """
            UPDATE tasks
               SET state = CASE WHEN is_wanted AND NOT cancel_wanted THEN 'waiting' ELSE 'done' END,
                   due_at = CASE WHEN is_wanted AND NOT cancel_wanted THEN @Now END,
                   finished_at = CASE WHEN is_wanted AND NOT cancel_wanted THEN NULL ELSE @Now END,
                   is_wanted = false, attempts = 0, last_error = NULL, result = @Result::jsonb
             WHERE task_id = @TaskId
               AND runs = @Run
               AND state = 'running'
            """;

        public const string Again = """
            UPDATE tasks
               SET state = CASE WHEN cancel_wanted THEN 'cancelled' ELSE 'waiting' END,
                   due_at = CASE WHEN cancel_wanted THEN NULL ELSE @DueAt END,
                   finished_at = CASE WHEN cancel_wanted THEN @Now END,
                   attempts = 0, last_error = NULL, done = coalesce(@Items, done), total = coalesce(@Total, total)
             WHERE task_id = @TaskId
               AND runs = @Run
               AND state = 'running'
            """;

        public const string LetGo = """
            UPDATE tasks
               SET state = CASE WHEN cancel_wanted THEN 'cancelled' ELSE 'waiting' END,
                   due_at = CASE WHEN cancel_wanted THEN NULL ELSE @Now END,
                   finished_at = CASE WHEN cancel_wanted THEN @Now END,
                   attempts = greatest(attempts - 1, 0)
             WHERE task_id = @TaskId
               AND runs = @Run
               AND state = 'running'
            """;

        public const string Rest = """
            UPDATE tasks
               SET state = CASE WHEN cancel_wanted THEN 'cancelled' ELSE 'waiting' END,
                   due_at = CASE WHEN cancel_wanted THEN NULL ELSE @DueAt END,
                   finished_at = CASE WHEN cancel_wanted THEN @Now END,
                   last_error = @Error
             WHERE task_id = @TaskId
               AND runs = @Run
               AND state = 'running'
            """;

        public const string Bury = """
            UPDATE tasks
               SET state = 'dead', due_at = NULL, finished_at = @Now, last_error = @Error
             WHERE task_id = @TaskId
               AND runs = @Run
               AND state = 'running'
            """;

        // Not while another with its key is there: that one does the same.
        public const string Revive = """
            UPDATE tasks t
               SET state = 'waiting', due_at = @Now, attempts = 0, finished_at = NULL
             WHERE t.task_id = @TaskId
               AND t.state = 'dead'
               AND NOT EXISTS (SELECT 1
                                 FROM tasks o
                                WHERE o.kind = t.kind
                                  AND o.dedup_key = t.dedup_key
                                  AND o.due_at IS NOT NULL)
            """;

        // Housekeeping's.
        public const string Forget = """
            DELETE FROM tasks
             WHERE task_id IN (SELECT task_id
                                 FROM tasks
                                WHERE finished_at <= @Before
                                  AND state <> 'dead'
                                ORDER BY finished_at
                                LIMIT @Take
                                  FOR UPDATE SKIP LOCKED)
            """;
    }

    /// <summary>
    /// How long a task that is over is kept with its result; dead ones are, until they are discarded.
    /// </summary>
    public static readonly Chore Forget = new("tasks", TimeSpan.FromDays(7), Sql.Forget);
}
