using System.Text.Json;
using LocalPlus.Giftcard.Redemptions;
using LocalPlus.Giftcard.Runs;
using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Giftcard.RunBulks;

/// <summary>
/// POST /ops/v1/runs/bulks?health=stuck…: chooses runs for a verb, and does nothing to them: which they are is written
/// down, with what they are about and which would be refused. Refusals: invalid_request (a verb that there is not, a
/// filter's value), bulk_too_large.
/// </summary>
internal static class PreviewRunBulk
{
    public static IEndpointRouteBuilder MapPreviewRunBulk(this IEndpointRouteBuilder group)
    {
        group
            .MapPost("/runs/bulks", HandleAsync)
            .RequireRole("operator")
            .RequireIdempotencyKey()
            .Refuses(Faults.BulkTooLarge)
            .WithName(nameof(PreviewRunBulk))
            .Produces<RunBulkDetail>(StatusCodes.Status201Created);
        return group;
    }

    /// <param name="Verb">retry, reconcile, suspend, resume, release or terminate.</param>
    internal sealed record Request(string Verb);

    private static Task<IResult> HandleAsync(
        HttpContext http,
        [AsParameters] RunFilter filter,
        Request request,
        IdempotentRequests requests,
        TimeProvider time,
        CancellationToken cancel
    )
    {
        RunFilter.Check(filter);
        new FieldChecks()
            .Require(RunVerbs.OfBulks.Any(verb => verb.Name == request.Verb), "/verb", "unknown")
            .ThrowIfAny();
        var by = http.GetOperator().Subject;
        return requests.ExecuteAsync(
            http,
            new { request.Verb, filter },
            db => ChooseAsync(db, request.Verb, filter, by, time),
            cancel
        );
    }

    private static async Task<Answer> ChooseAsync(
        DbSession db,
        string verb,
        RunFilter filter,
        string by,
        TimeProvider time
    )
    {
        var id = RunBulkId.New(time);
        var now = time.GetUtcNow();
        var before = RunFilter.Before(filter, now);
        var runs = await db.SearchAsync<ChosenRun>(
            Sql.Choose,
            new
            {
                filter.Health,
                filter.State,
                filter.RunState,
                filter.Step,
                filter.MerchantId,
                Before = before,
                filter.Error,
                Take = GiftcardLimits.RunsPerBulk + 1,
            }
        );
        if (runs.Count > GiftcardLimits.RunsPerBulk)
        {
            throw new FaultException(
                Faults.BulkTooLarge,
                $"More than {GiftcardLimits.RunsPerBulk} runs match: narrow the filter."
            );
        }

        await db.ExecuteAsync(
            Sql.Insert,
            new
            {
                BulkId = id,
                Verb = verb,
                Filter = JsonSerializer.Serialize(filter, StrictJson.Options),
                MovedBefore = before,
                Runs = runs.Count,
                CreatedBy = by,
                Now = now,
                RedemptionIds = runs.Select(run => run.RedemptionId).ToArray(),
                MerchantIds = runs.Select(run => run.MerchantId).ToArray(),
                Amounts = runs.Select(run => run.Requested).ToArray(),
                Currencies = runs.Select(run => run.Currency).ToArray(),
                Foreseen = runs.Select(run => RunRules.Foreseen(verb, run.RedemptionState, run.RunState)?.Code)
                    .ToArray(),
            }
        );
        var row = await db.QuerySingleAsync<RunBulkRow>(Sql.Get, new { BulkId = id });
        return Answer.Created($"/ops/v1/runs/bulks/{id}", await RunBulkDetail.ReadAsync(db, row), row.Version);
    }

    private sealed record ChosenRun(
        RedemptionId RedemptionId,
        MerchantId MerchantId,
        string Currency,
        long Requested,
        EnumText<RedemptionState> RedemptionState,
        EnumText<RunState>? RunState
    );

    private static class Sql
    {
        public const string Choose = $"""
            SELECT v.redemption_id, v.merchant_id, v.currency, v.requested, v.redemption_state, v.run_state
              FROM run_view v
             WHERE {RunFilter.Conditions}
             ORDER BY v.created_at DESC, v.redemption_id DESC
             LIMIT @Take
            """;

        public const string Insert = """
            INSERT INTO run_bulks (bulk_id, verb, filter, moved_before, state, runs, created_by, created_at, changed_at)
            VALUES (@BulkId, @Verb, @Filter::jsonb, @MovedBefore, 'previewed', @Runs, @CreatedBy, @Now, @Now);
            INSERT INTO run_bulk_items (bulk_id, position, redemption_id, merchant_id, amount, currency, foreseen,
                   due_at)
            SELECT @BulkId, c.position, c.redemption_id, c.merchant_id, c.amount, c.currency, c.foreseen, @Now
              FROM unnest(@RedemptionIds::uuid[], @MerchantIds::uuid[], @Amounts::bigint[], @Currencies::text[],
                          @Foreseen::text[])
                   WITH ORDINALITY AS c (redemption_id, merchant_id, amount, currency, foreseen, position)
            """;

        public const string Get = $"{RunBulkRow.Columns} WHERE b.bulk_id = @BulkId";
    }
}
