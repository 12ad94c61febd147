using System.Text.Json;
using LocalPlus.Contracts.Ledger.V1;
using LocalPlus.Giftcard.Ledger;
using LocalPlus.Giftcard.Redemptions;
using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Giftcard.Runs;

/// <summary>
/// GET /ops/v1/runs/{id}: one redemption with everything known about its run: generations, steps with attempts,
/// timeline, the ledger's view of the hold, what the engine says, and what operators did. Ledger and engine are asked
/// with a deadline; when one is away its part says so and the rest is still there. Refusals: not_found.
/// </summary>
internal static class GetRun
{
    public static IEndpointRouteBuilder MapGetRun(this IEndpointRouteBuilder group)
    {
        group.MapGet("/runs/{id}", HandleAsync).RequireRole("viewer").WithName(nameof(GetRun)).Produces<RunDetail>();
        return group;
    }

    private static async Task<IResult> HandleAsync(RedemptionId id, RunReader reader, CancellationToken cancel) =>
        Answer.Ok(await reader.ReadAsync(id, cancel));
}

/// <summary>
/// GET /ops/v1/runs/{id}/export: the run as a file: the detail, the definition and input it was started with, and the
/// engine's history word for word, so that a test can replay it (workflows/README.md). Ids and amounts only. Refusals:
/// not_found.
/// </summary>
internal static class ExportRun
{
    public static IEndpointRouteBuilder MapExportRun(this IEndpointRouteBuilder group)
    {
        group
            .MapGet("/runs/{id}/export", HandleAsync)
            .RequireRole("viewer")
            .WithName(nameof(ExportRun))
            .Produces<Bundle>();
        return group;
    }

    /// <param name="History">The engine's GetInstanceHistoryResponse; absent when the engine is away or has no such
    /// run.</param>
    internal sealed record Bundle(
        string Format,
        string Workflow,
        object Input,
        RunDetail Run,
        byte[]? History,
        DateTimeOffset ExportedAt
    );

    private static async Task<IResult> HandleAsync(
        HttpContext http,
        RedemptionId id,
        RunReader reader,
        EngineReader engine,
        TimeProvider time,
        CancellationToken cancel
    )
    {
        var detail = await reader.ReadAsync(id, cancel);
        http.Response.Headers.ContentDisposition = $"attachment; filename=\"{id}.run.json\"";
        return Answer.Ok(
            new Bundle(
                "localplus.run.v1",
                RunId.Definition(detail.Run.Mode == Wire.Name(Mode.Immediate)),
                new Workflows.RedemptionRun(id.ToString(), detail.Run.Generation ?? 1),
                detail,
                detail.Run.InstanceId is { } instance ? await engine.HistoryAsync(instance, cancel) : null,
                time.GetUtcNow()
            )
        );
    }
}

internal sealed record RunGeneration(
    int Generation,
    string InstanceId,
    string State,
    string Engine,
    string Step,
    int Attempts,
    string? LastError,
    DateTimeOffset CreatedAt,
    DateTimeOffset? StartedAt,
    DateTimeOffset? SeenAt,
    DateTimeOffset? FinishedAt
);

internal sealed record RunStepView(
    int Generation,
    string Step,
    string State,
    int Attempts,
    string? LastError,
    DateTimeOffset FirstStartedAt,
    DateTimeOffset LastStartedAt,
    DateTimeOffset? FinishedAt
);

internal sealed record OperatorActionView(
    string Verb,
    string Subject,
    string Role,
    string Reason,
    JsonElement Detail,
    DateTimeOffset OccurredAt
);

/// <param name="GiftCardId">Null: what a member's points pay.</param>
internal sealed record LedgerLeg(AccountId AccountId, GiftCardId? GiftCardId, Money Held, Money Captured);

/// <summary>The hold as the ledger has it, or why it could not be asked.</summary>
internal sealed record LedgerSide(
    string? State,
    string? HoldId,
    string? TransactionId,
    IReadOnlyList<LedgerLeg> Legs,
    string? Error
);

internal sealed record EngineEvent(int EventId, string EventType, DateTimeOffset Timestamp);

/// <summary>The run as the engine has it, or why it could not be asked.</summary>
internal sealed record EngineSide(string? Status, IReadOnlyList<EngineEvent> History, string? Error);

/// <summary>Everything about one run.</summary>
internal sealed record RunDetail(
    RunSummary Run,
    IReadOnlyList<SourceView> Sources,
    IReadOnlyList<RunGeneration> Generations,
    IReadOnlyList<RunStepView> Steps,
    IReadOnlyList<GetTimeline.Entry> Timeline,
    IReadOnlyList<OperatorActionView> Actions,
    LedgerSide Ledger,
    EngineSide Engine
);

/// <summary>Gathers a run's detail from SQL, the ledger and the engine.</summary>
internal sealed class RunReader(Database database, RedemptionStore store, RedemptionDriver driver, EngineReader engine)
{
    public async Task<RunSummary> SummaryAsync(RedemptionId id, CancellationToken cancel) =>
        (await database.QuerySingleOrDefaultAsync<RunRow>(Sql.Get, new { RedemptionId = id }, cancel))?.ToView()
        ?? throw new FaultException(CommonFaults.NotFound, "There is no such run.");

    public async Task<RunDetail> ReadAsync(RedemptionId id, CancellationToken cancel)
    {
        var summary = await SummaryAsync(id, cancel);
        var redemption = (await store.FindAsync(id, cancel))!;
        var args = new { RedemptionId = id };
        var actions = await database.QueryAsync<ActionRow>(Sql.Actions, args, cancel);
        return new(
            summary,
            RedemptionView.Of(redemption.Row, redemption.Legs, null).Sources,
            await database.QueryAsync<RunGeneration>(Sql.Generations, args, cancel),
            await database.QueryAsync<RunStepView>(Sql.Steps, args, cancel),
            await GetTimeline.ReadAsync(database, id, cancel),
            [
                .. actions.Select(a => new OperatorActionView(
                    a.Verb,
                    a.Subject,
                    a.Role,
                    a.Reason,
                    JsonElement.Parse(a.Detail),
                    a.OccurredAt
                )),
            ],
            await LedgerAsync(redemption, cancel),
            await engine.ReadAsync(summary.InstanceId, cancel)
        );
    }

    private async Task<LedgerSide> LedgerAsync(Redemption redemption, CancellationToken cancel)
    {
        try
        {
            var (state, taken) = await TakenAsync(redemption.Row, cancel);
            var currency = Currency.Parse(redemption.Row.Order.Currency);
            var cards = redemption.Legs.ToDictionary(l => l.AccountId, l => l.GiftCardId);
            return new(
                Wire.Name(state),
                taken.Hold?.ToString(),
                taken.Transaction?.ToString(),
                [
                    .. taken.Parts.Select(part => new LedgerLeg(
                        part.Key,
                        cards.TryGetValue(part.Key, out var card) ? card : null,
                        new(part.Value.Held, currency),
                        new(part.Value.Captured, currency)
                    )),
                ],
                null
            );
        }
        catch (Exception exception) when (exception is LedgerUnknownException or FaultException)
        {
            return new(null, null, null, [], exception.Message);
        }
    }

    /// <summary>What was spent at once has no hold, and nothing of it can be open.</summary>
    private async Task<(HoldState State, Taken Taken)> TakenAsync(RedemptionRow row, CancellationToken cancel)
    {
        if (row.IsImmediate && row.Books.HoldId is null)
        {
            return (HoldState.Captured, await driver.SpentAsync(row, cancel));
        }

        var hold = await driver.HoldAsync(row, cancel);
        return (hold.State, Taken.Of(hold));
    }

    private sealed record ActionRow(
        string Verb,
        string Subject,
        string Role,
        string Reason,
        string Detail,
        DateTimeOffset OccurredAt
    );

    private static class Sql
    {
        public const string Get = $"{RunRow.Columns} WHERE v.redemption_id = @RedemptionId";

        public const string Generations = """
            SELECT generation, instance_id, state, engine, step, attempts, last_error, created_at, started_at, seen_at,
                   finished_at
              FROM redemption_runs
             WHERE redemption_id = @RedemptionId
             ORDER BY generation
            """;

        // The look at SQL is in the run's own row; what the previous release noted of it is one step with it.
        public const string Steps = $"""
            SELECT n.generation, '{Workflows.RedemptionSteps.Advance}' AS step, 'done' AS state,
                   n.advances + coalesce(s.attempts, 0) AS attempts, s.last_error,
                   coalesce(s.first_started_at, n.started_at) AS first_started_at, n.seen_at AS last_started_at,
                   n.seen_at AS finished_at
              FROM redemption_runs n
              LEFT JOIN redemption_run_steps s
                ON s.redemption_id = n.redemption_id
               AND s.generation = n.generation
               AND s.step = '{Workflows.RedemptionSteps.Advance}'
             WHERE n.redemption_id = @RedemptionId
               AND n.advances + coalesce(s.attempts, 0) > 0
             UNION ALL
            SELECT generation, step, state, attempts, last_error, first_started_at, last_started_at, finished_at
              FROM redemption_run_steps
             WHERE redemption_id = @RedemptionId
               AND step <> '{Workflows.RedemptionSteps.Advance}'
             ORDER BY generation, first_started_at, step
            """;

        public const string Actions = """
            SELECT verb, subject, role, reason, detail::text AS detail, occurred_at
              FROM operator_actions
             WHERE redemption_id = @RedemptionId
             ORDER BY action_id
            """;
    }
}
