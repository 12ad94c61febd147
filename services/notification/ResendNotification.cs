using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Notification;

/// <summary>
/// POST /ops/v1/notification/{id}/resend, operators: queues a message again, with all its attempts; who did it and why
/// is kept. Refusals: invalid_request, not_found, notification_pending.
/// </summary>
internal static class ResendNotification
{
    private const int MaxReasonLength = 500;

    internal sealed record Request(string Reason);

    public static IEndpointRouteBuilder MapResendNotification(this IEndpointRouteBuilder ops)
    {
        ops.MapPost("/notification/{id}/resend", HandleAsync)
            .RequireRole("operator")
            .RequireIdempotencyKey()
            .Refuses(Faults.NotificationPending)
            .Audit("notification.resend")
            .WithName(nameof(ResendNotification))
            .Produces<NotificationView>(StatusCodes.Status202Accepted);
        return ops;
    }

    private static Task<IResult> HandleAsync(
        HttpContext http,
        NotificationId id,
        Request request,
        IdempotentRequests idempotent,
        TimeProvider time,
        ILogger<NotificationRow> log,
        CancellationToken cancel
    )
    {
        new FieldChecks().Text(request.Reason, "/reason", MaxReasonLength).ThrowIfAny();
        return idempotent.ExecuteAsync(
            http,
            request,
            async db =>
            {
                var row = await QueueAsync(db, id, http.GetOperator().Subject, request.Reason, time.GetUtcNow());
                log.Resent(id);
                return Answer.Accepted(location: null, row.ToView());
            },
            cancel
        );
    }

    private static async Task<NotificationRow> QueueAsync(
        DbSession db,
        NotificationId id,
        string operatorSubject,
        string reason,
        DateTimeOffset now
    )
    {
        var state =
            await db.QuerySingleOrDefaultAsync<string>(Sql.Lock, new { NotificationId = id })
            ?? throw new FaultException(CommonFaults.NotFound, "There is no such notification.");
        if (state == "pending")
        {
            throw new FaultException(Faults.NotificationPending, "The notification is on its way already.");
        }

        await db.ExecuteAsync(
            Sql.Note,
            new
            {
                NotificationId = id,
                Operator = operatorSubject,
                Reason = reason,
                CreatedAt = now,
            }
        );
        return await db.QuerySingleAsync<NotificationRow>(Sql.Queue, new { NotificationId = id, DueAt = now });
    }

    private static class Sql
    {
        // Locked, so that of two operators at once the second one sees it queued.
        public const string Lock = """
            SELECT state
              FROM notifications
             WHERE notification_id = @NotificationId
               FOR UPDATE
            """;

        public const string Note = """
            INSERT INTO notification_resends (notification_id, operator, reason, created_at)
            VALUES (@NotificationId, @Operator, @Reason, @CreatedAt)
            """;

        public const string Queue = $"""
            UPDATE notifications
               SET state = 'pending',
                   attempts = 0,
                   deferrals = 0,
                   due_at = @DueAt,
                   last_error = NULL
             WHERE notification_id = @NotificationId
            RETURNING {NotificationRow.Columns}
            """;
    }
}
