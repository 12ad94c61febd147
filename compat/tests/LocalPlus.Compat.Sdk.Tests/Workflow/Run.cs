using System.Globalization;
using System.Text.Json.Nodes;
using Dapr.Common.Serialization;
using Dapr.Workflow;
using Dapr.Workflow.Worker;
using Google.Protobuf.WellKnownTypes;
using LocalPlus.Compat.TaskHub;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;

namespace LocalPlus.Compat.Sdk.Tests.Workflow;

/// <summary>A run as the engine keeps it between turns: each answer's actions become events of the history.</summary>
internal sealed class Run(Action<WorkflowRuntimeOptions>? register = null)
{
    public const string InstanceId = "run";
    public static readonly DateTime Start = new(2026, 1, 2, 3, 4, 5, DateTimeKind.Utc);

    private readonly WorkflowTurn turn = NewTurn(register ?? ScenarioWorkflows.Register);
    private readonly List<HistoryEvent> history = [];
    private DateTime now = Start;

    public static WorkflowTurn NewTurn(Action<WorkflowRuntimeOptions> register)
    {
        var options = new WorkflowRuntimeOptions();
        register(options);
        return new WorkflowTurn(options.Registry, new JsonDaprSerializer(), NullLoggerFactory.Instance);
    }

    /// <summary>Gives a turn and tells what the worker answered. The same turn given again is answered the same.</summary>
    public async Task<string> TurnAsync(string newEvents)
    {
        now = now.AddMinutes(1);
        var request = new WorkflowRequest { InstanceId = InstanceId, PastEvents = { history } };
        request.NewEvents.Add(Stamp(new HistoryEvent { WorkflowStarted = new WorkflowStartedEvent() }));
        request.NewEvents.Add(newEvents.Split(" ; ").Select(text => Stamp(Event(text.Trim()))));
        await using var services = new ServiceCollection().BuildServiceProvider();
        var answer = await turn.RunAsync(request.Clone(), request.PastEvents, services);
        var again = await turn.RunAsync(request.Clone(), request.PastEvents, services);
        Xunit.Assert.Equal(Answers.Describe(answer, now), Answers.Describe(again, now));

        var started = request.NewEvents[0].WorkflowStarted;
        started.Version = answer.Version;
        history.AddRange(request.NewEvents);
        history.AddRange(answer.Actions.Select(Recorded).OfType<HistoryEvent>().Select(Stamp));
        return Answers.Describe(answer, now);
    }

    private static HistoryEvent Event(string text)
    {
        var words = text.Split(' ', 3);
        var rest = words.Length > 2 ? words[2] : null;
        var one = words.Length > 1 ? text.Split(' ', 2)[1] : null;
        return words[0] switch
        {
            "started" => new() { ExecutionStarted = new() { Name = words[1], Input = rest } },
            "completed" => new() { TaskCompleted = new() { TaskScheduledId = Number(words[1]), Result = rest } },
            "failed" => new() { TaskFailed = new() { TaskScheduledId = Number(words[1]), FailureDetails = Details(rest) } },
            "child-completed" => new() { ChildWorkflowInstanceCompleted = new() { TaskScheduledId = Number(words[1]), Result = rest } },
            "child-failed" => new() { ChildWorkflowInstanceFailed = new() { TaskScheduledId = Number(words[1]), FailureDetails = Details(rest) } },
            "timer" => new() { TimerFired = new() { TimerId = Number(words[1]) } },
            "raised" => new() { EventRaised = new() { Name = words[1], Input = rest } },
            "suspended" => new() { ExecutionSuspended = new() },
            "resumed" => new() { ExecutionResumed = new() },
            "terminated" => new() { ExecutionTerminated = new() { Input = one } },
            _ => throw new FormatException($"No such event: {text}"),
        };
    }

    private static HistoryEvent? Recorded(WorkflowAction action) => action.WorkflowActionTypeCase switch
    {
        WorkflowAction.WorkflowActionTypeOneofCase.ScheduleTask => new()
        {
            EventId = action.Id,
            TaskScheduled = new() { Name = action.ScheduleTask.Name, TaskExecutionId = action.ScheduleTask.TaskExecutionId },
        },
        WorkflowAction.WorkflowActionTypeOneofCase.CreateTimer => new()
        {
            EventId = action.Id,
            TimerCreated = new() { FireAt = action.CreateTimer.FireAt, ExternalEvent = action.CreateTimer.ExternalEvent },
        },
        WorkflowAction.WorkflowActionTypeOneofCase.CreateChildWorkflow => new()
        {
            EventId = action.Id,
            ChildWorkflowInstanceCreated = new() { Name = action.CreateChildWorkflow.Name, InstanceId = action.CreateChildWorkflow.InstanceId },
        },
        _ => null,
    };

    private static TaskFailureDetails? Details(string? message) =>
        message is null ? null : new() { ErrorType = "Recorded", ErrorMessage = (string)JsonNode.Parse(message)! };

    private static int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);

    private HistoryEvent Stamp(HistoryEvent e)
    {
        e.Timestamp = Timestamp.FromDateTime(now);
        return e;
    }
}
