using Dapr.Workflow;

namespace LocalPlus.Workflows;

/// <summary>
/// The run that stands behind every redemption, version 1. Money is decided in SQL before the engine is asked, so the
/// run owns only what takes time: waiting for the till, the expiry of the hold, and carrying on where a process died.
/// An event is a doorbell: every wake-up re-reads SQL, and a lost one costs a poll, not money. An immediate redemption
/// is one activity, a two-phase one that its till confirms in time is two. A change of steps, order or retries is a new
/// class beside this one: runs of this version may be waiting anywhere.
/// </summary>
public sealed class RedemptionV1 : Workflow<RedemptionRun, RedemptionOutcome>
{
    /// <summary>The event that wakes a waiting run. Its payload is ignored.</summary>
    public const string Doorbell = "doorbell";

    /// <summary>
    /// A run gives up after so many activities and keeps its history short; the reconciler starts the next generation
    /// if the redemption still needs one.
    /// </summary>
    public const int MaxRounds = 200;

    /// <summary>The state a run ends with that gave up.</summary>
    public const string GaveUp = "gave_up";

    private const int LongestPauseSeconds = 3600;

    // Short hiccups are the engine's; what lasts longer becomes a pause that an operator's doorbell can cut short.
    private static readonly WorkflowTaskOptions Hiccups = new(
        new WorkflowRetryPolicy(
            maxNumberOfAttempts: 3,
            firstRetryInterval: TimeSpan.FromSeconds(1),
            backoffCoefficient: 2
        )
    );

    public override async Task<RedemptionOutcome> RunAsync(WorkflowContext context, RedemptionRun input)
    {
        var step = RedemptionSteps.Advance;
        var failures = 0;
        for (var round = 0; round < MaxRounds; round++)
        {
            var progress = await CallAsync(context, step, new(input.RedemptionId, input.Generation, round));
            failures = progress is null ? failures + 1 : 0;
            if (progress?.Next == RedemptionNext.Finish)
            {
                return End(context, progress.State);
            }

            if (progress?.Next == RedemptionNext.Settle)
            {
                step = RedemptionSteps.Settle;
                continue;
            }

            context.SetCustomStatus(progress?.State ?? "retrying");
            await DoorbellOrTimerAsync(context, progress?.AfterSeconds ?? PauseSeconds(failures));
            step = RedemptionSteps.Advance;
        }

        return End(context, GaveUp);
    }

    /// <summary>The last word: who lists runs sees how it ended, not what it waited for last.</summary>
    private static RedemptionOutcome End(WorkflowContext context, string state)
    {
        context.SetCustomStatus(state);
        return new(state);
    }

    private static async Task<RedemptionProgress?> CallAsync(WorkflowContext context, string step, RedemptionStep input)
    {
        try
        {
            return await context.CallActivityAsync<RedemptionProgress>(step, input, Hiccups);
        }
        catch (WorkflowTaskFailedException)
        {
            // The activity has counted the failure in SQL, where operators see it; forward is the only way.
            return null;
        }
    }

    private static async Task DoorbellOrTimerAsync(WorkflowContext context, int seconds)
    {
        try
        {
            await context.WaitForExternalEventAsync<object?>(Doorbell, TimeSpan.FromSeconds(Math.Max(1, seconds)));
        }
        catch (TaskCanceledException)
        {
            // Nobody rang: the next round looks by itself.
        }
    }

    // 5 s, 10 s, 20 s … one hour.
    private static int PauseSeconds(int failures) =>
        (int)Math.Min(LongestPauseSeconds, 5L << Math.Min(failures - 1, 20));
}
