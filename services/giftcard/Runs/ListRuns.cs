using LocalPlus.Giftcard.Redemptions;
using LocalPlus.Hosting;
using LocalPlus.Kernel;
using Microsoft.AspNetCore.Mvc;

namespace LocalPlus.Giftcard.Runs;

/// <summary>
/// GET /ops/v1/runs: redemptions with their runs, newest first, by health (ok, waiting, retrying, stuck, parked,
/// suspended), redemption state, run state, step, merchant, age or error text. Read from SQL, so it works while the
/// engine is away. Refusals: invalid_request (limit, cursor, a value that there is not).
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

    internal sealed record Query
    {
        public string? Health { get; init; }

        public string? State { get; init; }

        [FromQuery(Name = "run_state")]
        public string? RunState { get; init; }

        public string? Step { get; init; }

        [FromQuery(Name = "merchant_id")]
        public MerchantId? MerchantId { get; init; }

        [FromQuery(Name = "older_than_seconds")]
        public int? OlderThanSeconds { get; init; }

        public string? Error { get; init; }

        public int? Limit { get; init; }

        public string? Cursor { get; init; }

        private static readonly string[] RunStates = [.. Enum.GetValues<RunState>().Select(Wire.Name)];
        private static readonly string[] Healths = ["ok", "waiting", "retrying", "stuck", "parked", "suspended"];

        public static void Check(Query query) =>
            new FieldChecks()
                .Require(query.Health is null || Healths.Contains(query.Health), "health", "invalid")
                .Require(query.State is null || RedemptionStates.Seen.Contains(query.State), "state", "invalid")
                .Require(query.RunState is null || RunStates.Contains(query.RunState), "run_state", "invalid")
                .Require(query.OlderThanSeconds is null or >= 0, "older_than_seconds")
                .Text(query.Step, "step", GiftcardLimits.NameLength)
                .Text(query.Error, "error", GiftcardLimits.NameLength)
                .ThrowIfAny();
    }

    private static async Task<IResult> HandleAsync(
        [AsParameters] Query query,
        Database database,
        CursorCodec cursors,
        TimeProvider time,
        CancellationToken cancel
    )
    {
        Query.Check(query);
        var filters =
            $"runs|{query.Health}|{query.State}|{query.RunState}|{query.Step}|{query.MerchantId}"
            + $"|{query.OlderThanSeconds}|{query.Error}";
        var take = CursorCodec.Limit(query.Limit);
        var after = cursors.Read(query.Cursor, default, filters);
        var rows = await database.SearchAsync<RunRow>(
            Sql.List,
            new
            {
                query.Health,
                query.State,
                query.RunState,
                query.Step,
                query.MerchantId,
                Before = query.OlderThanSeconds is { } age ? time.GetUtcNow().AddSeconds(-age) : (DateTimeOffset?)null,
                query.Error,
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
        // What a health is made of is said once more beside it: in that form the partial indices of the rare ones are
        // found.
        public const string List = $"""
            {RunRow.Columns}
             WHERE (@Health::text IS NULL OR v.health = @Health)
               AND (@Health IS DISTINCT FROM 'parked' OR v.needs_attention)
               AND (@Health IS DISTINCT FROM 'stuck' OR v.run_state IN ('failed', 'lost'))
               AND (@Health IS DISTINCT FROM 'suspended' OR v.run_state = 'suspended')
               AND (@State::text IS NULL OR v.redemption_state = @State)
               AND (@RunState::text IS NULL OR v.run_state = @RunState)
               AND (@Step::text IS NULL OR v.step = @Step)
               AND (@MerchantId::uuid IS NULL OR v.merchant_id = @MerchantId)
               AND (@Before::timestamptz IS NULL OR v.updated_at < @Before)
               AND (@Error::text IS NULL OR strpos(coalesce(v.run_error, v.drive_error), @Error) > 0)
               AND (v.created_at, v.redemption_id) < (@CreatedAt, @Id)
             ORDER BY v.created_at DESC, v.redemption_id DESC
             LIMIT @Take
            """;
    }
}
