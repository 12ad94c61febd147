using Dapr.DurableTask.Protobuf;
using Grpc.Core;
using LocalPlus.Engine.Testing;
using LocalPlus.Servers;
using LocalPlus.Sidecar.Workflow;
using LocalPlus.Sidecar.Workflow.Store;

namespace LocalPlus.Engine.Tests;

public sealed class CrashTests(PostgresFixture postgres) : EngineTest(postgres)
{
    private EngineSettings Patient => Settings with { StorePatience = RawWorker.Patience };

    [Fact]
    public async Task An_activity_that_was_out_is_given_again_after_a_crash_and_finished_ones_are_not()
    {
        var worker = Worker();
        await StartAsync(worker, "a", Do.Task(0, "first"));
        await worker.ResultAsync(await worker.ActivityAsync(), "1");
        await worker.TurnAsync();
        await worker.AnswerAsync("a", Do.Task(1, "second"));
        await worker.ActivityAsync();
        await worker.DisposeAsync();
        await RestartAsync();
        await using var second = Worker();
        Assert.Equal("second", (await second.ActivityAsync()).Name);
        Assert.False(second.HasItem);
    }

    [Fact]
    public async Task The_server_may_be_killed_and_runs_go_on_by_themselves()
    {
        await using var server = await PostgresServer.StartAsync(new() { IsDurable = true });
        await using var host = await EngineHost.StartAsync(new PostgresRunStore(server.ConnectionString, App), Patient);
        await using var worker = RawWorker.Connect(
            host.Channel,
            turn =>
            {
                var done = turn.All().Count(one => one.TaskCompleted is not null);
                return new WorkflowResponse
                {
                    InstanceId = turn.InstanceId,
                    Actions = { done < 3 ? Do.Task(done, "act") : Do.Complete(3, "\"end\"") },
                };
            },
            null
        );
        await host.Client.StartInstanceAsync(new CreateInstanceRequest { InstanceId = "a", Name = "wf" });
        var ending = host.Client.WaitForInstanceCompletionAsync(
            new GetInstanceRequest { InstanceId = "a", GetInputsAndOutputs = true }
        );
        var activity = await worker.ActivityAsync();
        await server.KillAsync();
        await worker.ResultAsync(activity, "0");
        var away = await Assert.ThrowsAsync<RpcException>(() =>
            host.Client.GetInstanceAsync(new GetInstanceRequest { InstanceId = "nobody" }).ResponseAsync
        );
        Assert.Equal(StatusCode.Unavailable, away.StatusCode);
        await server.StartAgainAsync();
        while (!ending.ResponseAsync.IsCompleted)
        {
            // The result that came while the server was away may be asked for again.
            var next = worker.ActivityAsync();
            if (await Task.WhenAny(next, ending.ResponseAsync) == next)
            {
                await worker.ResultAsync(await next, "0");
            }
        }

        Assert.Equal("\"end\"", (await ending).WorkflowState.Output);
        Assert.Equal(
            3,
            (
                await host.Client.GetInstanceHistoryAsync(new GetInstanceHistoryRequest { InstanceId = "a" })
            ).Events.Count(one => one.TaskCompleted is not null)
        );
    }

    [Fact]
    public async Task A_start_goes_through_a_restart_of_the_server()
    {
        await using var server = await PostgresServer.StartAsync(new() { IsDurable = true });
        await using var host = await EngineHost.StartAsync(new PostgresRunStore(server.ConnectionString, App), Patient);
        await using var worker = RawWorker.Connect(
            host.Channel,
            turn => new WorkflowResponse { InstanceId = turn.InstanceId, Actions = { Do.Complete(0) } },
            null
        );
        await host.Client.StartInstanceAsync(new CreateInstanceRequest { InstanceId = "a", Name = "wf" });
        await server.KillAsync();
        var starting = host.Client.StartInstanceAsync(new CreateInstanceRequest { InstanceId = "b", Name = "wf" });
        await server.StartAgainAsync();
        await starting.ResponseAsync.WaitAsync(RawWorker.Patience);
        Assert.Equal(
            OrchestrationStatus.Completed,
            (await host.Client.GetInstanceAsync(new GetInstanceRequest { InstanceId = "a" }))
                .WorkflowState
                .WorkflowStatus
        );
    }

    [Fact]
    public async Task Only_one_of_two_engines_drives_and_the_other_takes_over()
    {
        var first = Worker();
        await StartAsync(first, "a", Do.Task(0, "act"));
        await first.ActivityAsync();
        var other = await NewHostAsync();
        await using var second = RawWorker.Connect(other.Channel);
        Assert.False(other.Engine.Drives);
        Assert.Equal(
            OrchestrationStatus.Running,
            (await other.Client.GetInstanceAsync(new GetInstanceRequest { InstanceId = "a" }))
                .WorkflowState
                .WorkflowStatus
        );
        await first.DisposeAsync();
        var activity = await second.ActivityAsync();
        await second.ResultAsync(activity, "1");
        await second.TurnAsync();
        await second.AnswerAsync("a", Do.Complete(1));
        Assert.Equal(OrchestrationStatus.Completed, (await EndAsync("a")).WorkflowStatus);
    }

    [Fact]
    public async Task Calls_to_the_engine_that_does_not_drive_reach_the_one_that_does()
    {
        await using var worker = Worker();
        await StartAsync(worker, "warm", Do.Complete(0));
        var other = await NewHostAsync();
        await using var idle = RawWorker.Connect(other.Channel);
        var starting = other.Client.StartInstanceAsync(
            new CreateInstanceRequest
            {
                InstanceId = "a",
                Name = "wf",
                Input = "5",
            }
        );
        Assert.Equal("5", (await worker.TurnAsync()).NewEvents[1].ExecutionStarted.Input);
        await worker.AnswerAsync("a");
        await starting.ResponseAsync.WaitAsync(RawWorker.Patience);
        await other.Client.RaiseEventAsync(
            new RaiseEventRequest
            {
                InstanceId = "a",
                Name = "go",
                Input = "7",
            }
        );
        Assert.Equal("7", (await worker.TurnAsync()).NewEvents[1].EventRaised.Input);
        await worker.AnswerAsync("a");
        var ending = other.Client.TerminateInstanceAsync(new TerminateRequest { InstanceId = "a" });
        await worker.TurnAsync();
        await worker.AnswerAsync("a");
        await ending.ResponseAsync.WaitAsync(RawWorker.Patience);
        var taken = await Assert.ThrowsAsync<RpcException>(() =>
            other.Client.RaiseEventAsync(new RaiseEventRequest { InstanceId = "nobody", Name = "go" }).ResponseAsync
        );
        Assert.Equal("no such instance exists", taken.Status.Detail);
        var again = other.Client.StartInstanceAsync(
            new CreateInstanceRequest
            {
                InstanceId = "a",
                Name = "wf",
                Input = "6",
            }
        );
        Assert.Equal("6", (await worker.TurnAsync()).NewEvents[1].ExecutionStarted.Input);
        await worker.AnswerAsync("a", Do.Complete(0));
        await again.ResponseAsync.WaitAsync(RawWorker.Patience);
    }

    [Fact]
    public async Task Idle_runs_leave_memory_and_come_back_when_called()
    {
        var count = WorkflowLimits.IdleRuns + 200;
        await using var worker = RawWorker.Connect(
            Host.Channel,
            turn => new WorkflowResponse
            {
                InstanceId = turn.InstanceId,
                Actions =
                {
                    turn.All().Any(one => one.EventRaised is not null) ? [Do.Complete(0)] : (WorkflowAction[])[],
                },
            },
            null
        );
        await Parallel.ForEachAsync(
            Enumerable.Range(0, count),
            new ParallelOptions { MaxDegreeOfParallelism = 64 },
            async (i, cancel) =>
                await Client.StartInstanceAsync(
                    new CreateInstanceRequest { InstanceId = $"r{i}", Name = "wf" },
                    cancellationToken: cancel
                )
        );
        await RaiseAsync("r0", "go");
        Assert.Equal(OrchestrationStatus.Completed, (await EndAsync("r0")).WorkflowStatus);
        Assert.Equal(OrchestrationStatus.Running, (await GetAsync("r1")).WorkflowStatus);
    }

    [Fact]
    public async Task Without_an_actor_store_every_call_says_so()
    {
        await using var host = await EngineHost.StartAsync(null, Settings);
        var calls = new Func<Task>[]
        {
            () =>
                host
                    .Client.StartInstanceAsync(new CreateInstanceRequest { InstanceId = "a", Name = "wf" })
                    .ResponseAsync,
            () => host.Client.GetInstanceAsync(new GetInstanceRequest { InstanceId = "a" }).ResponseAsync,
            () => host.Client.GetInstanceHistoryAsync(new GetInstanceHistoryRequest { InstanceId = "a" }).ResponseAsync,
            () =>
                host
                    .Client.PurgeInstancesAsync(
                        new PurgeInstancesRequest
                        {
                            InstanceId = "a",
                            Force = true,
                            Recursive = true,
                        }
                    )
                    .ResponseAsync,
        };
        foreach (var call in calls)
        {
            var error = await Assert.ThrowsAsync<RpcException>(call);
            Assert.Equal(StatusCode.Internal, error.StatusCode);
            Assert.Contains(
                "the state store is not configured to use the actor runtime",
                error.Status.Detail,
                StringComparison.Ordinal
            );
        }
    }
}
