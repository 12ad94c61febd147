using System.Globalization;
using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Giftcard.RunBulks;

/// <summary>
/// GET /ops/v1/runs/bulks, the newest first; /{id} with what it is about; /{id}/items: each run in the order in which
/// it was chosen, by state (waiting, done, refused, failed). Refusals: not_found, invalid_request (limit, cursor,
/// state).
/// </summary>
internal static class ReadRunBulks
{
    private static readonly string[] States = ["waiting", "done", "refused", "failed"];

    public static IEndpointRouteBuilder MapReadRunBulks(this IEndpointRouteBuilder group)
    {
        group
            .MapGet("/runs/bulks", ListAsync)
            .RequireRole("viewer")
            .WithName("ListRunBulks")
            .Produces<Page<RunBulkView>>();
        group
            .MapGet("/runs/bulks/{id}", GetAsync)
            .RequireRole("viewer")
            .WithName("GetRunBulk")
            .Produces<RunBulkDetail>();
        group
            .MapGet("/runs/bulks/{id}/items", ItemsAsync)
            .RequireRole("viewer")
            .WithName("ListRunBulkItems")
            .Produces<Page<RunBulkItemView>>();
        return group;
    }

    private static async Task<IResult> ListAsync(
        Database database,
        CursorCodec cursors,
        CancellationToken cancel,
        int? limit = null,
        string? cursor = null
    )
    {
        const string filters = "run_bulks";
        var take = CursorCodec.Limit(limit);
        var after = cursors.Read(cursor, default, filters);
        var rows = await database.QueryAsync<RunBulkRow>(
            Sql.List,
            new
            {
                after.CreatedAt,
                after.Id,
                Take = take + 1,
            },
            cancel
        );
        return Answer.Ok(
            Page<RunBulkView>.Of(
                [.. rows.Select(row => row.ToView())],
                take,
                bulk => cursors.Write(new(bulk.CreatedAt, bulk.Id.Value), default, filters)
            )
        );
    }

    private static async Task<IResult> GetAsync(RunBulkId id, Database database, CancellationToken cancel)
    {
        await using var db = await database.BeginAsync(cancel);
        var row = await FindAsync(db, id);
        return Answer.Ok(await RunBulkDetail.ReadAsync(db, row), row.Version);
    }

    private static async Task<IResult> ItemsAsync(
        RunBulkId id,
        Database database,
        CancellationToken cancel,
        string? state = null,
        int? limit = null,
        string? cursor = null
    )
    {
        var after = 0;
        new FieldChecks()
            .Require(state is null || States.Contains(state), "state", "invalid")
            .Require(
                cursor is null || int.TryParse(cursor, NumberStyles.None, CultureInfo.InvariantCulture, out after),
                "cursor",
                "invalid"
            )
            .ThrowIfAny();
        var take = CursorCodec.Limit(limit);
        await using var db = await database.BeginAsync(cancel);
        await FindAsync(db, id);
        var rows = await db.QueryAsync<RunBulkItemRow>(
            Sql.Items,
            new
            {
                BulkId = id,
                State = state,
                After = after,
                Take = take + 1,
            }
        );
        return Answer.Ok(
            Page<RunBulkItemView>.Of(
                [.. rows.Select(row => row.ToView())],
                take,
                item => item.Position.ToString(CultureInfo.InvariantCulture)
            )
        );
    }

    private static async Task<RunBulkRow> FindAsync(DbSession db, RunBulkId id) =>
        await db.QuerySingleOrDefaultAsync<RunBulkRow>(Sql.Get, new { BulkId = id })
        ?? throw new FaultException(CommonFaults.NotFound, "There is no such bulk.");

    private static class Sql
    {
        public const string List = $"""
            {RunBulkRow.Columns}
             WHERE (b.created_at, b.bulk_id) < (@CreatedAt, @Id)
             ORDER BY b.created_at DESC, b.bulk_id DESC
             LIMIT @Take
            """;

        public const string Get = $"{RunBulkRow.Columns} WHERE b.bulk_id = @BulkId";

        public const string Items = $"""
            {RunBulkItemRow.Columns}
             WHERE i.bulk_id = @BulkId
               AND i.position > @After
               AND (@State::text IS NULL OR i.state = @State)
             ORDER BY i.position
             LIMIT @Take
            """;
    }
}
