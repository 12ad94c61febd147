using Dapr.DurableTask.Protobuf;
using LocalPlus.Engine.Testing;
using LocalPlus.Sidecar.Workflow;

namespace LocalPlus.Engine.Tests;

public sealed class WorkerTests(PostgresFixture postgres) : EngineTest(postgres)
{
    private protected override EngineSettings Settings => base.Settings with { MaxActivities = 2 };

    [Fact]
    public async Task A_turn_of_a_lost_worker_goes_to_another_with_the_same_events_and_a_new_start()
    {
        var first = Worker();
        var starting = Client.StartInstanceAsync(new CreateInstanceRequest { InstanceId = "a", Name = "wf" });
        var given = await first.TurnAsync();
        await first.DisposeAsync();
        await using var second = Worker();
        var again = await second.TurnAsync();
        Assert.Equal(given.NewEvents.Kinds(), again.NewEvents.Kinds());
        Assert.Equal(given.NewEvents[1], again.NewEvents[1]);
        Assert.True(again.NewEvents[0].Timestamp.ToDateTimeOffset() > given.NewEvents[0].Timestamp.ToDateTimeOffset());
        await second.AnswerAsync("a", Do.Complete(0));
        await starting;
    }

    [Fact]
    public async Task An_activity_of_a_lost_worker_is_given_again_when_one_comes()
    {
        var first = Worker();
        await StartAsync(first, "a", Do.Task(0, "act"));
        await first.ActivityAsync();
        await first.DisposeAsync();
        await using var second = Worker();
        var again = await second.ActivityAsync();
        Assert.Equal("act", again.Name);
        await second.ResultAsync(again, "1");
        await second.TurnAsync();
    }

    [Fact]
    public async Task The_late_answer_of_a_lost_worker_counts_as_the_answer_to_the_open_item()
    {
        var first = Worker();
        await StartAsync(first, "a", Do.Task(0, "act"));
        var activity = await first.ActivityAsync();
        await first.DisposeAsync();
        await using var second = Worker();
        await second.ActivityAsync();
        await second.ResultAsync(activity, "\"late\"");
        var turn = await second.TurnAsync();
        Assert.Equal("\"late\"", turn.NewEvents[1].TaskCompleted.Result);
        await second.ResultAsync(activity, "\"later\"");
        await second.AnswerAsync("a", Do.Complete(1));
        await EndAsync("a");
        Assert.Single(await HistoryAsync("a"), one => one.TaskCompleted is not null);
    }

    [Fact]
    public async Task Answers_that_nobody_waits_for_are_accepted_and_dropped()
    {
        await using var worker = Worker();
        await worker.AnswerAsync("nobody", Do.Complete(0));
        await worker.Client.CompleteActivityTaskAsync(
            new ActivityResponse
            {
                InstanceId = "nobody",
                TaskId = 7,
                Result = "1",
            }
        );
        await StartAsync(worker, "a", Do.Task(0, "act"));
        await worker.AnswerAsync("a", Do.Complete(1));
        await worker.Client.CompleteActivityTaskAsync(
            new ActivityResponse
            {
                InstanceId = "a",
                TaskId = 7,
                Result = "1",
            }
        );
        Assert.Equal(OrchestrationStatus.Running, (await GetAsync("a")).WorkflowStatus);
    }

    [Fact]
    public async Task Two_streams_share_the_work()
    {
        await using var first = Worker();
        await using var second = Worker();
        var starts = Enumerable
            .Range(0, 10)
            .Select(i =>
                Client.StartInstanceAsync(new CreateInstanceRequest { InstanceId = $"a{i}", Name = "wf" }).ResponseAsync
            )
            .ToList();
        for (var i = 0; i < 5; i++)
        {
            await first.AnswerAsync((await first.TurnAsync()).InstanceId, Do.Complete(0));
            await second.AnswerAsync((await second.TurnAsync()).InstanceId, Do.Complete(0));
        }

        await Task.WhenAll(starts);
    }

    [Fact]
    public async Task No_more_activities_are_out_than_allowed()
    {
        await using var worker = Worker();
        await StartAsync(worker, "a", Do.Task(0, "act"), Do.Task(1, "act"), Do.Task(2, "act"));
        var first = await worker.ActivityAsync();
        await worker.ActivityAsync();
        await GetAsync("a");
        Assert.False(worker.HasItem);
        await worker.ResultAsync(first, "1");
        Assert.Equal(2, (await worker.ActivityAsync()).TaskId);
    }

    [Fact]
    public async Task A_turn_that_repeats_an_action_of_the_past_is_refused_and_given_again()
    {
        await using var worker = Worker();
        await StartAsync(worker, "a", Do.Task(0, "act"));
        await worker.ResultAsync(await worker.ActivityAsync(), "1");
        await worker.TurnAsync();
        await worker.AnswerAsync("a", Do.Task(0, "act"));
        var again = await worker.TurnAsync();
        Assert.Equal("WorkflowStarted TaskCompleted", again.NewEvents.Kinds());
        await worker.AnswerAsync("a", Do.Complete(1));
        Assert.Equal(OrchestrationStatus.Completed, (await EndAsync("a")).WorkflowStatus);
    }
}
