using Dapr.DurableTask.Protobuf;
using Grpc.Core;
using LocalPlus.Engine.Testing;

namespace LocalPlus.Engine.Tests;

public sealed class EventTests(PostgresFixture postgres) : EngineTest(postgres)
{
    [Fact]
    public async Task An_acknowledged_event_is_not_lost()
    {
        var worker = Worker();
        await StartAsync(worker, "a");
        await RaiseAsync("a", "go", "7");
        await worker.DisposeAsync();
        await RestartAsync();
        await using var second = Worker();
        var turn = await second.TurnAsync();
        Assert.Equal("7", turn.NewEvents[1].EventRaised.Input);
        await second.AnswerAsync("a", Do.Complete(0));
        Assert.Equal(OrchestrationStatus.Completed, (await EndAsync("a")).WorkflowStatus);
    }

    [Fact]
    public async Task Events_that_come_while_a_turn_is_out_wait_as_their_callers_do_and_keep_their_order()
    {
        await using var worker = Worker();
        var starting = Client.StartInstanceAsync(new CreateInstanceRequest { InstanceId = "a", Name = "wf" });
        await worker.TurnAsync();
        var calls = new List<Task>();
        for (var i = 0; i < 5; i++)
        {
            calls.Add(RaiseAsync("a", "e", $"{i}"));
            await GetAsync("a");
        }

        Assert.DoesNotContain(calls, call => call.IsCompleted);
        await worker.AnswerAsync("a");
        await starting;
        // One that comes only now waits for the end of the next turn, which is not this one's to wait for.
        var inputs = new List<string>();
        while (inputs.Count < calls.Count)
        {
            var turn = await worker.TurnAsync();
            inputs.AddRange(
                turn.NewEvents.Where(one => one.EventRaised is not null).Select(one => one.EventRaised.Input)
            );
            await worker.AnswerAsync("a");
        }

        await Task.WhenAll(calls);
        Assert.Equal(["0", "1", "2", "3", "4"], inputs);
    }

    [Fact]
    public async Task Many_callers_at_once_lose_nothing()
    {
        var seen = new HashSet<string>();
        await using var worker = RawWorker.Connect(
            Host.Channel,
            turn =>
            {
                lock (seen)
                {
                    seen.UnionWith(
                        turn.NewEvents.Where(one => one.EventRaised is not null).Select(one => one.EventRaised.Input)
                    );
                    return new WorkflowResponse
                    {
                        InstanceId = "a",
                        Actions = { seen.Count == 300 ? [Do.Complete(0)] : (WorkflowAction[])[] },
                    };
                }
            },
            null
        );
        await Client.StartInstanceAsync(new CreateInstanceRequest { InstanceId = "a", Name = "wf" });
        await Task.WhenAll(Enumerable.Range(0, 300).Select(i => RaiseAsync("a", "e", $"{i}")));
        Assert.Equal(OrchestrationStatus.Completed, (await EndAsync("a")).WorkflowStatus);
        Assert.Equal(300, (await HistoryAsync("a")).Count(one => one.EventRaised is not null));
    }

    [Fact]
    public async Task A_suspended_run_gets_its_events_and_its_actions_are_carried_out()
    {
        await using var worker = Worker();
        await StartAsync(worker, "a");
        var suspending = Client.SuspendInstanceAsync(new SuspendRequest { InstanceId = "a", Reason = "look" });
        var turn = await worker.TurnAsync();
        Assert.Equal("look", turn.NewEvents[1].ExecutionSuspended.Input);
        await worker.AnswerAsync("a");
        await suspending;
        Assert.Equal(OrchestrationStatus.Suspended, (await GetAsync("a")).WorkflowStatus);
        await RaiseAsync("a", "e");
        await worker.TurnAsync();
        await worker.AnswerAsync("a", Do.Task(0, "act"));
        await worker.ActivityAsync();
        var resuming = Client.ResumeInstanceAsync(new ResumeRequest { InstanceId = "a" });
        await worker.TurnAsync();
        await worker.AnswerAsync("a");
        await resuming;
        Assert.Equal(OrchestrationStatus.Running, (await GetAsync("a")).WorkflowStatus);
    }

    [Fact]
    public async Task Steering_without_a_worker_fails_after_a_while_and_reading_works()
    {
        var worker = Worker();
        await StartAsync(worker, "a");
        await worker.DisposeAsync();
        await RestartAsync();
        var error = await Assert.ThrowsAsync<RpcException>(() => RaiseAsync("a", "e"));
        Assert.Equal(StatusCode.FailedPrecondition, error.StatusCode);
        Assert.Contains(
            $"did not find address for actor 'dapr.internal.default.{App}.workflow/a'",
            error.Status.Detail,
            StringComparison.Ordinal
        );
        Assert.Equal(OrchestrationStatus.Running, (await GetAsync("a")).WorkflowStatus);
    }

    [Fact]
    public async Task A_caller_that_gives_up_before_the_turn_ends_has_raised_nothing()
    {
        await using var worker = Worker();
        var starting = Client.StartInstanceAsync(new CreateInstanceRequest { InstanceId = "a", Name = "wf" });
        await worker.TurnAsync();
        using var impatience = new CancellationTokenSource(TimeSpan.FromMilliseconds(200));
        await Assert.ThrowsAsync<RpcException>(() =>
            Client
                .RaiseEventAsync(
                    new RaiseEventRequest { InstanceId = "a", Name = "e" },
                    cancellationToken: impatience.Token
                )
                .ResponseAsync
        );
        await RaiseUntilWithdrawnAsync();
        await worker.AnswerAsync("a");
        await starting;
        Assert.Equal(2, (await HistoryAsync("a")).Count);
        Assert.False(worker.HasItem);
    }

    // The cancelled call reaches the engine a moment later; a call after it tells that it did.
    private async Task RaiseUntilWithdrawnAsync() => await GetAsync("a");

    [Fact]
    public async Task Terminate_wins_over_whatever_the_worker_answers()
    {
        await using var worker = Worker();
        await StartAsync(worker, "a", Do.Task(0, "act"));
        await worker.ActivityAsync();
        var ending = Client.TerminateInstanceAsync(new TerminateRequest { InstanceId = "a", Output = "\"why\"" });
        var turn = await worker.TurnAsync();
        Assert.Equal("WorkflowStarted ExecutionTerminated", turn.NewEvents.Kinds());
        await worker.AnswerAsync("a", Do.Again(1, "x"));
        await ending;
        var state = await GetAsync("a");
        Assert.Equal(OrchestrationStatus.Terminated, state.WorkflowStatus);
        Assert.Equal("\"why\"", state.Output);
    }

    [Fact]
    public async Task A_recursive_terminate_ends_all_below()
    {
        await using var worker = RawWorker.Connect(
            Host.Channel,
            turn => new WorkflowResponse
            {
                InstanceId = turn.InstanceId,
                Actions =
                {
                    turn.PastEvents.Count == 0 && turn.InstanceId.Length < 5
                        ? [Do.Child(0, "kid", turn.InstanceId + "+")]
                        : (WorkflowAction[])[],
                },
            },
            null
        );
        await Client.StartInstanceAsync(new CreateInstanceRequest { InstanceId = "a", Name = "wf" });
        await Client.WaitForInstanceStartAsync(new GetInstanceRequest { InstanceId = "a" });
        await UntilExistsAsync("a++++");
        await Client.TerminateInstanceAsync(new TerminateRequest { InstanceId = "a", Recursive = true });
        foreach (var id in (string[])["a", "a+", "a++", "a+++", "a++++"])
        {
            Assert.Equal(OrchestrationStatus.Terminated, (await EndAsync(id)).WorkflowStatus);
        }
    }

    private async Task UntilExistsAsync(string id)
    {
        while (!(await Client.GetInstanceAsync(new GetInstanceRequest { InstanceId = id })).Exists)
        {
            await Pulse.NextAsync();
        }
    }
}
