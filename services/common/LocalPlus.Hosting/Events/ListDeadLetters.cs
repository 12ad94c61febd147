using System.Text;
using LocalPlus.Kernel;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace LocalPlus.Hosting;

/// <summary>A message that was not taken, and what became of it.</summary>
/// <param name="EventId">The event's, or sha256: and the hash of what is no event.</param>
/// <param name="Refusals">How often it came and was refused.</param>
/// <param name="Text">Its bytes as text, what is not UTF-8 as U+FFFD; only when one letter is asked for.</param>
internal sealed record DeadLetterView(
    long Id,
    string Topic,
    string EventId,
    string? Reason,
    string State,
    int Refusals,
    int Bytes,
    DateTimeOffset ReceivedAt,
    DateTimeOffset? DecidedAt,
    string? DecidedBy,
    string? DecisionReason,
    string? Text = null
);

/// <summary>
/// GET /ops/v1/{service}/dead_letters: what this service could not take, the newest first; by state (parked when
/// nothing is said, replayed, discarded, all), topic and error text. GET …/{id} shows one with its text. Viewers see
/// the lists; a letter's text is operators' only. Refusals: invalid_request, not_found.
/// </summary>
internal static class ListDeadLetters
{
    private const string All = "all";
    private const string Parked = "parked";
    private const int MaxTextBytes = 64 * 1024;
    private const int MaxTopicLength = 200;
    private static readonly string[] States = [Parked, "replayed", "discarded", "archived", All];

    public static IEndpointRouteBuilder MapListDeadLetters(this IEndpointRouteBuilder letters)
    {
        letters.MapGet("", HandleAsync).WithName(nameof(ListDeadLetters)).Produces<Page<DeadLetterView>>();
        letters
            .MapGet("/{id:long}", GetAsync)
            .RequireRole("operator")
            .WithName("GetDeadLetter")
            .Produces<DeadLetterView>();
        return letters;
    }

    private static async Task<IResult> HandleAsync(
        Database database,
        string? state,
        string? topic,
        string? error,
        int? limit,
        string? cursor,
        CancellationToken cancel
    )
    {
        var before = long.MaxValue;
        new FieldChecks()
            .Require(state is null || States.Contains(state), "state", "invalid")
            .Text(topic, "topic", MaxTopicLength)
            .Text(error, "error", MaxTopicLength)
            .Require(cursor is null || long.TryParse(cursor, out before), "cursor", "invalid")
            .ThrowIfAny();
        var take = CursorCodec.Limit(limit);
        var rows = await database.SearchAsync<DeadLetterRow>(
            Sql.List,
            new
            {
                State = state == All ? null : state ?? Parked,
                Topic = topic,
                Error = error,
                Before = before,
                Take = take + 1,
            },
            cancel
        );
        return Answer.Ok(
            Page<DeadLetterView>.Of(
                [.. rows.Select(row => row.ToView())],
                take,
                row => row.Id.ToString(System.Globalization.CultureInfo.InvariantCulture)
            )
        );
    }

    private static async Task<IResult> GetAsync(long id, Database database, CancellationToken cancel)
    {
        var row =
            await database.QuerySingleOrDefaultAsync<DeadLetterRow>(Sql.Get, new { Id = id }, cancel)
            ?? throw new FaultException(CommonFaults.NotFound, "There is no such dead letter.");
        var body = await database.QuerySingleOrDefaultAsync<byte[]>(
            Sql.Body,
            new { Id = id, Most = MaxTextBytes },
            cancel
        );
        return Answer.Ok(row.ToView() with { Text = Encoding.UTF8.GetString(body!) });
    }

    internal sealed record DeadLetterRow(
        long Id,
        string Topic,
        string EventId,
        string? Reason,
        string State,
        int Refusals,
        int Bytes,
        DateTimeOffset ReceivedAt,
        DateTimeOffset? DecidedAt,
        string? DecidedBy,
        string? DecisionReason
    )
    {
        public const string Columns = """
            SELECT l.id, l.topic, l.event_id, l.reason, l.state, l.refusals,
                   coalesce(length(l.body), octet_length(l.payload::text)) AS bytes, l.received_at, l.decided_at,
                   l.decided_by, l.decision_reason
              FROM dead_letters l
            """;

        public DeadLetterView ToView() =>
            new(Id, Topic, EventId, Reason, State, Refusals, Bytes, ReceivedAt, DecidedAt, DecidedBy, DecisionReason);
    }

    private static class Sql
    {
        public const string List = $"""
            {DeadLetterRow.Columns}
             WHERE l.id < @Before
               AND (@State::text IS NULL OR l.state = @State)
               AND (@Topic::text IS NULL OR l.topic = @Topic)
               AND (@Error::text IS NULL OR strpos(l.reason, @Error) > 0)
             ORDER BY l.id DESC
             LIMIT @Take
            """;

        public const string Get = $"{DeadLetterRow.Columns} WHERE l.id = @Id";

        public const string Body = """
            SELECT substring(coalesce(body, convert_to(payload::text, 'UTF8')) FROM 1 FOR @Most)
              FROM dead_letters
             WHERE id = @Id
            """;
    }
}
