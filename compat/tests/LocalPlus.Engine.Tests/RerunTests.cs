using Dapr.DurableTask.Protobuf;
using Grpc.Core;
using LocalPlus.Engine.Testing;

namespace LocalPlus.Engine.Tests;

public sealed class RerunTests(PostgresFixture postgres) : EngineTest(postgres)
{
    private readonly List<string> _inputs = [];

    private RawWorker Chain() =>
        RawWorker.Connect(
            Host.Channel,
            turn =>
            {
                var done = turn.All().Count(one => one.TaskCompleted is not null);
                return new WorkflowResponse
                {
                    InstanceId = turn.InstanceId,
                    Actions = { done < 5 ? Do.Task(done, "act", $"{done}") : Do.Complete(5, "\"end\"") },
                };
            },
            activity =>
            {
                lock (_inputs)
                {
                    _inputs.Add(activity.Input);
                }

                return new ActivityResponse
                {
                    InstanceId = activity.WorkflowInstance.InstanceId,
                    TaskId = activity.TaskId,
                    Result = activity.Input,
                };
            }
        );

    private async Task<string> RerunAsync(RerunWorkflowFromEventRequest request) =>
        (await Client.RerunWorkflowFromEventAsync(request)).NewInstanceID;

    [Fact]
    public async Task From_the_third_of_five_activities_three_run_again_and_the_source_stays()
    {
        await using var worker = Chain();
        await Client.StartInstanceAsync(new CreateInstanceRequest { InstanceId = "a", Name = "wf" });
        await EndAsync("a");
        var before = await HistoryAsync("a");
        _inputs.Clear();
        var id = await RerunAsync(
            new RerunWorkflowFromEventRequest
            {
                SourceInstanceID = "a",
                EventID = 2,
                Input = "\"new\"",
                OverwriteInput = true,
            }
        );
        Assert.Equal("\"end\"", (await EndAsync(id)).Output);
        Assert.Equal(["\"new\"", "3", "4"], _inputs);
        Assert.Equal(before, await HistoryAsync("a"));
        var history = await HistoryAsync(id);
        Assert.Equal(
            "a",
            history
                .Single(one => one.TaskScheduled is not null && one.EventId == 2)
                .TaskScheduled.RerunParentInstanceInfo.InstanceID
        );
        Assert.Equal(5, history.Count(one => one.TaskCompleted is not null));
    }

    [Fact]
    public async Task A_child_is_run_again_under_an_id_of_the_new_run()
    {
        await using var worker = RawWorker.Connect(
            Host.Channel,
            turn => new WorkflowResponse
            {
                InstanceId = turn.InstanceId,
                Actions =
                {
                    turn.InstanceId.Contains(':', StringComparison.Ordinal) ? [Do.Complete(0, "1")]
                    : turn.All().Any(one => one.ChildWorkflowInstanceCompleted is not null) ? [Do.Complete(1)]
                    : turn.All().Any(one => one.ChildWorkflowInstanceCreated is not null) ? []
                    : [Do.Child(0, "kid")],
                },
            },
            null
        );
        await Client.StartInstanceAsync(new CreateInstanceRequest { InstanceId = "a", Name = "wf" });
        await EndAsync("a");
        var id = await RerunAsync(
            new RerunWorkflowFromEventRequest
            {
                SourceInstanceID = "a",
                EventID = 0,
                NewInstanceID = "b",
            }
        );
        Assert.Equal("b", id);
        Assert.Equal(OrchestrationStatus.Completed, (await EndAsync("b")).WorkflowStatus);
        Assert.Equal(OrchestrationStatus.Completed, (await EndAsync("b:0000")).WorkflowStatus);
    }

    [Theory]
    [InlineData("nobody", 0u, "x", StatusCode.NotFound, "workflow instance does not exist with ID 'nobody'")]
    [InlineData("a", 77u, "x", StatusCode.NotFound, "does not have history event with ID '77'")]
    [InlineData("a", 5u, "x", StatusCode.NotFound, "is not an event that can be rerun")]
    [InlineData(
        "a",
        0u,
        "a",
        StatusCode.InvalidArgument,
        "rerun workflow instance ID must be different from the original instance ID"
    )]
    [InlineData("a", 0u, "taken", StatusCode.AlreadyExists, "workflow 'taken' has already been created")]
    [InlineData("open", 0u, "x", StatusCode.InvalidArgument, "'open' is not in a terminal state")]
    public async Task What_cannot_be_run_again_is_refused(
        string source,
        uint eventId,
        string target,
        StatusCode code,
        string text
    )
    {
        await using (var chain = Chain())
        {
            foreach (var id in (string[])["a", "taken"])
            {
                await Client.StartInstanceAsync(new CreateInstanceRequest { InstanceId = id, Name = "wf" });
                await EndAsync(id);
            }
        }

        await using var worker = Worker();
        await StartAsync(worker, "open");
        var error = await Assert.ThrowsAsync<RpcException>(() =>
            RerunAsync(
                new RerunWorkflowFromEventRequest
                {
                    SourceInstanceID = source,
                    EventID = eventId,
                    NewInstanceID = target,
                }
            )
        );
        Assert.Equal(code, error.StatusCode);
        Assert.Contains(text, error.Status.Detail, StringComparison.Ordinal);
    }
}
