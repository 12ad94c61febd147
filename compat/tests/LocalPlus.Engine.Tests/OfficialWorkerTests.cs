using Dapr.Workflow;
using LocalPlus.Engine.Testing;

namespace LocalPlus.Engine.Tests;

/// <summary>The official SDK's worker and client as the engine's peer, over the sidecar process.</summary>
[Collection(EngineCollection.Name)]
public sealed class OfficialWorkerTests(PostgresFixture postgres) : IAsyncLifetime
{
    private const int Large = 5 << 20;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private static readonly WorkflowTaskOptions TwoTries = new(
        new WorkflowRetryPolicy(2, TimeSpan.FromMilliseconds(50))
    );

    private readonly Testing.SidecarProcess _sidecar = new(
        Path.Combine(AppContext.BaseDirectory, "daprd"),
        "app-" + Guid.NewGuid().ToString("n")[..8],
        postgres.Server.LibpqString
    );
    private readonly List<(DateTime Now, Guid Id)> _looks = [];
    private int _attempts;

    private string Address => $"http://127.0.0.1:{_sidecar.GrpcPort}";

    public async Task InitializeAsync() => await _sidecar.StartAsync();

    public async Task DisposeAsync() => await _sidecar.DisposeAsync();

    private Task<OfficialWorker> WorkerAsync() => OfficialWorker.StartAsync(Address, Register);

    private void Register(WorkflowRuntimeOptions options)
    {
        options.RegisterActivity<int, int>("double", (_, number) => Task.FromResult(2 * number));
        options.RegisterActivity<int, int>(
            "flaky",
            (_, number) =>
                Interlocked.Increment(ref _attempts) == 1
                    ? throw new InvalidOperationException("not yet")
                    : Task.FromResult(number)
        );
        options.RegisterActivity<int, string>("large", (_, length) => Task.FromResult(new string('x', length)));
        options.RegisterWorkflow<int, int>(
            "chain",
            async (context, number) =>
            {
                context.SetCustomStatus("at work");
                number = await context.CallActivityAsync<int>("double", number);
                await context.CreateTimer(TimeSpan.FromMilliseconds(20));
                return await context.CallActivityAsync<int>("double", number);
            }
        );
        options.RegisterWorkflow<int, int>(
            "fan",
            async (context, count) =>
                (
                    await Task.WhenAll(
                        Enumerable.Range(0, count).Select(number => context.CallActivityAsync<int>("double", number))
                    )
                ).Sum()
        );
        options.RegisterWorkflow<int, int>(
            "parent",
            async (context, number) => await context.CallChildWorkflowAsync<int>("chain", number)
        );
        options.RegisterWorkflow<int, int>(
            "retrying",
            (context, number) => context.CallActivityAsync<int>("flaky", number, TwoTries)
        );
        options.RegisterWorkflow<int, int>(
            "counting",
            async (context, number) =>
            {
                number += await context.WaitForExternalEventAsync<int>("add");
                if (number < 6)
                {
                    context.ContinueAsNew(number, preserveUnprocessedEvents: true);
                }

                return number;
            }
        );
        options.RegisterWorkflow<int, string>(
            "impatient",
            async (context, _) =>
            {
                try
                {
                    return await context.WaitForExternalEventAsync<string>("never", TimeSpan.FromMilliseconds(50));
                }
                catch (TaskCanceledException)
                {
                    return "gave up";
                }
            }
        );
        options.RegisterWorkflow<int, int>(
            "looking",
            async (context, _) =>
            {
                Look(context);
                await context.WaitForExternalEventAsync<int>("go");
                Look(context);
                return 0;
            }
        );
        options.RegisterWorkflow<int, string>(
            "large",
            async (context, length) => await context.CallActivityAsync<string>("large", length)
        );
        options.RegisterWorkflow<int, string>("boasting", (_, length) => Task.FromResult(new string('x', length)));
    }

    private void Look(WorkflowContext context)
    {
        lock (_looks)
        {
            _looks.Add((context.CurrentUtcDateTime, context.NewGuid()));
        }
    }

    private static async Task<WorkflowState> RunAsync(
        OfficialWorker worker,
        string workflow,
        int input,
        params int[] events
    )
    {
        var id = await worker.Client.ScheduleNewWorkflowAsync(workflow, null, input);
        foreach (var one in events)
        {
            await worker.Client.RaiseEventAsync(id, "add", one);
        }

        return await worker.Client.WaitForWorkflowCompletionAsync(id).WaitAsync(Patience);
    }

    [Theory]
    [InlineData("chain", 3, 12)]
    [InlineData("fan", 20, 380)]
    [InlineData("parent", 3, 12)]
    [InlineData("retrying", 7, 7)]
    public async Task Its_workflows_end_with_what_their_activities_timers_children_and_retries_bring(
        string workflow,
        int input,
        int output
    )
    {
        await using var worker = await WorkerAsync();
        var state = await RunAsync(worker, workflow, input);
        Assert.Equal((WorkflowRuntimeStatus.Completed, output), (state.RuntimeStatus, state.ReadOutputAs<int>()));
    }

    [Fact]
    public async Task Events_reach_the_generation_that_waits_for_them()
    {
        await using var worker = await WorkerAsync();
        Assert.Equal(6, (await RunAsync(worker, "counting", 0, 1, 2, 3)).ReadOutputAs<int>());
    }

    [Fact]
    public async Task A_wait_with_a_timeout_ends_by_its_timer()
    {
        await using var worker = await WorkerAsync();
        Assert.Equal("gave up", (await RunAsync(worker, "impatient", 0)).ReadOutputAs<string>());
    }

    [Fact]
    public async Task A_suspended_run_waits_a_resumed_one_goes_on_a_terminated_one_ends_and_a_purged_one_is_gone()
    {
        await using var worker = await WorkerAsync();
        var client = worker.Client;
        var id = await client.ScheduleNewWorkflowAsync("counting", null, 0);
        await client.SuspendWorkflowAsync(id);
        Assert.Equal(WorkflowRuntimeStatus.Suspended, (await client.GetWorkflowStateAsync(id))!.RuntimeStatus);
        await client.ResumeWorkflowAsync(id);
        Assert.Equal(WorkflowRuntimeStatus.Running, (await client.GetWorkflowStateAsync(id))!.RuntimeStatus);
        await client.TerminateWorkflowAsync(id, "enough");
        var ended = await client.WaitForWorkflowCompletionAsync(id).WaitAsync(Patience);
        Assert.Equal((WorkflowRuntimeStatus.Terminated, "enough"), (ended.RuntimeStatus, ended.ReadOutputAs<string>()));
        Assert.True(await client.PurgeInstanceAsync(id));
        Assert.False((await client.GetWorkflowStateAsync(id))?.Exists ?? false);
    }

    [Fact]
    public async Task It_comes_back_to_a_sidecar_that_was_killed_and_replays_with_the_same_time_and_ids()
    {
        await using var worker = await WorkerAsync();
        var id = await worker.Client.ScheduleNewWorkflowAsync("looking", null, 0);
        await _sidecar.KillAsync();
        await _sidecar.StartAsync();
        while (!await RaisedAsync(worker, id))
        {
            await Pulse.NextAsync();
        }

        var state = await worker.Client.WaitForWorkflowCompletionAsync(id).WaitAsync(Patience);
        Assert.Equal(WorkflowRuntimeStatus.Completed, state.RuntimeStatus);
        Assert.True(_looks.Count > 2, "nothing was replayed");
        Assert.Equal(2, _looks.Distinct().Count());
    }

    [Fact]
    public async Task A_worker_that_takes_over_does_not_run_finished_activities_again()
    {
        string id;
        await using (var first = await WorkerAsync())
        {
            id = await first.Client.ScheduleNewWorkflowAsync("counting", null, 0);
            await first.Client.RaiseEventAsync(id, "add", 1);
        }

        await using var second = await WorkerAsync();
        await second.Client.RaiseEventAsync(id, "add", 5);
        Assert.Equal(
            6,
            (await second.Client.WaitForWorkflowCompletionAsync(id).WaitAsync(Patience)).ReadOutputAs<int>()
        );
    }

    [Fact]
    public async Task A_result_that_no_message_can_carry_fails_its_activity_and_the_run_ends()
    {
        await using var worker = await WorkerAsync();
        var state = await RunAsync(worker, "large", Large);
        Assert.Equal(WorkflowRuntimeStatus.Failed, state.RuntimeStatus);
        Assert.Contains("--max-body-size", state.FailureDetails!.ErrorMessage, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_output_that_no_message_can_carry_stalls_the_run_and_says_why()
    {
        await using var worker = await WorkerAsync();
        var refused = await Assert.ThrowsAsync<Grpc.Core.RpcException>(() => RunAsync(worker, "boasting", Large));
        Assert.Contains("stalled", refused.Status.Detail, StringComparison.Ordinal);
    }

    // Without a worker the engine refuses events after a while; the official one comes back 5 s after it lost its
    // sidecar.
    private static async Task<bool> RaisedAsync(OfficialWorker worker, string id)
    {
        try
        {
            await worker.Client.RaiseEventAsync(id, "go", 1);
            return true;
        }
        catch (Grpc.Core.RpcException)
        {
            return false;
        }
    }
}
