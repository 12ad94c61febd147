using LocalPlus.Giftcard.RunBulks;
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
    private static readonly Verb Retry = new("retry", "operator", (runs, call) => runs.RetryAsync(call));
    private static readonly Verb Suspend = new("suspend", "operator", (runs, call) => runs.SuspendAsync(call));
    private static readonly Verb Resume = new("resume", "operator", (runs, call) => runs.ResumeAsync(call));
    private static readonly Verb Reconcile = new("reconcile", "operator", (runs, call) => runs.ReconcileAsync(call));
    private static readonly Verb Release = new("release", "admin", (runs, call) => runs.ReleaseAsync(call));
    private static readonly Verb Terminate = new("terminate", "admin", (runs, call) => runs.TerminateAsync(call));

    /// <summary>What can be done to many runs at once (<see cref="RunBulks.RunBulkTask"/>).</summary>
    public static readonly IReadOnlyList<Verb> OfBulks = [Retry, Reconcile, Suspend, Resume, Release, Terminate];

    public static IEndpointRouteBuilder MapRunVerbs(this IEndpointRouteBuilder group)
    {
        Map<ConfirmRunRequest>(group, "confirm", "operator", (runs, call) => runs.ConfirmAsync(call));
        Map<RunVerbRequest>(group, "cancel", "operator", (runs, call) => runs.CancelAsync(call));
        Map(group, Retry);
        Map<ExtendRunRequest>(group, "extend", "operator", (runs, call) => runs.ExtendAsync(call));
        Map(group, Suspend);
        Map(group, Resume);
        Map(group, Reconcile);
        Map<SkipStepRequest>(group, "skip", "admin", (runs, call) => runs.SkipAsync(call));
        Map(group, Release);
        Map(group, Terminate);
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
        where TBody : IReasoned
    {
        /// <summary>What it is part of; null: it is done by itself.</summary>
        public RunBulkId? Bulk { get; init; }

        /// <summary>
        /// Its bulk has written it down before, and whoever did it died: nothing is written again, and what follows
        /// the writing is done once more.
        /// </summary>
        public bool IsRepeat { get; init; }
    }

    /// <summary>A verb that needs nothing but a reason.</summary>
    /// <param name="Role">The least that may; what an administrator alone may do wants a fresh sign-in.</param>
    internal sealed record Verb(string Name, string Role, Func<RunOperator, Call<RunVerbRequest>, Task> Act);

    /// <summary>As the single verb has it: the role, and who has to be there.</summary>
    internal static RouteHandlerBuilder RequireWhoMay(this RouteHandlerBuilder mapped, string role)
    {
        mapped.RequireRole(role);
        // What an administrator alone may do can not be undone.
        return role == "admin" ? mapped.RequireStepUp() : mapped;
    }

    private static void Map(IEndpointRouteBuilder group, Verb verb) => Map(group, verb.Name, verb.Role, verb.Act);

    private static void Map<TBody>(
        IEndpointRouteBuilder group,
        string verb,
        string role,
        Func<RunOperator, Call<TBody>, Task> act
    )
        where TBody : IReasoned =>
        group
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
            .RequireWhoMay(role)
            .Refuses(Faults.OfRunVerbs)
            .Audit($"run.{verb}")
            .WithName($"Run{char.ToUpperInvariant(verb[0])}{verb[1..]}")
            .Produces<RunSummary>();

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
