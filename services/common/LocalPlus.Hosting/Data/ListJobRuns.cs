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
/// name. A job of the service that never ran is not in it. Refusals: invalid_request (name, limit, cursor).
/// </summary>
internal static class ListJobRuns
{
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
                (Database database, string? name, int? limit, string? cursor, CancellationToken cancel) =>
                    HandleAsync(database, names, name, limit, cursor, cancel)
            )
            .WithName(nameof(ListJobRuns))
            .Produces<Page<JobRunView>>();
    }

    private static async Task<IResult> HandleAsync(
        Database database,
        string[] names,
        string? name,
        int? limit,
        string? cursor,
        CancellationToken cancel
    )
    {
        var before = Guid.AllBitsSet;
        new FieldChecks()
            .Require(name is null || names.Contains(name), "name", "unknown")
            .Require(cursor is null || Guid.TryParse(cursor, out before), "cursor", "invalid")
            .ThrowIfAny();
        var take = CursorCodec.Limit(limit);
        var rows = await database.SearchAsync<JobRunRow>(
            Sql.List,
            new
            {
                Name = name,
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
             ORDER BY run_id DESC
             LIMIT @Take
            """;
    }
}
