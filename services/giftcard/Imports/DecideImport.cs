using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Giftcard.Imports;

/// <summary>
/// POST /v1/gift_cards/import/{id}/check, /commit, /revert: what follows the upload, each in the background. A check
/// says what a commit would do and changes nothing: it may be the end (a dry run). A commit makes cards of the rows
/// that are in order. A revert takes back every card that nobody has touched since, as if it had never been sold here;
/// the others stay and the report names them. Refusals: not_found, import_state.
/// </summary>
internal static class DecideImport
{
    public static IEndpointRouteBuilder MapDecideImport(this IEndpointRouteBuilder group)
    {
        Declare(
            group.MapPost("/gift_cards/import/{id}/check", To(ImportState.Uploading, ImportState.Checking)),
            "CheckImport"
        );
        Declare(
            group.MapPost("/gift_cards/import/{id}/commit", To(ImportState.Checked, ImportState.Committing)),
            "CommitImport"
        );
        Declare(
            group.MapPost("/gift_cards/import/{id}/revert", To(ImportState.Committed, ImportState.Reverting)),
            "RevertImport"
        );
        return group;
    }

    private static void Declare(RouteHandlerBuilder endpoint, string name) =>
        endpoint
            .RequireScope("gift_cards:write")
            .RequireIdempotencyKey()
            .Refuses(Faults.ImportState)
            .WithName(name)
            .Produces<ImportView>(StatusCodes.Status202Accepted);

    /// <summary>Moves an import from one state, which it has to have, to the next.</summary>
    private static Delegate To(string from, string to) =>
        (
            HttpContext http,
            JobId id,
            IdempotentRequests requests,
            TaskQueue tasks,
            TimeProvider time,
            CancellationToken cancel
        ) =>
            requests.ExecuteAsync(
                http,
                new { id },
                async db =>
                {
                    var merchant = http.GetMerchant().MerchantId;
                    var answer = await MoveAsync(db, merchant, id, from, to, time);
                    await ImportTask.OrderAsync(tasks, db, merchant, id);
                    return answer;
                },
                cancel
            );

    private static async Task<Answer> MoveAsync(
        DbSession db,
        MerchantId merchant,
        JobId id,
        string from,
        string to,
        TimeProvider time
    )
    {
        var import =
            await db.QuerySingleOrDefaultAsync<ImportRow>(Sql.Lock, new { ImportId = id, MerchantId = merchant })
            ?? throw new FaultException(CommonFaults.NotFound, "There is no such import.");
        // What was stopped half-way may be taken back, too.
        var isStopped =
            import is { State: ImportState.Cancelled, Progress.Imported: > 0 } && to == ImportState.Reverting;
        if (import.State != from && !isStopped)
        {
            throw new FaultException(Faults.ImportState, $"The import is {import.State}.");
        }

        if (to == ImportState.Reverting && import.Progress.ChangedAt + GiftcardLimits.ImportLife <= time.GetUtcNow())
        {
            throw new FaultException(Faults.ImportState, "It is too long ago; its rows are not kept any more.");
        }

        await db.ExecuteAsync(
            Sql.Move,
            new
            {
                ImportId = id,
                State = to,
                Now = time.GetUtcNow(),
            }
        );
        var view = (await db.QuerySingleAsync<ImportRow>(Sql.Get, new { ImportId = id })).ToView();
        return Answer.Accepted($"/v1/jobs/{id}", view, view.Version);
    }

    private static class Sql
    {
        public const string Get = $"{ImportRow.Select} WHERE i.import_id = @ImportId";

        public const string Lock = $"""
            {ImportRow.Select}
             WHERE i.import_id = @ImportId
               AND i.merchant_id = @MerchantId
               FOR NO KEY UPDATE OF i
            """;

        public const string Move = """
            UPDATE card_imports
               SET state = @State, due_at = @Now, at_part = 0, at_line = 0, cancel_wanted = false, last_error = NULL,
                   version = version + 1, changed_at = @Now
             WHERE import_id = @ImportId
            """;
    }
}
