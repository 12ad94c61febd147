using Dapr.Workflow;

namespace LocalPlus.Workflows;

/// <summary>
/// The run behind a redemption that was decided at once, version 1: the money has moved before the engine is asked, so
/// all that is left is to close the run in SQL. That is one activity, called in the one turn that the run has: its
/// result decides nothing, so nobody waits for it. The engine delivers the activity until it is answered; should it
/// fail, SQL knows that the run is open, and the reconciler starts the next generation.
/// </summary>
public sealed class ImmediateRedemptionV1 : Workflow<RedemptionRun, RedemptionOutcome>
{
    /// <summary>The state that every such redemption was in when its run began.</summary>
    public const string Completed = "completed";

    public override Task<RedemptionOutcome> RunAsync(WorkflowContext context, RedemptionRun input)
    {
        _ = context.CallActivityAsync<RedemptionProgress>(
            RedemptionSteps.Advance,
            new RedemptionStep(input.RedemptionId, input.Generation, Round: 0)
        );
        context.SetCustomStatus(Completed);
        return Task.FromResult(new RedemptionOutcome(Completed));
    }
}
