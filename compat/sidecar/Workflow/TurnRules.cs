using Dapr.DurableTask.Protobuf;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Kind = Dapr.DurableTask.Protobuf.HistoryEvent.EventTypeOneofCase;

namespace LocalPlus.Sidecar.Workflow;

/// <summary>
/// What a worker's answer does to a run, as daprd 1.18 does it: pure, no clock, no I/O.
/// The numbers in comments are those of the recorded rules in the README of this folder.
/// </summary>
internal static class TurnRules
{
    public static TurnOutcome Apply(TurnContext turn, WorkflowResponse answer)
    {
        if (Impossible(turn, answer) is { } why)
        {
            return new TurnOutcome.Refused(why);
        }

        if (Stall(turn, answer) is { } stalled)
        {
            return stalled;
        }

        var events = StampVersion(turn, answer.Version);
        if (turn.NewEvents.FirstOrDefault(one => one.EventTypeCase == Kind.ExecutionTerminated) is { } terminate)
        {
            return Terminate(turn, answer, events, terminate.ExecutionTerminated);
        }

        var application = new Application(turn, Started(turn), events);
        foreach (var action in answer.Actions)
        {
            if (ContinuesAsNew(action) && !application.Ended)
            {
                return Continue(turn, action, StatusOf(answer));
            }

            application.Carry(action);
        }

        return application.OversizeTask is { } oversize
            ? new TurnOutcome.Stalled(StalledReason.PayloadSizeExceeded, oversize)
            : application.Outcome(StatusOf(answer));
    }

    /// <summary>The events a generation begins with (rule 20).</summary>
    private static TurnOutcome.NextGeneration Continue(TurnContext turn, WorkflowAction action, string? customStatus)
    {
        var old = Started(turn);
        var router = Router(turn.AppId, action.Router);
        var now = Timestamp.FromDateTimeOffset(turn.Now);
        var started = new ExecutionStartedEvent
        {
            Name = old.Name,
            ParentInstance = old.ParentInstance,
            Input = action.CompleteWorkflow.Result,
            WorkflowInstance = new WorkflowInstance
            {
                InstanceId = turn.InstanceId,
                ExecutionId = turn.NewExecutionId(),
            },
            ParentTraceContext = old.ParentTraceContext,
            WorkflowSpanID = old.WorkflowSpanID,
        };
        var events = new List<HistoryEvent>
        {
            new()
            {
                EventId = -1,
                Timestamp = now,
                WorkflowStarted = new WorkflowStartedEvent(),
                Router = router,
            },
            new()
            {
                EventId = -1,
                Timestamp = now,
                ExecutionStarted = started,
                Router = router,
            },
        };
        events.AddRange(action.CompleteWorkflow.CarryoverEvents);
        return new TurnOutcome.NextGeneration(events, customStatus);
    }

    /// <summary>Whatever the worker said, the run ends, and its children are told when asked to (rule 22).</summary>
    private static TurnOutcome.Stored Terminate(
        TurnContext turn,
        WorkflowResponse answer,
        List<HistoryEvent> events,
        ExecutionTerminatedEvent terminate
    )
    {
        var said = answer.Actions.FirstOrDefault(action => action.CompleteWorkflow is not null);
        var application = new Application(turn, Started(turn), events);
        application.Carry(
            new WorkflowAction
            {
                Id = said?.Id ?? -1,
                Router = said?.Router,
                CompleteWorkflow = new CompleteWorkflowAction
                {
                    WorkflowStatus = OrchestrationStatus.Terminated,
                    Result = terminate.Input,
                },
            }
        );
        var outcome = application.Outcome(StatusOf(answer));
        if (terminate.Recurse)
        {
            var told = new HistoryEvent
            {
                EventId = -1,
                Timestamp = Timestamp.FromDateTimeOffset(turn.Now),
                ExecutionTerminated = terminate.Clone(),
            };
            outcome.Posts.AddRange(turn.Past.Children.Distinct().Select(child => new Post(child, null, told)));
        }

        return outcome;
    }

    private static string? Impossible(TurnContext turn, WorkflowResponse answer)
    {
        foreach (var action in answer.Actions)
        {
            var used = action.WorkflowActionTypeCase switch
            {
                WorkflowAction.WorkflowActionTypeOneofCase.ScheduleTask => turn.Past.Used(
                    Kind.TaskScheduled,
                    action.Id
                ),
                WorkflowAction.WorkflowActionTypeOneofCase.CreateTimer => turn.Past.Used(Kind.TimerCreated, action.Id),
                WorkflowAction.WorkflowActionTypeOneofCase.CreateChildWorkflow => turn.Past.Used(
                    Kind.ChildWorkflowInstanceCreated,
                    action.Id
                ),
                _ => false,
            };
            if (used)
            {
                return $"action {action.Id} was carried out before: the answer belongs to an older turn";
            }

            // Rule 23: daprd cannot route sendEvent and gives the turn again for ever.
            if (
                action.WorkflowActionTypeCase
                is WorkflowAction.WorkflowActionTypeOneofCase.SendEvent
                    or WorkflowAction.WorkflowActionTypeOneofCase.None
            )
            {
                return $"action {action.Id} ({action.WorkflowActionTypeCase}) cannot be carried out";
            }
        }

        return null;
    }

    /// <summary>Versions and patches that do not fit what the run has seen (rule 27).</summary>
    private static TurnOutcome.Stalled? Stall(TurnContext turn, WorkflowResponse answer)
    {
        if (answer.Actions.Any(action => action.WorkflowVersionNotAvailable is not null))
        {
            return new TurnOutcome.Stalled(
                StalledReason.VersionNotAvailable,
                $"Version not available: {turn.Past.VersionName}"
            );
        }

        var seen = turn.Past.Patches;
        var now = answer.Version?.Patches.ToList() ?? [];
        return seen.SequenceEqual(now.Take(seen.Count))
            ? null
            : new TurnOutcome.Stalled(
                StalledReason.PatchMismatch,
                $"Patch mismatch. History patches: [{string.Join(", ", seen)}], current patches: [{string.Join(", ", now)}]. "
            );
    }

    // The version goes into the turn's own WorkflowStarted: of the patches only those not reported before.
    private static List<HistoryEvent> StampVersion(TurnContext turn, WorkflowVersion? version)
    {
        var events = turn.NewEvents.ToList();
        if (version is null || (version.Patches.Count == 0 && !version.HasName))
        {
            return events;
        }

        var stamp = version;
        if (version.Patches.Count > 0)
        {
            stamp = new WorkflowVersion { Patches = { version.Patches.Skip(turn.Past.Patches.Count) } };
        }

        var index = events.FindIndex(one => one.EventTypeCase == Kind.WorkflowStarted);
        if (index >= 0 && (stamp.Patches.Count > 0 || stamp.HasName))
        {
            events[index] = events[index].Clone();
            events[index].WorkflowStarted.Version = stamp;
        }

        return events;
    }

    // Rule 16. An empty one is stored as none.
    private static string? StatusOf(WorkflowResponse answer) =>
        string.IsNullOrEmpty(answer.CustomStatus) ? null : answer.CustomStatus;

    private static ExecutionStartedEvent Started(TurnContext turn) =>
        turn.Past.Start
        ?? turn.NewEvents.FirstOrDefault(one => one.EventTypeCase == Kind.ExecutionStarted)?.ExecutionStarted
        ?? new ExecutionStartedEvent();

    private static bool ContinuesAsNew(WorkflowAction action) =>
        action.CompleteWorkflow?.WorkflowStatus == OrchestrationStatus.ContinuedAsNew;

    public static TaskRouter Router(string appId, TaskRouter? asked)
    {
        var router = asked?.Clone() ?? new TaskRouter();
        router.SourceAppID = appId;
        return router;
    }

    /// <summary>The actions of one answer, carried out one after the other.</summary>
    private sealed class Application(TurnContext turn, ExecutionStartedEvent start, List<HistoryEvent> events)
    {
        private readonly HashSet<(WorkflowAction.WorkflowActionTypeOneofCase, int)> _done = [];
        private readonly List<HistoryEvent> _tasks = [];
        private readonly List<ChildStart> _children = [];
        private readonly List<Post> _posts = [];

        public bool Ended { get; private set; }

        public string? OversizeTask { get; private set; }

        public TurnOutcome.Stored Outcome(string? customStatus) => new(events, customStatus, _tasks, _children, _posts);

        public void Carry(WorkflowAction action)
        {
            var first = _done.Add((action.WorkflowActionTypeCase, action.Id));
            var one = new HistoryEvent
            {
                EventId = action.Id,
                Timestamp = Timestamp.FromDateTimeOffset(turn.Now),
                Router = Router(turn.AppId, action.Router),
            };
            switch (action.WorkflowActionTypeCase)
            {
                case WorkflowAction.WorkflowActionTypeOneofCase.ScheduleTask:
                    Schedule(action.ScheduleTask, one, first);
                    break;
                case WorkflowAction.WorkflowActionTypeOneofCase.CreateTimer:
                    one.TimerCreated = Timer(action.CreateTimer);
                    events.Add(one);
                    break;
                case WorkflowAction.WorkflowActionTypeOneofCase.CreateChildWorkflow:
                    CreateChild(action.CreateChildWorkflow, one, first);
                    break;
                case WorkflowAction.WorkflowActionTypeOneofCase.CompleteWorkflow:
                    Complete(action.CompleteWorkflow, one);
                    break;
                case WorkflowAction.WorkflowActionTypeOneofCase.TerminateWorkflow:
                    Terminate(action.TerminateWorkflow);
                    break;
            }
        }

        // Rule 14: a second action of the same id leaves its event and does nothing.
        private void Schedule(ScheduleTaskAction action, HistoryEvent one, bool first)
        {
            one.TaskScheduled = new TaskScheduledEvent
            {
                Name = action.Name,
                Version = action.Version,
                Input = action.Input,
                TaskExecutionId = action.TaskExecutionId,
                ParentTraceContext = WorkflowTraces.Below(start),
            };
            events.Add(one);
            if (!first)
            {
                return;
            }

            _tasks.Add(one);
            var size = CodedOutputStream.ComputeMessageSize(one.TaskScheduled);
            if (turn.PayloadLimit > 0 && size > turn.PayloadLimit / 100 * WorkflowLimits.PayloadPercent)
            {
                OversizeTask =
                    $"activity '{action.Name}::{one.EventId}' payload {size} bytes exceeds "
                    + $"{WorkflowLimits.PayloadPercent}% of max gRPC body size {turn.PayloadLimit} bytes; "
                    + "increase daprd --max-body-size and restart to resume";
            }
        }

        private static TimerCreatedEvent Timer(CreateTimerAction action)
        {
            var created = new TimerCreatedEvent { FireAt = action.FireAt };
            if (action.HasName)
            {
                created.Name = action.Name;
            }

            switch (action.OriginCase)
            {
                case CreateTimerAction.OriginOneofCase.CreateTimer:
                    created.CreateTimer = action.CreateTimer;
                    break;
                case CreateTimerAction.OriginOneofCase.ExternalEvent:
                    created.ExternalEvent = action.ExternalEvent;
                    break;
                case CreateTimerAction.OriginOneofCase.ActivityRetry:
                    created.ActivityRetry = action.ActivityRetry;
                    break;
                case CreateTimerAction.OriginOneofCase.ChildWorkflowRetry:
                    created.ChildWorkflowRetry = action.ChildWorkflowRetry;
                    break;
            }

            return created;
        }

        private void CreateChild(CreateChildWorkflowAction action, HistoryEvent one, bool first)
        {
            var id = action.InstanceId.Length > 0 ? action.InstanceId : $"{turn.InstanceId}:{one.EventId:x4}";
            one.ChildWorkflowInstanceCreated = new ChildWorkflowInstanceCreatedEvent
            {
                InstanceId = id,
                Name = action.Name,
                Version = action.Version,
                Input = action.Input,
                ParentTraceContext = WorkflowTraces.Below(start),
            };
            events.Add(one);
            if (first)
            {
                _children.Add(new ChildStart(one.EventId, id, ChildStarts.Of(turn, start, one)));
            }
        }

        private void Complete(CompleteWorkflowAction action, HistoryEvent one)
        {
            if (Ended)
            {
                return;
            }

            Ended = true;
            one.ExecutionCompleted = new ExecutionCompletedEvent
            {
                WorkflowStatus = action.WorkflowStatus,
                Result = action.Result,
                FailureDetails = action.FailureDetails,
            };
            events.Add(one);
            if (start.ParentInstance is { } parent)
            {
                _posts.Add(ChildStarts.Ended(turn, parent, action));
            }
        }

        private void Terminate(TerminateWorkflowAction action) =>
            _posts.Add(
                new Post(
                    action.InstanceId,
                    null,
                    new HistoryEvent
                    {
                        EventId = -1,
                        Timestamp = Timestamp.FromDateTimeOffset(turn.Now),
                        ExecutionTerminated = new ExecutionTerminatedEvent
                        {
                            Input = action.Reason,
                            Recurse = action.Recurse,
                        },
                    }
                )
            );
    }
}
