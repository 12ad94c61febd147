using Dapr.Workflow;
using LocalPlus.Workflows;
using NSubstitute;

namespace LocalPlus.Tests.Unit.Giftcard;

public sealed class ImmediateRedemptionV1Tests
{
    private readonly WorkflowContext context = Substitute.For<WorkflowContext>();

    [Fact]
    public void What_was_decided_at_once_is_one_turn_that_calls_one_activity()
    {
        // The activity never answers: nobody waits for it.
        _ = context
            .CallActivityAsync<RedemptionProgress>(
                Arg.Any<string>(),
                Arg.Any<object?>(),
                Arg.Any<WorkflowTaskOptions?>()
            )
            .Returns(new TaskCompletionSource<RedemptionProgress>().Task);

        var run = new ImmediateRedemptionV1().RunAsync(context, new RedemptionRun("rdm_01", 2));

        Assert.True(run.IsCompletedSuccessfully);
        _ = context
            .Received(1)
            .CallActivityAsync<RedemptionProgress>(RedemptionSteps.Advance, new RedemptionStep("rdm_01", 2, 0), null);
        context.Received(1).SetCustomStatus(ImmediateRedemptionV1.Completed);
    }
}
