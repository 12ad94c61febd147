using Dapr.DurableTask.Protobuf;
using Grpc.Core;
using LocalPlus.Engine.Testing;
using LocalPlus.Sidecar.Workflow;

namespace LocalPlus.Engine.Tests;

public sealed class StallTests(PostgresFixture postgres) : EngineTest(postgres)
{
    private protected override EngineSettings Settings => base.Settings with { MaxMessageBytes = 100_000 };

    private static WorkflowResponse Patched(string id, string[] patches, params WorkflowAction[] actions) =>
        new()
        {
            InstanceId = id,
            Actions = { actions },
            Version = new WorkflowVersion { Patches = { patches } },
        };

    private async Task StartPatchedAsync(RawWorker worker)
    {
        var starting = Client.StartInstanceAsync(new CreateInstanceRequest { InstanceId = "a", Name = "wf" });
        await worker.TurnAsync();
        await worker.AnswerAsync(Patched("a", ["p1"]));
        await starting;
    }

    private async Task UntilAsync(string id, OrchestrationStatus status)
    {
        while ((await GetAsync(id)).WorkflowStatus != status)
        {
            await Pulse.NextAsync();
        }
    }

    [Fact]
    public async Task Only_new_patches_are_written_down()
    {
        await using var worker = Worker();
        await StartPatchedAsync(worker);
        await RaiseAsync("a", "e");
        await worker.TurnAsync();
        await worker.AnswerAsync(Patched("a", ["p1", "p2"], Do.Complete(0)));
        await EndAsync("a");
        var started = (await HistoryAsync("a")).Where(one => one.WorkflowStarted is not null).ToList();
        Assert.Equal(["p1"], started[0].WorkflowStarted.Version.Patches);
        Assert.Equal(["p2"], started[1].WorkflowStarted.Version.Patches);
    }

    [Fact]
    public async Task A_worker_that_lost_a_patch_stalls_the_run_until_a_better_one_connects()
    {
        await using var worker = Worker();
        await StartPatchedAsync(worker);
        await RaiseAsync("a", "e", "7");
        await worker.TurnAsync();
        await worker.AnswerAsync("a", Do.Complete(0));
        await UntilAsync("a", OrchestrationStatus.Stalled);
        Assert.Equal(StalledReason.PatchMismatch, (await HistoryAsync("a"))[^1].ExecutionStalled.Reason);
        await RefusesAsync(() => RaiseAsync("a", "e"), "failed to invoke method for workflow 'a': actor is stalled");
        await RefusesAsync(
            () => Client.TerminateInstanceAsync(new TerminateRequest { InstanceId = "a" }).ResponseAsync,
            "failed to submit termination request: failed to invoke method for workflow 'a': actor is stalled"
        );
        await RefusesAsync(
            () => Client.PurgeInstancesAsync(new PurgeInstancesRequest { InstanceId = "a" }).ResponseAsync,
            "failed to purge workflow state: failed to invoke method for workflow 'a': actor is stalled"
        );
        await using var better = Worker();
        var turns = new[] { worker.TurnAsync(), better.TurnAsync() };
        var turn = await await Task.WhenAny(turns);
        Assert.Equal("7", turn.NewEvents.Single(one => one.EventRaised is not null).EventRaised.Input);
        await better.AnswerAsync(Patched("a", ["p1"], Do.Complete(0)));
        Assert.Equal(OrchestrationStatus.Completed, (await EndAsync("a")).WorkflowStatus);
    }

    [Fact]
    public async Task A_stalled_run_is_tried_once_more_after_a_restart()
    {
        var worker = Worker();
        await StartPatchedAsync(worker);
        await RaiseAsync("a", "e");
        await worker.TurnAsync();
        await worker.AnswerAsync("a", Do.Complete(0));
        await UntilAsync("a", OrchestrationStatus.Stalled);
        await worker.DisposeAsync();
        await RestartAsync();
        await using var second = Worker();
        await second.TurnAsync();
        await second.AnswerAsync(Patched("a", ["p1"], Do.Complete(0)));
        Assert.Equal(OrchestrationStatus.Completed, (await EndAsync("a")).WorkflowStatus);
    }

    [Fact]
    public async Task A_run_that_stalls_in_its_first_turn_fails_its_start_and_keeps_its_input()
    {
        var worker = Worker();
        var starting = Client.StartInstanceAsync(
            new CreateInstanceRequest
            {
                InstanceId = "a",
                Name = "wf",
                Input = "5",
            }
        );
        await worker.TurnAsync();
        await worker.AnswerAsync("a", new WorkflowAction { WorkflowVersionNotAvailable = new() });
        await RefusesAsync(
            () => starting.ResponseAsync,
            "failed to invoke reminder for workflow 'a': actor is stalled"
        );
        var state = await GetAsync("a");
        Assert.Equal(OrchestrationStatus.Stalled, state.WorkflowStatus);
        Assert.Equal("", state.Name);
        await worker.DisposeAsync();
        await RestartAsync();
        await using var better = Worker();
        Assert.Equal(
            "5",
            (await better.TurnAsync()).NewEvents.Single(one => one.ExecutionStarted is not null).ExecutionStarted.Input
        );
        await better.AnswerAsync("a", Do.Complete(0));
        Assert.Equal(OrchestrationStatus.Completed, (await EndAsync("a")).WorkflowStatus);
    }

    [Fact]
    public async Task A_history_near_the_size_limit_stalls_the_run_and_a_larger_limit_cures_it()
    {
        var worker = Worker();
        await StartAsync(worker, "a");
        await RaiseAsync("a", "big", new string('x', 96_000));
        await UntilAsync("a", OrchestrationStatus.Stalled);
        var mark = (await HistoryAsync("a"))[^1].ExecutionStalled;
        Assert.Equal(StalledReason.PayloadSizeExceeded, mark.Reason);
        Assert.Contains("--max-body-size", mark.Description, StringComparison.Ordinal);
        Assert.False(worker.HasItem);
        await worker.DisposeAsync();
        await RestartAsync(Settings with { MaxMessageBytes = 1_000_000 });
        await using var second = Worker();
        Assert.Equal(
            96_000,
            (await second.TurnAsync()).NewEvents.Single(one => one.EventRaised is not null).EventRaised.Input.Length
        );
    }

    [Fact]
    public async Task An_activity_too_large_for_a_message_is_not_run()
    {
        await using var worker = Worker();
        await StartAsync(worker, "a");
        await RaiseAsync("a", "e");
        await worker.TurnAsync();
        await worker.AnswerAsync("a", Do.Task(0, "big", new string('x', 96_000)));
        await UntilAsync("a", OrchestrationStatus.Stalled);
        Assert.Contains(
            "activity 'big::0'",
            (await HistoryAsync("a"))[^1].ExecutionStalled.Description,
            StringComparison.Ordinal
        );
        Assert.False(worker.HasItem);
    }

    [Fact]
    public async Task An_answer_too_large_for_a_message_stalls_the_run_instead_of_leaving_it_to_wait_for_ever()
    {
        await using var worker = Worker();
        await StartAsync(worker, "a");
        await RaiseAsync("a", "e");
        await worker.TurnAsync();
        await worker.AnswerAsync(
            new WorkflowResponse
            {
                InstanceId = "a",
                CustomStatus = new string('x', 200_000),
                Actions = { Do.Complete(0) },
            }
        );
        await UntilAsync("a", OrchestrationStatus.Stalled);
        Assert.Contains(
            "--max-body-size",
            (await HistoryAsync("a"))[^1].ExecutionStalled.Description,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task A_result_too_large_for_a_message_fails_its_activity()
    {
        await using var worker = Worker();
        await StartAsync(worker, "a", Do.Task(0, "big"));
        await worker.ResultAsync(await worker.ActivityAsync(), new string('x', 200_000));
        var failed = (await worker.TurnAsync()).NewEvents.Single(one => one.TaskFailed is not null).TaskFailed;
        Assert.Equal(("ResultTooLarge", true), (failed.FailureDetails.ErrorType, failed.FailureDetails.IsNonRetriable));
    }

    private static async Task RefusesAsync(Func<Task> call, string text)
    {
        var error = await Assert.ThrowsAsync<RpcException>(call);
        Assert.Equal(StatusCode.Unknown, error.StatusCode);
        Assert.Equal(text, error.Status.Detail);
    }
}
