using System.Collections.Concurrent;
using System.Diagnostics;
using Dapr.DurableTask.Protobuf;
using Grpc.Core;
using LocalPlus.Engine.Testing;
using LocalPlus.Sidecar.Workflow;

namespace LocalPlus.Engine.Tests;

public sealed class TraceTests(PostgresFixture postgres) : EngineTest(postgres)
{
    private const string Caller = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    [Fact]
    public async Task Without_a_recorder_the_callers_trace_reaches_activities_and_children_unchanged()
    {
        await using var worker = Worker();
        var starting = Client.StartInstanceAsync(
            new CreateInstanceRequest
            {
                InstanceId = "a",
                Name = "wf",
                ParentTraceContext = new TraceContext { TraceParent = Caller, TraceState = "k=v" },
            }
        );
        await worker.TurnAsync();
        await worker.AnswerAsync("a", Do.Task(0, "act"), Do.Child(1, "kid", "a-kid"));
        await starting;
        var activity = await worker.ActivityAsync();
        Assert.Equal(
            (Caller, "k=v"),
            (activity.ParentTraceContext.TraceParent, activity.ParentTraceContext.TraceState)
        );
        Assert.Equal(Caller, (await worker.TurnAsync()).NewEvents[1].ExecutionStarted.ParentTraceContext.TraceParent);
    }

    [Fact]
    public async Task A_trace_that_comes_as_a_header_counts_too()
    {
        await using var worker = Worker();
        var starting = Client.StartInstanceAsync(
            new CreateInstanceRequest { InstanceId = "a", Name = "wf" },
            new Metadata { { "traceparent", Caller } }
        );
        await worker.TurnAsync();
        await worker.AnswerAsync("a", Do.Task(0, "act"));
        await starting;
        Assert.Equal(Caller, (await worker.ActivityAsync()).ParentTraceContext.TraceParent);
    }

    [Fact]
    public async Task A_run_without_a_trace_has_none()
    {
        await using var worker = Worker();
        await StartAsync(worker, "a", Do.Task(0, "act"));
        Assert.Null((await worker.ActivityAsync()).ParentTraceContext);
    }

    [Fact]
    public async Task Recorded_spans_nest_as_start_run_activity_and_child()
    {
        using var source = new ActivitySource(App);
        var spans = new ConcurrentQueue<Activity>();
        using var recorder = new ActivityListener
        {
            ShouldListenTo = one => one.Name == App,
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = spans.Enqueue,
        };
        ActivitySource.AddActivityListener(recorder);
        await RestartAsync(Settings with { Traces = new WorkflowTraces(source) });
        await using var worker = Worker();
        var starting = Client.StartInstanceAsync(
            new CreateInstanceRequest
            {
                InstanceId = "a",
                Name = "wf",
                ParentTraceContext = new TraceContext { TraceParent = Caller },
            }
        );
        await worker.TurnAsync();
        await worker.AnswerAsync("a", Do.Task(0, "act"), Do.Child(1, "kid", "a-kid"));
        await starting;
        var activity = await worker.ActivityAsync();
        var child = await worker.TurnAsync();
        await worker.AnswerAsync(child.InstanceId, Do.Complete(0));
        await worker.ResultAsync(activity, "1");
        for (var seen = 0; seen < 2; )
        {
            var turn = await worker.TurnAsync();
            seen += turn.NewEvents.Count - 1;
            await worker.AnswerAsync("a", seen == 2 ? [Do.Complete(2)] : []);
        }

        await EndAsync("a");
        var byName = spans.ToDictionary(span => span.DisplayName);
        Assert.Equal(
            ["activity||act", "create_orchestration||wf", "orchestration||kid", "orchestration||wf"],
            byName.Keys.Order(StringComparer.Ordinal)
        );
        Assert.Equal("b7ad6b7169203331", byName["create_orchestration||wf"].ParentSpanId.ToString());
        Assert.Equal(byName["create_orchestration||wf"].SpanId, byName["orchestration||wf"].ParentSpanId);
        Assert.Equal(byName["orchestration||wf"].SpanId, byName["activity||act"].ParentSpanId);
        Assert.Equal(byName["orchestration||wf"].SpanId, byName["orchestration||kid"].ParentSpanId);
        Assert.EndsWith(
            $"{byName["activity||act"].SpanId}-01",
            activity.ParentTraceContext.TraceParent,
            StringComparison.Ordinal
        );
        Assert.All(spans, span => Assert.Equal("0af7651916cd43dd8448eb211c80319c", span.TraceId.ToString()));
    }
}
