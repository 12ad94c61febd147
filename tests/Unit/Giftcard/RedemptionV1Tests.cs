using Dapr.Workflow;
using LocalPlus.Workflows;
using NSubstitute;

namespace LocalPlus.Tests.Unit.Giftcard;

public sealed class RedemptionV1Tests
{
    private static readonly RedemptionRun Run = new("rdm_01", 1);
    private readonly WorkflowContext context = Substitute.For<WorkflowContext>();
    private readonly List<(string Step, int Round)> calls = [];

    [Fact]
    public async Task An_immediate_redemption_is_one_activity()
    {
        Answers(new RedemptionProgress("completed", RedemptionNext.Finish));
        Assert.Equal(new RedemptionOutcome("completed"), await new RedemptionV1().RunAsync(context, Run));
        Assert.Equal([(RedemptionSteps.Advance, 0)], calls);
    }

    [Fact]
    public async Task A_two_phase_redemption_that_is_confirmed_in_time_is_two()
    {
        Answers(new("held", RedemptionNext.Wait, 30), new("completed", RedemptionNext.Finish));
        Rings(true);
        Assert.Equal(new RedemptionOutcome("completed"), await new RedemptionV1().RunAsync(context, Run));
        Assert.Equal([(RedemptionSteps.Advance, 0), (RedemptionSteps.Advance, 1)], calls);
        await context.Received(1).WaitForExternalEventAsync<object?>(RedemptionV1.Doorbell, TimeSpan.FromSeconds(30));
        context.Received(1).SetCustomStatus("held");
    }

    [Theory]
    [InlineData("completed")]
    [InlineData("cancelled")]
    [InlineData("superseded")]
    public async Task Fault_33_the_last_word_of_a_run_is_how_it_ended(string state)
    {
        Answers(new("held", RedemptionNext.Wait, 30), new(state, RedemptionNext.Finish));
        Rings(true);
        var said = new List<object?>();
        context.When(c => c.SetCustomStatus(Arg.Any<object?>())).Do(call => said.Add(call[0]));
        await new RedemptionV1().RunAsync(context, Run);
        Assert.Equal(["held", state], said);
    }

    [Fact]
    public async Task Nobody_needs_to_ring_the_timer_looks_too()
    {
        Answers(
            new("held", RedemptionNext.Wait, 30),
            new("held", RedemptionNext.Wait, 120),
            new("expired", RedemptionNext.Finish)
        );
        Rings(false);
        Assert.Equal(new RedemptionOutcome("expired"), await new RedemptionV1().RunAsync(context, Run));
    }

    [Fact]
    public async Task A_decision_that_was_not_carried_out_is_settled_by_the_run()
    {
        Answers(new("confirming", RedemptionNext.Settle), new("completed", RedemptionNext.Finish));
        await new RedemptionV1().RunAsync(context, Run);
        Assert.Equal([(RedemptionSteps.Advance, 0), (RedemptionSteps.Settle, 1)], calls);
    }

    [Fact]
    public async Task A_step_that_fails_is_tried_again_after_a_pause_that_grows()
    {
        Answers(
            new("confirming", RedemptionNext.Settle),
            null,
            new("confirming", RedemptionNext.Settle),
            null,
            null,
            new("completed", RedemptionNext.Finish)
        );
        Rings(false);
        await new RedemptionV1().RunAsync(context, Run);
        Assert.Equal(
            [TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(10)],
            context
                .ReceivedCalls()
                .Where(c => c.GetMethodInfo().Name == nameof(context.WaitForExternalEventAsync))
                .Select(c => (TimeSpan)c.GetArguments()[1]!)
        );
    }

    [Fact]
    public async Task A_run_that_never_ends_gives_up_and_keeps_its_history_short()
    {
        context
            .CallActivityAsync<RedemptionProgress>(default!, default, default)
            .ReturnsForAnyArgs(new RedemptionProgress("held", RedemptionNext.Wait, 1));
        Rings(true);
        Assert.Equal(new RedemptionOutcome(RedemptionV1.GaveUp), await new RedemptionV1().RunAsync(context, Run));
        await context
            .ReceivedWithAnyArgs(RedemptionV1.MaxRounds)
            .CallActivityAsync<RedemptionProgress>(default!, default, default);
    }

    /// <summary>What the activities answer, in order; null fails.</summary>
    private void Answers(params RedemptionProgress?[] answers)
    {
        var next = 0;
        context
            .CallActivityAsync<RedemptionProgress>(default!, default, default)
            .ReturnsForAnyArgs(call =>
            {
                var step = Assert.IsType<RedemptionStep>(call.ArgAt<object>(1));
                calls.Add((call.ArgAt<string>(0), step.Round));
                return answers[next++] is { } progress
                    ? Task.FromResult(progress)
                    : throw new WorkflowTaskFailedException(
                        "Task failed",
                        new WorkflowTaskFailureDetails("Silence", "no answer")
                    );
            });
    }

    private void Rings(bool inTime) =>
        context
            .WaitForExternalEventAsync<object?>(default!, default(TimeSpan))
            .ReturnsForAnyArgs(_ => inTime ? Task.FromResult<object?>(null) : throw new TaskCanceledException());
}
