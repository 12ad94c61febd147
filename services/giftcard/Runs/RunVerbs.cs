using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Giftcard.Runs;

/// <summary>
/// POST /ops/v1/runs/{id}/VERB: what operators may do to a run, each with a reason and an audit entry. Money moves only
/// by the rules that bind a till; after the capture there is no way back but a refund. Refusals: not_found, what the
/// rules of confirm and cancel say, run_state, step_not_skippable, hold_not_settled, invalid_request (reason missing).
/// </summary>
internal static class RunVerbs
{
    public static IEndpointRouteBuilder MapRunVerbs(this IEndpointRouteBuilder group)
    {
        Map<ConfirmRunRequest>(group, "confirm", "operator", (runs, call) => runs.ConfirmAsync(call));
        Map<RunVerbRequest>(group, "cancel", "operator", (runs, call) => runs.CancelAsync(call));
        Map<RunVerbRequest>(group, "retry", "operator", (runs, call) => runs.RetryAsync(call));
        Map<ExtendRunRequest>(group, "extend", "operator", (runs, call) => runs.ExtendAsync(call));
        Map<RunVerbRequest>(group, "suspend", "operator", (runs, call) => runs.SuspendAsync(call));
        Map<RunVerbRequest>(group, "resume", "operator", (runs, call) => runs.ResumeAsync(call));
        Map<RunVerbRequest>(group, "reconcile", "operator", (runs, call) => runs.ReconcileAsync(call));
        Map<SkipStepRequest>(group, "skip", "admin", (runs, call) => runs.SkipAsync(call));
        Map<RunVerbRequest>(group, "release", "admin", (runs, call) => runs.ReleaseAsync(call));
        Map<RunVerbRequest>(group, "terminate", "admin", (runs, call) => runs.TerminateAsync(call));
        return group;
    }

    internal interface IReasoned
    {
        string Reason { get; }
    }

    internal sealed record RunVerbRequest(string Reason) : IReasoned;

    internal sealed record ConfirmRunRequest(string Reason, long? Amount = null) : IReasoned;

    internal sealed record ExtendRunRequest(string Reason, int Seconds) : IReasoned;

    internal sealed record SkipStepRequest(string Reason, string Step) : IReasoned;

    /// <summary>One verb: who, on what, why.</summary>
    internal sealed record Call<TBody>(OperatorIdentity Who, RedemptionId Id, TBody Body, CancellationToken Cancel)
        where TBody : IReasoned;

    private static void Map<TBody>(
        IEndpointRouteBuilder group,
        string verb,
        string role,
        Func<RunOperator, Call<TBody>, Task> act
    )
        where TBody : IReasoned
    {
        var mapped = group
            .MapPost(
                $"/runs/{{id}}/{verb}",
                async (
                    HttpContext http,
                    RedemptionId id,
                    TBody body,
                    RunOperator runs,
                    RunReader reader,
                    CancellationToken cancel
                ) =>
                {
                    CheckReason(body.Reason);
                    await act(runs, new(http.GetOperator(), id, body, cancel));
                    return Answer.Ok(await reader.SummaryAsync(id, cancel));
                }
            )
            .RequireRole(role)
            .Refuses(Faults.OfRunVerbs)
            .Audit($"run.{verb}")
            .WithName($"Run{char.ToUpperInvariant(verb[0])}{verb[1..]}")
            .Produces<RunSummary>();
        if (role == "admin")
        {
            // What an administrator alone may do can not be undone.
            mapped.RequireStepUp();
        }
    }

    internal static void CheckReason(string reason) =>
        new FieldChecks()
            .Require(reason.Length is >= 3 and <= GiftcardLimits.ReasonLength, "/reason", "length")
            .ThrowIfAny();
}

/// <summary>
/// POST /ops/v1/runs/reconcile: looks at once after every run that should have moved; lost ones start again as the next
/// generation. Needs a reason. Refusals: invalid_request.
/// </summary>
internal static class ReconcileRuns
{
    public static IEndpointRouteBuilder MapReconcileRuns(this IEndpointRouteBuilder group)
    {
        group
            .MapPost("/runs/reconcile", HandleAsync)
            .RequireRole("operator")
            .Audit("run.reconcile")
            .WithName(nameof(ReconcileRuns))
            .Produces<ReconcileResult>();
        return group;
    }

    private static async Task<IResult> HandleAsync(
        HttpContext http,
        RunVerbs.RunVerbRequest body,
        RunReconciler runs,
        OperatorActionLog actions,
        CancellationToken cancel
    )
    {
        RunVerbs.CheckReason(body.Reason);
        await actions.RecordAsync(http.GetOperator(), "reconcile", null, body.Reason, new { }, cancel);
        return Answer.Ok(await runs.ReconcileAsync(TimeSpan.Zero, null, cancel));
    }
}
