using Dapr.DurableTask.Protobuf;
using LocalPlus.Engine.Testing;

namespace LocalPlus.Engine.Tests;

public sealed class TurnTests(PostgresFixture postgres) : EngineTest(postgres)
{
    [Fact]
    public async Task Activities_scheduled_with_the_completion_still_run()
    {
        await using var worker = Worker();
        await StartAsync(worker, "a", Do.Task(0, "last"), Do.Complete(1));
        await EndAsync("a");
        Assert.Equal("last", (await worker.ActivityAsync()).Name);
    }

    [Fact]
    public async Task An_activity_left_over_by_a_finished_run_is_given_again_after_a_crash_until_it_is_done()
    {
        var first = Worker();
        await StartAsync(first, "a", Do.Task(0, "last"), Do.Complete(1));
        await first.ActivityAsync();
        await first.DisposeAsync();
        await RestartAsync();
        var second = Worker();
        await second.ResultAsync(await second.ActivityAsync(), "1");
        await second.DisposeAsync();
        await RestartAsync();
        await using var third = Worker();
        await StartAsync(third, "b", Do.Complete(0));
        Assert.False(third.HasItem);
        Assert.Equal(OrchestrationStatus.Completed, (await GetAsync("a")).WorkflowStatus);
    }

    [Fact]
    public async Task The_custom_status_is_that_of_the_last_answer()
    {
        await using var worker = Worker();
        var starting = Client.StartInstanceAsync(new CreateInstanceRequest { InstanceId = "a", Name = "wf" });
        await worker.TurnAsync();
        await worker.AnswerAsync(new WorkflowResponse { InstanceId = "a", CustomStatus = "one" });
        await starting;
        Assert.Equal("one", (await GetAsync("a")).CustomStatus);
        await RaiseAsync("a", "e");
        await worker.TurnAsync();
        await worker.AnswerAsync("a", Do.Complete(0));
        Assert.Null((await EndAsync("a")).CustomStatus);
    }

    [Fact]
    public async Task Continue_as_new_drops_other_actions_and_carries_events()
    {
        await using var worker = Worker();
        var starting = Client.StartInstanceAsync(new CreateInstanceRequest { InstanceId = "a", Name = "wf" });
        var first = await worker.TurnAsync();
        await worker.AnswerAsync(
            "a",
            Do.Task(0, "never"),
            Do.Timer(1, DateTimeOffset.UtcNow),
            Do.Again(2, "\"2\"", Do.Raised("kept", "7"))
        );
        var second = await worker.TurnAsync();
        Assert.Empty(second.PastEvents);
        Assert.Equal("WorkflowStarted ExecutionStarted EventRaised", second.NewEvents.Kinds());
        Assert.Equal("\"2\"", second.NewEvents[1].ExecutionStarted.Input);
        Assert.NotEqual(
            first.NewEvents[1].ExecutionStarted.WorkflowInstance.ExecutionId,
            second.NewEvents[1].ExecutionStarted.WorkflowInstance.ExecutionId
        );
        await worker.AnswerAsync("a");
        await starting;
        await RestartAsync();
        Assert.Equal("WorkflowStarted ExecutionStarted EventRaised", (await HistoryAsync("a")).Kinds());
    }

    [Fact]
    public async Task Many_generations_in_a_row_lose_no_event()
    {
        var generation = 0;
        await using var worker = RawWorker.Connect(Host.Channel, Turn, null);
        await Client.StartInstanceAsync(new CreateInstanceRequest { InstanceId = "a", Name = "wf" });
        for (var i = 0; i < 50; i++)
        {
            await RaiseAsync("a", "e", $"{i}");
        }

        var state = await EndAsync("a");
        Assert.Equal(string.Join(",", Enumerable.Range(0, 50)), state.Output);
        Assert.True(generation > 45);

        // One event a generation, the others are carried; what was seen travels in the input.
        WorkflowResponse Turn(WorkflowRequest turn)
        {
            var start = turn.All().First(one => one.ExecutionStarted is not null).ExecutionStarted;
            var events = turn.All().Where(one => one.EventRaised is not null).ToList();
            if (start.Input?.Split(',').Length == 50)
            {
                return new WorkflowResponse { InstanceId = "a", Actions = { Do.Complete(0, start.Input) } };
            }

            if (events.Count == 0)
            {
                return new WorkflowResponse { InstanceId = "a" };
            }

            generation++;
            var seen = string.IsNullOrEmpty(start.Input)
                ? events[0].EventRaised.Input
                : start.Input + "," + events[0].EventRaised.Input;
            return new WorkflowResponse { InstanceId = "a", Actions = { Do.Again(0, seen, [.. events[1..]]) } };
        }
    }

    [Fact]
    public async Task Thirty_generations_without_an_event_between_them_work()
    {
        await using var worker = RawWorker.Connect(Host.Channel, Turn, null);
        await Client.StartInstanceAsync(
            new CreateInstanceRequest
            {
                InstanceId = "a",
                Name = "wf",
                Input = "0",
            }
        );
        Assert.Equal("30", (await EndAsync("a")).Output);

        static WorkflowResponse Turn(WorkflowRequest turn)
        {
            var input = turn.All().First(one => one.ExecutionStarted is not null).ExecutionStarted.Input;
            var count = int.Parse(input, System.Globalization.CultureInfo.InvariantCulture);
            return new WorkflowResponse
            {
                InstanceId = "a",
                Actions = { count < 30 ? Do.Again(0, $"{count + 1}") : Do.Complete(0, input) },
            };
        }
    }

    [Fact]
    public async Task Results_of_an_old_generation_are_not_taken_for_those_of_the_new_one()
    {
        await using var worker = Worker();
        await StartAsync(worker, "a", Do.Child(0, "kid", "a-kid"));
        await worker.AnswerAsync((await worker.TurnAsync()).InstanceId);
        await RaiseAsync("a", "go");
        await worker.TurnAsync();
        await worker.AnswerAsync("a", Do.Again(1, "2"));
        await worker.TurnAsync();
        await worker.AnswerAsync("a", Do.Child(0, "kid", "a-kid-2"));
        Assert.Equal("a-kid-2", (await worker.TurnAsync()).InstanceId);
        await worker.AnswerAsync("a-kid-2");
        await RaiseAsync("a-kid", "end");
        await worker.TurnAsync();
        await worker.AnswerAsync("a-kid", Do.Complete(0, "\"old\""));
        await RaiseAsync("a-kid-2", "end");
        await worker.TurnAsync();
        await worker.AnswerAsync("a-kid-2", Do.Complete(0, "\"new\""));
        var turn = await worker.TurnAsync();
        Assert.Equal("a", turn.InstanceId);
        Assert.Equal(
            "\"new\"",
            turn.NewEvents.Single(one =>
                one.ChildWorkflowInstanceCompleted is not null
            ).ChildWorkflowInstanceCompleted.Result
        );
    }

    [Fact]
    public async Task A_child_without_an_id_is_named_after_its_parent_and_action()
    {
        await using var worker = Worker();
        await StartAsync(worker, "a", Do.Child(10, "kid", input: "5"));
        var turn = await worker.TurnAsync();
        Assert.Equal("a:000a", turn.InstanceId);
        Assert.Equal(10, turn.NewEvents[1].ExecutionStarted.ParentInstance.TaskScheduledId);
        await worker.AnswerAsync("a:000a", Do.Complete(0, "6"));
        Assert.Equal("6", (await worker.TurnAsync()).NewEvents[1].ChildWorkflowInstanceCompleted.Result);
    }

    [Fact]
    public async Task A_child_whose_id_is_taken_fails_and_the_occupant_is_untouched()
    {
        await using var worker = Worker();
        await StartAsync(worker, "taken");
        await StartAsync(worker, "a", Do.Child(0, "kid", "taken"));
        var turn = await worker.TurnAsync();
        Assert.Equal("a", turn.InstanceId);
        Assert.Contains(
            "already exists",
            turn.NewEvents[1].ChildWorkflowInstanceFailed.FailureDetails.ErrorMessage,
            StringComparison.Ordinal
        );
        Assert.Equal(2, (await HistoryAsync("taken")).Count);
    }

    [Fact]
    public async Task A_finished_childs_id_may_be_used_again_by_its_parent()
    {
        await using var worker = Worker();
        await StartAsync(worker, "a", Do.Child(0, "kid", "k"));
        await worker.AnswerAsync((await worker.TurnAsync()).InstanceId, Do.Fail(0, "first"));
        Assert.Equal(
            "first",
            (await worker.TurnAsync()).NewEvents[1].ChildWorkflowInstanceFailed.FailureDetails.ErrorMessage
        );
        await worker.AnswerAsync("a", Do.Child(1, "kid", "k"));
        Assert.Empty((await worker.TurnAsync()).PastEvents);
        await worker.AnswerAsync("k", Do.Complete(0, "2"));
        Assert.Equal(1, (await worker.TurnAsync()).NewEvents[1].ChildWorkflowInstanceCompleted.TaskScheduledId);
    }

    [Fact]
    public async Task An_activity_of_another_app_fails_with_a_clear_text()
    {
        await using var worker = Worker();
        var action = Do.Task(0, "far");
        action.Router = new TaskRouter { TargetAppID = "elsewhere" };
        await StartAsync(worker, "a", action);
        Assert.Contains(
            "elsewhere",
            (await worker.TurnAsync()).NewEvents[1].TaskFailed.FailureDetails.ErrorMessage,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task A_child_of_another_app_fails_with_a_clear_text()
    {
        await using var worker = Worker();
        var action = Do.Child(0, "far", "far");
        action.Router = new TaskRouter { TargetAppID = "elsewhere" };
        await StartAsync(worker, "a", action);
        var failure = (await worker.TurnAsync()).NewEvents[1].ChildWorkflowInstanceFailed.FailureDetails;
        Assert.Contains("elsewhere", failure.ErrorMessage, StringComparison.Ordinal);
        Assert.False((await Client.GetInstanceAsync(new GetInstanceRequest { InstanceId = "far" })).Exists);
    }

    [Fact]
    public async Task A_hundred_activities_at_once_give_a_hundred_results()
    {
        await using var worker = RawWorker.Connect(
            Host.Channel,
            turn => new WorkflowResponse
            {
                InstanceId = turn.InstanceId,
                Actions =
                {
                    turn.PastEvents.Count == 0 ? Enumerable.Range(0, 100).Select(i => Do.Task(i, "act", $"{i}"))
                    : turn.All().Count(one => one.TaskCompleted is not null) == 100 ? [Do.Complete(100, "\"all\"")]
                    : [],
                },
            },
            activity => new ActivityResponse
            {
                InstanceId = "a",
                TaskId = activity.TaskId,
                Result = activity.Input,
            }
        );
        await Client.StartInstanceAsync(new CreateInstanceRequest { InstanceId = "a", Name = "wf" });
        Assert.Equal("\"all\"", (await EndAsync("a")).Output);
        var results = (await HistoryAsync("a")).Where(one => one.TaskCompleted is not null).ToList();
        Assert.All(results, one => Assert.Equal($"{one.TaskCompleted.TaskScheduledId}", one.TaskCompleted.Result));
    }
}
