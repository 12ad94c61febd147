using System.Diagnostics;
using System.Text.Json;

namespace LocalPlus.Hosting;

/// <summary>
/// Where tasks are put, in the transaction of their cause: there is no task without it and no cause without its task.
/// </summary>
public sealed class TaskQueue
{
    private readonly Dictionary<string, ITaskHandler> handlers;
    private readonly TaskBell bell;
    private readonly TimeProvider time;

    internal TaskQueue(IEnumerable<ITaskHandler> handlers, TaskBell bell, TimeProvider time)
    {
        this.handlers = handlers.ToDictionary(handler => handler.Kind, StringComparer.Ordinal);
        this.bell = bell;
        this.time = time;
    }

    /// <summary>The task's id, or that of the one that has its key and is there already.</summary>
    public async Task<Guid> AddAsync(DbSession db, NewTask task)
    {
        var queue = handlers[task.Kind].Queue;
        var now = time.GetUtcNow();
        var id = await db.QuerySingleAsync<Guid>(
            Sql.Add,
            new
            {
                TaskId = Guid.CreateVersion7(now),
                Queue = queue.Name,
                task.Kind,
                task.MerchantId,
                task.DedupKey,
                Payload = JsonSerializer.Serialize(task.Payload, StrictJson.Options),
                task.Priority,
                DueAt = task.DueAt ?? now,
                Traceparent = Activity.Current?.Id,
                Now = now,
            }
        );
        if (task.DueAt is null || task.DueAt <= now)
        {
            db.OnCommit(() => bell.Ring(queue));
        }

        return id;
    }

    /// <summary>
    /// No more of it: one that waits is over, one that runs is told and ends as its handler does. False: it is over.
    /// </summary>
    public static async Task<bool> CancelAsync(DbSession db, Guid taskId) =>
        await db.ExecuteAsync(Sql.Cancel, new { TaskId = taskId, Now = db.Now }) == 1;

    private static class Sql
    {
        // One that runs may be past what this one asks for: it is run once more when it is through.
        public const string Add = """
            INSERT INTO tasks AS t (task_id, queue, kind, merchant_id, dedup_key, payload, priority, state, due_at,
                   traceparent, created_at)
            VALUES (@TaskId, @Queue, @Kind, @MerchantId, @DedupKey, @Payload::jsonb, @Priority, 'waiting', @DueAt,
                   @Traceparent, @Now)
                ON CONFLICT (kind, dedup_key) WHERE dedup_key IS NOT NULL AND due_at IS NOT NULL DO UPDATE
               SET is_wanted = t.state = 'running', payload = EXCLUDED.payload,
                   priority = greatest(t.priority, EXCLUDED.priority),
                   due_at = CASE WHEN t.state = 'running' THEN t.due_at ELSE least(t.due_at, EXCLUDED.due_at) END
            RETURNING t.task_id
            """;

        public const string Cancel = """
            UPDATE tasks
               SET cancel_wanted = true,
                   state = CASE WHEN state = 'waiting' THEN 'cancelled' ELSE state END,
                   due_at = CASE WHEN state = 'waiting' THEN NULL ELSE due_at END,
                   finished_at = CASE WHEN state = 'waiting' THEN @Now END
             WHERE task_id = @TaskId
               AND due_at IS NOT NULL
            """;
    }
}
