using LocalPlus.Kernel;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace LocalPlus.Hosting;

/// <summary>
/// POST /ops/v1/{service}/dead_letters/discard (what they would have done is not wanted) and …/archive (it was done
/// otherwise): puts the parked letters of a topic aside for good, of one error if it is said, the oldest first, at most
/// <see cref="DecideDeadLetters.MostAtOnce"/>. With dry_run it counts them and shows some; without it wants the number
/// of letters, typed: all of them are put aside, or none. Refusals: invalid_request, dead_letter_count (there are more
/// or fewer by now).
/// </summary>
internal static class SetDeadLettersAside
{
    private const int MostSamples = 10;

    public static IEndpointRouteBuilder MapSetDeadLettersAside(this IEndpointRouteBuilder letters)
    {
        Map(letters, "discard", "discarded", "DiscardDeadLetters");
        Map(letters, "archive", "archived", "ArchiveDeadLetters");
        return letters;
    }

    /// <param name="DryRun">Counts and does nothing.</param>
    /// <param name="Count">How many letters it is about, as the dry run says.</param>
    /// <param name="Error">Only those for whose refusal this text was a part of the reason.</param>
    internal sealed record AsideRequest(
        string Reason,
        string Topic,
        string? Error = null,
        bool DryRun = false,
        int? Count = null
    );

    /// <param name="Matched">Parked letters that would be, or were, put aside.</param>
    /// <param name="Samples">The oldest of them.</param>
    internal sealed record AsideResult(int Matched, int PutAside, IReadOnlyList<DeadLetterView> Samples);

    private static void Map(IEndpointRouteBuilder letters, string verb, string state, string name) =>
        letters
            .MapPost(
                $"/{verb}",
                (
                    HttpContext http,
                    AsideRequest request,
                    Database database,
                    TimeProvider time,
                    CancellationToken cancel
                ) => HandleAsync(http, request, state, database, time, cancel)
            )
            .RequireRole("operator")
            .RequireStepUp()
            .Refuses(CommonFaults.DeadLetterCount)
            .Audit($"dead_letter.{verb}_many")
            .WithName(name)
            .Produces<AsideResult>();

    private static async Task<IResult> HandleAsync(
        HttpContext http,
        AsideRequest request,
        string state,
        Database database,
        TimeProvider time,
        CancellationToken cancel
    )
    {
        DecideDeadLetters.CheckReason(request.Reason);
        DecideDeadLetters
            .Which(request.Topic, request.Error)
            .Require(request.DryRun || request.Count is > 0, "/count")
            .ThrowIfAny();
        await using var db = await database.BeginAsync(cancel);
        var ids = await db.SearchAsync<long>(
            Sql.Parked,
            new
            {
                request.Topic,
                request.Error,
                Most = DecideDeadLetters.MostAtOnce,
            }
        );
        var samples = await db.QueryAsync<ListDeadLetters.DeadLetterRow>(
            Sql.Samples,
            new { Ids = ids.Take(MostSamples).ToArray() }
        );
        DeadLetterView[] shown = [.. samples.Select(row => row.ToView())];
        if (request.DryRun)
        {
            return Answer.Ok(new AsideResult(ids.Count, 0, shown));
        }

        if (request.Count != ids.Count)
        {
            throw new FaultException(CommonFaults.DeadLetterCount, $"It is about {ids.Count} letters.");
        }

        await db.ExecuteAsync(
            Sql.PutAside,
            new
            {
                Ids = ids.ToArray(),
                State = state,
                DecidedAt = time.GetUtcNow(),
                DecidedBy = http.GetOperator().Subject,
                DecisionReason = request.Reason,
            }
        );
        await db.CommitAsync();
        return Answer.Ok(new AsideResult(ids.Count, ids.Count, shown));
    }

    private static class Sql
    {
        // Locked in the order of the ids: one that comes again meanwhile waits, and is parked anew after it.
        public const string Parked = $"{DeadLetterReplay.Sql.Parked} FOR UPDATE";

        public const string Samples = $"{ListDeadLetters.DeadLetterRow.Columns} WHERE l.id = ANY(@Ids) ORDER BY l.id";

        public const string PutAside = """
            UPDATE dead_letters
               SET state = @State, decided_at = @DecidedAt, decided_by = @DecidedBy, decision_reason = @DecisionReason
             WHERE id = ANY(@Ids)
            """;
    }
}
