using Dapr.DurableTask.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using LocalPlus.Engine.Testing;
using LocalPlus.Sidecar.Workflow;

namespace LocalPlus.Engine.Tests;

public sealed class StartTests(PostgresFixture postgres) : EngineTest(postgres)
{
    [Fact]
    public async Task A_start_answers_after_the_first_turn_is_stored()
    {
        await using var worker = Worker();
        var starting = Client.StartInstanceAsync(new CreateInstanceRequest { InstanceId = "a", Name = "wf" });
        await worker.TurnAsync();
        Assert.Equal(OrchestrationStatus.Pending, (await GetAsync("a")).WorkflowStatus);
        Assert.False(starting.ResponseAsync.IsCompleted);
        await worker.AnswerAsync("a");
        await starting;
        await RestartAsync();
        Assert.Equal(OrchestrationStatus.Running, (await GetAsync("a")).WorkflowStatus);
    }

    [Fact]
    public async Task Of_two_starts_of_one_id_one_succeeds()
    {
        await using var worker = Worker();
        var starting = Client.StartInstanceAsync(new CreateInstanceRequest { InstanceId = "a", Name = "wf" });
        await worker.TurnAsync();
        var error = await Assert.ThrowsAsync<RpcException>(() =>
            Client.StartInstanceAsync(new CreateInstanceRequest { InstanceId = "a", Name = "wf" }).ResponseAsync
        );
        Assert.Equal(StatusCode.AlreadyExists, error.StatusCode);
        Assert.EndsWith("an active workflow with ID 'a' already exists", error.Status.Detail, StringComparison.Ordinal);
        await worker.AnswerAsync("a", Do.Complete(0));
        await starting;
    }

    [Fact]
    public async Task The_id_of_a_finished_run_may_be_used_again_and_nothing_is_left_of_the_old_run()
    {
        await using var worker = Worker();
        await StartAsync(worker, "a", Do.Complete(0, "\"first\""));
        await StartAsync(worker, "a");
        Assert.Equal(OrchestrationStatus.Running, (await GetAsync("a")).WorkflowStatus);
        await RestartAsync();
        Assert.Equal("WorkflowStarted ExecutionStarted", (await HistoryAsync("a")).Kinds());
    }

    [Fact]
    public async Task A_finished_parent_cannot_be_started_again_while_its_child_runs()
    {
        await using var worker = Worker();
        await StartAsync(worker, "a", Do.Child(0, "kid", "a-kid"), Do.Complete(1));
        await worker.AnswerAsync((await worker.TurnAsync()).InstanceId);
        await EndAsync("a");
        var error = await Assert.ThrowsAsync<RpcException>(() =>
            Client.StartInstanceAsync(new CreateInstanceRequest { InstanceId = "a", Name = "wf" }).ResponseAsync
        );
        Assert.Equal(StatusCode.AlreadyExists, error.StatusCode);
        Assert.Contains("cannot recreate workflow with ID 'a'", error.Status.Detail, StringComparison.Ordinal);
        Assert.Contains("child workflow 'a-kid'", error.Status.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_start_ahead_answers_at_once_and_begins_in_time_even_after_a_restart()
    {
        var at = DateTimeOffset.UtcNow.AddSeconds(1.5);
        var worker = Worker();
        await Client.StartInstanceAsync(
            new CreateInstanceRequest
            {
                InstanceId = "a",
                Name = "wf",
                ScheduledStartTimestamp = Timestamp.FromDateTimeOffset(at),
            }
        );
        var state = await GetAsync("a");
        Assert.Equal(OrchestrationStatus.Pending, state.WorkflowStatus);
        Assert.Equal("", state.Name);
        await worker.DisposeAsync();
        await RestartAsync();
        await using var second = Worker();
        await second.TurnAsync();
        Assert.InRange(DateTimeOffset.UtcNow - at, TimeSpan.Zero, RawWorker.Patience);
        await second.AnswerAsync("a", Do.Complete(0));
        Assert.Equal("wf", (await EndAsync("a")).Name);
    }

    [Fact]
    public async Task Without_a_worker_a_start_waits_and_nothing_is_stored()
    {
        var starting = Client.StartInstanceAsync(new CreateInstanceRequest { InstanceId = "a", Name = "wf" });
        Assert.False((await Client.GetInstanceAsync(new GetInstanceRequest { InstanceId = "a" })).Exists);
        await using var worker = Worker();
        await worker.TurnAsync();
        await worker.AnswerAsync("a", Do.Complete(0));
        await starting;
    }

    [Fact]
    public async Task A_start_that_was_answered_early_is_not_lost()
    {
        var first = Worker();
        await Host.Engine.StartAsync(new StartCall("a", "wf", "1") { AnswerEarly = true }, CancellationToken.None);
        await first.DisposeAsync();
        await RestartAsync();
        await using var second = Worker();
        var turn = await second.TurnAsync();
        Assert.Equal("1", turn.NewEvents[1].ExecutionStarted.Input);
        await second.AnswerAsync("a", Do.Complete(0));
        Assert.Equal(OrchestrationStatus.Completed, (await EndAsync("a")).WorkflowStatus);
    }

    [Fact]
    public async Task Version_tags_and_execution_id_of_the_request_are_dropped()
    {
        await using var worker = Worker();
        var starting = Client.StartInstanceAsync(
            new CreateInstanceRequest
            {
                InstanceId = "a",
                Name = "wf",
                Version = "v9",
                ExecutionId = "mine",
                Tags = { ["tenant"] = "t" },
            }
        );
        var started = (await worker.TurnAsync()).NewEvents[1].ExecutionStarted;
        Assert.Null(started.Version);
        Assert.Empty(started.Tags);
        Assert.True(Guid.TryParse(started.WorkflowInstance.ExecutionId, out _));
        await worker.AnswerAsync("a", Do.Complete(0));
        await starting;
    }

    [Fact]
    public async Task Ids_may_hold_anything_but_the_character_zero()
    {
        await using var worker = Worker();
        await StartAsync(worker, "a||b@c:d 'e\" ü", Do.Complete(0));
        var error = await Assert.ThrowsAsync<RpcException>(() =>
            Client.StartInstanceAsync(new CreateInstanceRequest { InstanceId = "a\0b", Name = "wf" }).ResponseAsync
        );
        Assert.Equal(StatusCode.InvalidArgument, error.StatusCode);
    }

    [Fact]
    public async Task Payloads_may_hold_any_character()
    {
        await using var worker = Worker();
        var starting = Client.StartInstanceAsync(
            new CreateInstanceRequest
            {
                InstanceId = "a",
                Name = "w\0f",
                Input = "\0\ud83d\ude00",
            }
        );
        Assert.Equal("\0\ud83d\ude00", (await worker.TurnAsync()).NewEvents[1].ExecutionStarted.Input);
        await worker.AnswerAsync(
            new WorkflowResponse
            {
                InstanceId = "a",
                CustomStatus = "\0",
                Actions = { Do.Complete(0, "\0") },
            }
        );
        await starting;
        await RestartAsync();
        var state = await GetAsync("a");
        Assert.Equal("\0", state.Output);
        Assert.Equal("\0", state.CustomStatus);
    }
}
