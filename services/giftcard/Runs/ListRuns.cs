using LocalPlus.Hosting;

namespace LocalPlus.Giftcard.Runs;

/// <summary>
/// GET /ops/v1/runs: redemptions with their runs, newest first, by what <see cref="RunFilter"/> knows. Read from SQL,
/// so it works while the engine is away. Refusals: invalid_request (limit, cursor, a value that there is not).
/// </summary>
internal static class ListRuns
{
    public static IEndpointRouteBuilder MapListRuns(this IEndpointRouteBuilder group)
    {
        group
            .MapGet("/runs", HandleAsync)
            .RequireRole("viewer")
            .WithName(nameof(ListRuns))
            .Produces<Page<RunSummary>>();
        return group;
    }

    private static async Task<IResult> HandleAsync(
        [AsParameters] RunFilter filter,
        Database database,
        CursorCodec cursors,
        TimeProvider time,
        CancellationToken cancel,
        int? limit = null,
        string? cursor = null
    )
    {
        RunFilter.Check(filter);
        var filters = $"runs|{RunFilter.Query(filter)}";
        var take = CursorCodec.Limit(limit);
        var after = cursors.Read(cursor, default, filters);
        var rows = await database.SearchAsync<RunRow>(
            Sql.List,
            new
            {
                filter.Health,
                filter.State,
                filter.RunState,
                filter.Step,
                filter.MerchantId,
                Before = RunFilter.Before(filter, time.GetUtcNow()),
                filter.Error,
                after.CreatedAt,
                after.Id,
                Take = take + 1,
            },
            cancel
        );
        return Answer.Ok(
            Page<RunSummary>.Of(
                [.. rows.Select(r => r.ToView())],
                take,
                r => cursors.Write(new(r.CreatedAt, r.RedemptionId.Value), default, filters)
            )
        );
    }

    private static class Sql
    {
        public const string List = $"""
            {RunRow.Columns}
             WHERE {RunFilter.Conditions}
               AND (v.created_at, v.redemption_id) < (@CreatedAt, @Id)
             ORDER BY v.created_at DESC, v.redemption_id DESC
             LIMIT @Take
            """;
    }
}
