using Dapr.Workflow;
using Xunit;

namespace LocalPlus.Compat.Sdk.Tests.Workflow;

public sealed class DeterminismTests
{
    [Theory]
    [InlineData("activity of another name", "history has activity 'one' as action 0, its code now has activity 'other' there")]
    [InlineData("timer instead", "history has activity 'one' as action 0, its code now has a timer there")]
    [InlineData("nothing", "history has activity 'one' as action 0, its code now has no such action")]
    public async Task Code_that_no_longer_fits_the_history_fails_the_run_and_says_how(string change, string message)
    {
        var changed = false;
        var run = new Run(options => options.RegisterWorkflow<string, string>("changing", async (context, _) =>
        {
            var task = (changed ? change : "") switch
            {
                "activity of another name" => context.CallActivityAsync("other"),
                "timer instead" => context.CreateTimer(TimeSpan.FromSeconds(1)),
                "nothing" => context.WaitForExternalEventAsync<string>("never"),
                _ => context.CallActivityAsync("one"),
            };
            await task;
            return "done";
        }));
        await run.TurnAsync("started changing");
        changed = true;

        var answer = await run.TurnAsync("completed 0");
        Assert.StartsWith("fail Dapr.Workflow.Worker.NonDeterministicWorkflowException Workflow 'changing' is not", answer, StringComparison.Ordinal);
        Assert.Contains(message, answer, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_patch_lets_running_workflows_keep_their_old_steps()
    {
        var patched = false;
        Action<WorkflowRuntimeOptions> code = options => options.RegisterWorkflow<string, string>("patching", async (context, _) =>
        {
            await context.CallActivityAsync(patched && context.IsPatched("faster") ? "new" : "old");
            await context.CallActivityAsync(patched && context.IsPatched("later") ? "late" : "early");
            return "done";
        });
        var old = new Run(code);
        Assert.Equal("schedule 0 old", await old.TurnAsync("started patching"));
        patched = true;
        Assert.Equal("schedule 1 late ; patches later", await old.TurnAsync("completed 0"));
        Assert.Equal("complete \"done\" ; patches later", await old.TurnAsync("completed 1"));

        var fresh = new Run(code);
        Assert.Equal("schedule 0 new ; patches faster", await fresh.TurnAsync("started patching"));
        Assert.Equal("schedule 1 late ; patches faster,later", await fresh.TurnAsync("completed 0"));
    }

    [Fact]
    public async Task Awaiting_what_the_context_did_not_make_fails_the_run()
    {
        var delay = new Run(options => options.RegisterWorkflow<string, string>("delaying", async (context, _) =>
        {
            await Task.Delay(Timeout.InfiniteTimeSpan);
            await context.CallActivityAsync("step");
            return "done";
        }));
        Assert.StartsWith("fail System.InvalidOperationException Workflow 'delaying' is not deterministic: it awaits", await delay.TurnAsync("started delaying"), StringComparison.Ordinal);

        var never = new Run(options => options.RegisterWorkflow<string, string>("hanging", async (_, _) =>
            await new TaskCompletionSource<string>().Task));
        Assert.StartsWith("fail System.InvalidOperationException Workflow 'hanging' is not deterministic: it awaits", await never.TurnAsync("started hanging"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Time_guids_and_replay_flag_are_those_of_the_history()
    {
        var seen = new List<(DateTime Now, Guid Id, bool Replaying)>();
        var run = new Run(options => options.RegisterWorkflow<string, string>("looking", async (context, _) =>
        {
            seen.Clear();
            seen.Add((context.CurrentUtcDateTime, context.NewGuid(), context.IsReplaying));
            await context.CallActivityAsync("step").ConfigureAwait(false);
            seen.Add((context.CurrentUtcDateTime, context.NewGuid(), context.IsReplaying));
            return "done";
        }));
        await run.TurnAsync("started looking");
        var first = seen.Single();
        await run.TurnAsync("completed 0");

        Assert.Equal((Run.Start.AddMinutes(1), false), (first.Now, first.Replaying));
        Assert.Equal([first.Now, Run.Start.AddMinutes(2)], seen.Select(s => s.Now));
        Assert.Equal([true, false], seen.Select(s => s.Replaying));
        Assert.Equal(first.Id, seen[0].Id);
        Assert.NotEqual(first.Id, seen[1].Id);
        Assert.All(seen, s => Assert.Equal(5, s.Id.Version));
    }

    [Fact]
    public async Task A_wait_without_end_fits_histories_with_and_without_its_timer()
    {
        var withTimer = false;
        Action<WorkflowRuntimeOptions> code = options => options.RegisterWorkflow<string, string>("waiting", async (context, _) =>
        {
            var raised = withTimer
                ? context.WaitForExternalEventAsync<string>("go", Timeout.InfiniteTimeSpan)
                : context.WaitForExternalEventAsync<string>("go");
            await context.CallActivityAsync("step");
            return await raised;
        });
        foreach (var before in new[] { true, false })
        {
            withTimer = before;
            var run = new Run(code);
            await run.TurnAsync("started waiting");
            withTimer = !before;

            Assert.Equal("none", await run.TurnAsync(before ? "completed 1" : "completed 0"));
            Assert.Equal("complete \"x\"", await run.TurnAsync("raised go \"x\""));
        }
    }

    [Fact]
    public async Task Parallel_processing_keeps_its_limit_and_the_order_of_its_results()
    {
        var run = new Run(options => options.RegisterWorkflow<int, int[]>("parallel", (context, n) =>
            context.ProcessInParallelAsync(Enumerable.Range(1, n), i => context.CallActivityAsync<int>("square", i), 2)));

        Assert.Equal("schedule 0 square 1 ; schedule 1 square 2", await run.TurnAsync("started parallel 3"));
        Assert.Equal("schedule 2 square 3", await run.TurnAsync("completed 1 4"));
        Assert.Equal("none", await run.TurnAsync("completed 2 9"));
        Assert.Equal("complete [1,4,9]", await run.TurnAsync("completed 0 1"));
    }

    [Fact]
    public async Task A_zero_timeout_does_not_wait_at_all()
    {
        var run = new Run(options => options.RegisterWorkflow<string, string>("hasty", async (context, _) =>
            await context.WaitForExternalEventAsync<string>("go", TimeSpan.Zero)));

        Assert.StartsWith("fail System.Threading.Tasks.TaskCanceledException", await run.TurnAsync("started hasty"), StringComparison.Ordinal);
    }
}
