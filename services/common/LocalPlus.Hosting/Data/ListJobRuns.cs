using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace LocalPlus.Hosting;

/// <summary>A run of a scheduled job.</summary>
/// <param name="Outcome">running (or killed), done or failed.</param>
/// <param name="Seconds">How long it took, rounded; while it runs there is none.</param>
internal sealed record JobRunView(
    Guid Id,
    string Name,
    string Outcome,
    string? Error,
    DateTimeOffset StartedAt,
    DateTimeOffset? EndedAt,
    long? Seconds
)
{
    public string Object { get; } = "job_run";
}

/// <summary>
/// GET /ops/v1/{service}/jobs: when the service's scheduled jobs ran, how long and how they ended, the newest first; by
/// name and outcome. A job of the service that never ran is not in it. Refusals: invalid_request (name, outcome, limit,
/// cursor).
/// </summary>
internal static class ListJobRuns
{
    private static readonly string[] Outcomes = ["running", "done", "failed"];

    public static void MapJobRuns(this WebApplication app)
    {
        string[] names = [.. app.Services.GetServices<JobName>().Select(job => job.Name)];
        if (names.Length == 0)
        {
            return;
        }

        var service = app.Services.GetRequiredService<ServiceIdentity>().Name;
        app.MapOperatorApi()
            .MapGet(
                $"/{service}/jobs",
                (
                    Database database,
                    string? name,
                    string? outcome,
                    int? limit,
                    string? cursor,
                    CancellationToken cancel
                ) => HandleAsync(database, names, new Wanted(name, outcome), limit, cursor, cancel)
            )
            .WithName(nameof(ListJobRuns))
            .Produces<Page<JobRunView>>();
    }

    private sealed record Wanted(string? Name, string? Outcome);

    private static async Task<IResult> HandleAsync(
        Database database,
        string[] names,
        Wanted wanted,
        int? limit,
        string? cursor,
        CancellationToken cancel
    )
    {
        var before = Guid.AllBitsSet;
        new FieldChecks()
            .Require(wanted.Name is null || names.Contains(wanted.Name), "name", "unknown")
            .Require(wanted.Outcome is null || Outcomes.Contains(wanted.Outcome), "outcome", "invalid")
            .Require(cursor is null || Guid.TryParse(cursor, out before), "cursor", "invalid")
            .ThrowIfAny();
        var take = CursorCodec.Limit(limit);
        var rows = await database.SearchAsync<JobRunRow>(
            Sql.List,
            new
            {
                wanted.Name,
                wanted.Outcome,
                Before = before,
                Take = take + 1,
            },
            cancel
        );
        return Answer.Ok(Page<JobRunView>.Of([.. rows.Select(row => row.ToView())], take, row => row.Id.ToString()));
    }

    private sealed record JobRunRow(
        Guid RunId,
        string Name,
        string Outcome,
        string? Error,
        DateTimeOffset StartedAt,
        DateTimeOffset? EndedAt
    )
    {
        public JobRunView ToView() =>
            new(
                RunId,
                Name,
                Outcome,
                Error,
                StartedAt,
                EndedAt,
                EndedAt is { } ended ? (long)(ended - StartedAt).TotalSeconds : null
            );
    }

    private static class Sql
    {
        // Ids are UUIDv7: their order is that of their beginning.
        public const string List = """
            SELECT run_id, name, outcome, error, started_at, ended_at
              FROM job_runs
             WHERE run_id < @Before
               AND (@Name::text IS NULL OR name = @Name)
               AND (@Outcome::text IS NULL OR outcome = @Outcome)
             ORDER BY run_id DESC
             LIMIT @Take
            """;
    }
}
