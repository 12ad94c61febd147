using System.Diagnostics;
using Dapr.Workflow;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using LocalPlus.Compat.TaskHub;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Xunit;
using WorkflowState = LocalPlus.Compat.TaskHub.WorkflowState;

namespace LocalPlus.Compat.Sdk.Tests.Workflow;

public sealed class WorkerTests : IAsyncLifetime
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly FakeHub hub = new();
    private WebApplication sidecar = null!;
    private IHost app = null!;

    public async Task InitializeAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(
            System.Net.IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http2));
        builder.Services.AddGrpc();
        builder.Services.AddSingleton(hub);
        sidecar = builder.Build();
        sidecar.MapGrpcService<FakeHub>();
        await sidecar.StartAsync();

        var host = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        host.Configuration.AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["DAPR_GRPC_ENDPOINT"] = sidecar.Urls.Single(),
            ["DAPR_API_TOKEN"] = "token",
        });
        host.Services.AddDaprWorkflow(options =>
        {
            ScenarioWorkflows.Register(options);
            options.RegisterActivity<string, string>("greet", (_, who) => Task.FromResult($"Hello {who}!"));
            options.RegisterActivity<string, string>("who", (context, _) => Task.FromResult($"{context.InstanceId} {context.TaskExecutionKey} {Activity.Current?.TraceId}"));
            options.RegisterActivity<int, string>("big", (_, size) => Task.FromResult(new string('x', size)));
            options.RegisterActivity<string, string>("boom", (_, why) => throw new ArgumentException(why));
        });
        app = host.Build();
        await app.StartAsync();
    }

    public async Task DisposeAsync()
    {
        await app.StopAsync();
        app.Dispose();
        await sidecar.DisposeAsync();
    }

    [Fact]
    public async Task The_worker_says_hello_opens_one_stream_and_answers_both_kinds_of_item()
    {
        hub.Work.Writer.TryWrite(Turn("hello", "\"World\""));
        var turn = await hub.Turns.Reader.ReadAsync().AsTask().WaitAsync(Patience);
        hub.Work.Writer.TryWrite(Step("greet", "\"World\""));
        var activity = await hub.Activities.Reader.ReadAsync().AsTask().WaitAsync(Patience);

        Assert.Equal(["Hello", "GetWorkItems"], hub.Calls);
        Assert.Equal("token", hub.Headers.Single().GetValue("dapr-api-token"));
        Assert.Equal(("run", "mark"), (turn.InstanceId, turn.CompletionToken));
        Assert.Equal("greet", turn.Actions.Single().ScheduleTask.Name);
        Assert.Equal(("run", 3, "\"Hello World!\"", "mark"), (activity.InstanceId, activity.TaskId, activity.Result, activity.CompletionToken));
    }

    [Fact]
    public async Task A_failing_and_an_unknown_activity_are_answered_with_what_is_wrong()
    {
        hub.Work.Writer.TryWrite(Step("boom", "\"no funds\""));
        var failed = await hub.Activities.Reader.ReadAsync().AsTask().WaitAsync(Patience);
        hub.Work.Writer.TryWrite(Step("nobody", ""));
        var unknown = await hub.Activities.Reader.ReadAsync().AsTask().WaitAsync(Patience);

        Assert.Equal(("System.ArgumentException", "no funds"), (failed.FailureDetails.ErrorType, failed.FailureDetails.ErrorMessage));
        Assert.Equal("ActivityNotFoundException", unknown.FailureDetails.ErrorType);
    }

    [Fact]
    public async Task A_result_that_no_message_can_hold_fails_the_activity()
    {
        hub.Work.Writer.TryWrite(Step("big", "5000000"));
        var answer = await hub.Activities.Reader.ReadAsync().AsTask().WaitAsync(Patience);

        Assert.Contains("exceeds", answer.FailureDetails.ErrorMessage, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_activity_knows_its_run_and_its_attempt_and_goes_on_in_the_trace()
    {
        var item = Step("who", "");
        item.ActivityRequest.TaskExecutionId = "attempt-1";
        item.ActivityRequest.ParentTraceContext = new TraceContext { TraceParent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01" };
        hub.Work.Writer.TryWrite(item);

        var answer = await hub.Activities.Reader.ReadAsync().AsTask().WaitAsync(Patience);
        Assert.Equal("\"run attempt-1 0af7651916cd43dd8448eb211c80319c\"", answer.Result);
    }

    [Fact]
    public async Task The_worker_comes_back_after_the_stream_breaks()
    {
        hub.Work.Writer.TryWrite(Turn("hello", "\"x\""));
        await hub.Turns.Reader.ReadAsync().AsTask().WaitAsync(Patience);
        hub.CutStreams();
        hub.Work.Writer.TryWrite(Turn("hello", "\"y\""));

        var turn = await hub.Turns.Reader.ReadAsync().AsTask().WaitAsync(Patience);
        Assert.Equal("\"y\"", turn.Actions.Single().ScheduleTask.Input);
        Assert.Equal(["Hello", "GetWorkItems", "Hello", "GetWorkItems"], hub.Calls);
    }

    [Fact]
    public async Task The_client_starts_reads_and_waits()
    {
        await using var client = app.Services.GetRequiredService<DaprWorkflowClient>();
        var when = new DateTimeOffset(2030, 1, 2, 3, 4, 5, TimeSpan.Zero);
        Assert.Equal("id-1", await client.ScheduleNewWorkflowAsync("hello", "id-1", new { a = 1 }, when));
        var start = await hub.Starts.Reader.ReadAsync();
        Assert.Equal(("hello", "{\"a\":1}", when), (start.Name, start.Input, start.ScheduledStartTimestamp.ToDateTimeOffset()));
        Assert.True(Guid.TryParse(await client.ScheduleNewWorkflowAsync("hello"), out _));

        Assert.False((await client.GetWorkflowStateAsync("nobody")).Exists);
        hub.Instance = new GetInstanceResponse
        {
            Exists = true,
            WorkflowState = new WorkflowState
            {
                InstanceId = "id-1",
                Name = "hello",
                WorkflowStatus = OrchestrationStatus.Failed,
                CreatedTimestamp = Timestamp.FromDateTimeOffset(when),
                Input = "\"in\"",
                CustomStatus = "2",
                FailureDetails = new TaskFailureDetails { ErrorType = "System.ArgumentException", ErrorMessage = "no" },
            },
        };
        hub.WaitFailures = 2;
        var state = await client.WaitForWorkflowCompletionAsync("id-1");
        Assert.True(state is { Exists: true, IsWorkflowCompleted: true, IsWorkflowRunning: false, RuntimeStatus: WorkflowRuntimeStatus.Failed });
        Assert.Equal(("in", 2, null), (state.ReadInputAs<string>(), state.ReadCustomStatusAs<int>(), state.ReadOutputAs<string>()));
        Assert.True(state.FailureDetails!.IsCausedBy<ArgumentException>());
        Assert.Equal(when, state.CreatedAt);

        hub.Instance = new GetInstanceResponse();
        await Assert.ThrowsAsync<InvalidOperationException>(() => client.WaitForWorkflowCompletionAsync("nobody"));
        var refused = await Assert.ThrowsAsync<RpcException>(() => client.RaiseEventAsync("nobody", "go"));
        Assert.Equal(StatusCode.Unknown, refused.StatusCode);
    }

    private static WorkItem Turn(string workflow, string input) => new()
    {
        CompletionToken = "mark",
        WorkflowRequest = new WorkflowRequest
        {
            InstanceId = "run",
            NewEvents =
            {
                new HistoryEvent { EventId = -1, Timestamp = Timestamp.FromDateTime(Run.Start), WorkflowStarted = new() },
                new HistoryEvent { EventId = -1, Timestamp = Timestamp.FromDateTime(Run.Start), ExecutionStarted = new() { Name = workflow, Input = input } },
            },
        },
    };

    private static WorkItem Step(string activity, string input) => new()
    {
        CompletionToken = "mark",
        ActivityRequest = new ActivityRequest
        {
            Name = activity,
            Input = input,
            TaskId = 3,
            WorkflowInstance = new WorkflowInstance { InstanceId = "run" },
        },
    };
}
