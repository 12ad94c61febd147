using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace LocalPlus.Hosting;

/// <summary>
/// GET /ops/v1/{service}/events: how this service's events are: what waits in its outbox and since when, and the
/// dead letters that nobody has decided about. Why the outbox stands is what the replica that answers was told when it
/// published last; one that does not lead knows none.
/// </summary>
internal static class GetEventState
{
    public static IEndpointRouteBuilder MapGetEventState(this IEndpointRouteBuilder ops)
    {
        ops.MapGet("/events", HandleAsync).WithName(nameof(GetEventState)).Produces<View>();
        return ops;
    }

    /// <param name="OutboxWaiting">Events that the broker has not got.</param>
    /// <param name="OutboxOldestAt">When the first of them happened; absent when there is none.</param>
    /// <param name="DeadLetters">Parked ones.</param>
    /// <param name="OutboxError">Why the last try to publish failed; absent when it did not.</param>
    /// <param name="OutboxFailingSince">Since when every try has failed.</param>
    internal sealed record View(
        long OutboxWaiting,
        DateTimeOffset? OutboxOldestAt,
        long DeadLetters,
        DateTimeOffset? DeadLettersOldestAt,
        string? OutboxError,
        DateTimeOffset? OutboxFailingSince
    );

    private static async Task<IResult> HandleAsync(Database database, OutboxHealth health, CancellationToken cancel)
    {
        var row = (await database.QuerySingleOrDefaultAsync<StateRow>(Sql.Get, null, cancel))!;
        var (error, since) = row.OutboxWaiting > 0 ? health.Trouble : default;
        return Answer.Ok(
            new View(
                row.OutboxWaiting,
                row.OutboxOldestAt,
                row.DeadLetters,
                row.DeadLettersOldestAt,
                error,
                error is null ? null : since
            )
        );
    }

    private sealed record StateRow(
        long OutboxWaiting,
        DateTimeOffset? OutboxOldestAt,
        long DeadLetters,
        DateTimeOffset? DeadLettersOldestAt
    );

    private static class Sql
    {
        public const string Get = """
            SELECT (SELECT count(*) FROM outbox_events) AS outbox_waiting,
                   (SELECT occurred_at FROM outbox_events ORDER BY id LIMIT 1) AS outbox_oldest_at,
                   (SELECT count(*) FROM dead_letters WHERE state = 'parked') AS dead_letters,
                   (SELECT received_at FROM dead_letters WHERE state = 'parked' ORDER BY id LIMIT 1)
                       AS dead_letters_oldest_at
            """;
    }
}
