using LocalPlus.Kernel;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace LocalPlus.Hosting;

/// <summary>
/// POST /ops/v1/{service}/dead_letters/{id}/replay gives a letter to its consumer again, …/{id}/discard puts it aside
/// for good; both want a reason and keep who gave it. POST …/replay takes the parked letters of a topic, of one error
/// if it is said, the oldest first, at most <see cref="MostAtOnce"/>; with dry_run it only counts them. What is refused
/// again stays parked and says why. Refusals: invalid_request, not_found, dead_letter_state (decided already),
/// dead_letter_refused (its consumer still does not take it, or there is none), busy.
/// </summary>
internal static class DecideDeadLetters
{
    public const int MostAtOnce = 1000;
    private const int MaxReasonLength = 500;
    private const int MaxTopicLength = 200;
    private const int MinReasonLength = 3;

    public static readonly Fault Refused = new("dead_letter_refused", 422, "The message was refused again");
    public static readonly Fault State = new("dead_letter_state", 409, "The dead letter was decided about before");

    public static IEndpointRouteBuilder MapDecideDeadLetters(this IEndpointRouteBuilder letters)
    {
        letters
            .MapPost("/{id:long}/replay", ReplayAsync)
            .RequireRole("operator")
            .Refuses(State, Refused)
            .Audit("dead_letter.replay")
            .WithName("ReplayDeadLetter")
            .Produces<DeadLetterView>();
        letters
            .MapPost("/{id:long}/discard", DiscardAsync)
            .RequireRole("operator")
            .RequireStepUp()
            .Refuses(State)
            .Audit("dead_letter.discard")
            .WithName("DiscardDeadLetter")
            .Produces<DeadLetterView>();
        letters
            .MapPost("/replay", ReplayManyAsync)
            .RequireRole("operator")
            .Audit("dead_letter.replay_many")
            .WithName("ReplayDeadLetters")
            .Produces<ReplayResult>();
        return letters;
    }

    internal sealed record DecideRequest(string Reason);

    /// <param name="DryRun">Counts and does nothing.</param>
    /// <param name="Error">Only those for whose refusal this text was a part of the reason.</param>
    internal sealed record ReplayRequest(string Reason, string Topic, bool DryRun = false, string? Error = null);

    /// <param name="Matched">Parked letters of the topic that would be, or were, replayed.</param>
    /// <param name="RefusedIds">Those that were not taken again.</param>
    internal sealed record ReplayResult(int Matched, int Replayed, IReadOnlyList<long> RefusedIds);

    private static async Task<IResult> ReplayAsync(
        HttpContext http,
        long id,
        DecideRequest request,
        DeadLetterReplay replay,
        CancellationToken cancel
    )
    {
        CheckReason(request.Reason);
        return await replay.OneAsync(id, http.GetOperator().Subject, request.Reason, cancel)
            ? Answer.Ok(await replay.ViewAsync(id, cancel))
            : throw new FaultException(Refused, $"{(await replay.ViewAsync(id, cancel)).Reason}");
    }

    private static async Task<IResult> DiscardAsync(
        HttpContext http,
        long id,
        DecideRequest request,
        DeadLetterReplay replay,
        CancellationToken cancel
    )
    {
        CheckReason(request.Reason);
        await replay.DiscardAsync(id, http.GetOperator().Subject, request.Reason, cancel);
        return Answer.Ok(await replay.ViewAsync(id, cancel));
    }

    private static async Task<IResult> ReplayManyAsync(
        HttpContext http,
        ReplayRequest request,
        DeadLetterReplay replay,
        CancellationToken cancel
    )
    {
        CheckReason(request.Reason);
        Which(request.Topic, request.Error).ThrowIfAny();
        var ids = await replay.ParkedAsync(request.Topic, request.Error, MostAtOnce, cancel);
        if (request.DryRun)
        {
            return Answer.Ok(new ReplayResult(ids.Count, 0, []));
        }

        var refused = new List<long>();
        foreach (var id in ids)
        {
            if (!await replay.OneAsync(id, http.GetOperator().Subject, request.Reason, cancel))
            {
                refused.Add(id);
            }
        }

        return Answer.Ok(new ReplayResult(ids.Count, ids.Count - refused.Count, refused));
    }

    /// <summary>Checks which letters are meant, of those that are decided about together.</summary>
    internal static FieldChecks Which(string topic, string? error) =>
        new FieldChecks().Text(topic, "/topic", MaxTopicLength).Text(error, "/error", MaxTopicLength);

    internal static void CheckReason(string reason) =>
        new FieldChecks()
            .Require(reason.Length is >= MinReasonLength and <= MaxReasonLength, "/reason", "length")
            .ThrowIfAny();
}

/// <summary>Gives dead letters to their consumers again.</summary>
internal sealed class DeadLetterReplay(
    Database database,
    EndpointDataSource endpoints,
    Subscriber subscriber,
    IServiceProvider services,
    TimeProvider time
)
{
    /// <summary>
    /// True when it was taken. Whoever refuses it counts that in its row, so a row that was not counted up was taken;
    /// a death in between leaves it parked, and its inbox row lets a second replay change nothing.
    /// </summary>
    public async Task<bool> OneAsync(long id, string subject, string reason, CancellationToken cancel)
    {
        var letter = await FindAsync(id, cancel);
        if (letter.State != "parked")
        {
            throw new FaultException(DecideDeadLetters.State, $"It was {letter.State} before.");
        }

        var consumer = endpoints
            .Endpoints.Select(endpoint => endpoint.Metadata.GetMetadata<IConsumer>())
            .FirstOrDefault(c => c?.Topic == letter.Topic);
        if (consumer is null)
        {
            throw new FaultException(DecideDeadLetters.Refused, $"Nobody here takes {letter.Topic}.");
        }

        await using var scope = services.CreateAsyncScope();
        if (!await consumer.TakeAsync([new Arrival("", letter.Body)], subscriber, scope.ServiceProvider, cancel))
        {
            throw new FaultException(CommonFaults.Busy, "The database is away.");
        }

        return await DecideAsync("replayed", id, letter.Refusals, subject, reason, cancel);
    }

    /// <summary>Refuses with not_found and dead_letter_state.</summary>
    public async Task DiscardAsync(long id, string subject, string reason, CancellationToken cancel)
    {
        var letter = await FindAsync(id, cancel);
        if (letter.State != "parked" || !await DecideAsync("discarded", id, letter.Refusals, subject, reason, cancel))
        {
            throw new FaultException(DecideDeadLetters.State, "It was decided about before, or has just come again.");
        }
    }

    /// <summary>The oldest parked letters of a topic, and of an error if it is not null.</summary>
    public Task<IReadOnlyList<long>> ParkedAsync(string topic, string? error, int most, CancellationToken cancel) =>
        database.SearchAsync<long>(
            Sql.Parked,
            new
            {
                Topic = topic,
                Error = error,
                Most = most,
            },
            cancel
        );

    public async Task<DeadLetterView> ViewAsync(long id, CancellationToken cancel) =>
        (
            await database.QuerySingleOrDefaultAsync<ListDeadLetters.DeadLetterRow>(Sql.View, new { Id = id }, cancel)
            ?? throw new FaultException(CommonFaults.NotFound, "There is no such dead letter.")
        ).ToView();

    private async Task<LetterRow> FindAsync(long id, CancellationToken cancel) =>
        await database.QuerySingleOrDefaultAsync<LetterRow>(Sql.Get, new { Id = id }, cancel)
        ?? throw new FaultException(CommonFaults.NotFound, "There is no such dead letter.");

    private async Task<bool> DecideAsync(
        string state,
        long id,
        int refusals,
        string subject,
        string reason,
        CancellationToken cancel
    )
    {
        await using var db = await database.BeginAsync(cancel);
        var rows = await db.ExecuteAsync(
            Sql.Decide,
            new
            {
                Id = id,
                State = state,
                Refusals = refusals,
                DecidedAt = time.GetUtcNow(),
                DecidedBy = subject,
                DecisionReason = reason,
            }
        );
        await db.CommitAsync();
        return rows == 1;
    }

    private sealed record LetterRow(string Topic, string State, int Refusals, byte[] Body);

    internal static class Sql
    {
        public const string View = $"{ListDeadLetters.DeadLetterRow.Columns} WHERE l.id = @Id";

        public const string Get = """
            SELECT topic, state, refusals, coalesce(body, convert_to(payload::text, 'UTF8')) AS body
              FROM dead_letters
             WHERE id = @Id
            """;

        public const string Parked = """
            SELECT id
              FROM dead_letters
             WHERE topic = @Topic
               AND state = 'parked'
               AND (@Error::text IS NULL OR strpos(reason, @Error) > 0)
             ORDER BY id
             LIMIT @Most
            """;

        public const string Decide = """
            UPDATE dead_letters
               SET state = @State, decided_at = @DecidedAt, decided_by = @DecidedBy, decision_reason = @DecisionReason
             WHERE id = @Id
               AND state = 'parked'
               AND refusals = @Refusals
            """;
    }
}
