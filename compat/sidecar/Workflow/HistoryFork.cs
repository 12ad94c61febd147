using Dapr.DurableTask.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Kind = Dapr.DurableTask.Protobuf.HistoryEvent.EventTypeOneofCase;

namespace LocalPlus.Sidecar.Workflow;

/// <summary>
/// The beginning of a rerun: what the source had finished before the event, then what it had open, then the event
/// itself.
/// </summary>
internal sealed record HistoryFork(
    IReadOnlyList<HistoryEvent> Events,
    IReadOnlyList<HistoryEvent> Tasks,
    IReadOnlyList<ChildStart> Children
)
{
    public HistoryEvent Started => Events.First(one => one.EventTypeCase == Kind.ExecutionStarted);

    public static HistoryFork Of(
        IReadOnlyList<HistoryEvent> source,
        RerunWorkflowFromEventRequest request,
        Guid execution,
        DateTimeOffset now
    )
    {
        var kept = new List<HistoryEvent>();
        var open = new SortedDictionary<int, HistoryEvent>();
        HistoryEvent? target = null;
        foreach (var one in source.Select(one => one.Clone()))
        {
            if (one.EventId == (int)request.EventID)
            {
                target = Mark(one, request);
                break;
            }

            Sort(one, kept, open);
        }

        if (target is null)
        {
            throw new WorkflowFault(FaultCode.NotFound, $"does not have history event with ID '{request.EventID}'");
        }

        return Build(kept, open, target, request, execution, now);
    }

    private static void Sort(HistoryEvent one, List<HistoryEvent> kept, SortedDictionary<int, HistoryEvent> open)
    {
        int? resolved = one.EventTypeCase switch
        {
            Kind.TaskCompleted => one.TaskCompleted.TaskScheduledId,
            Kind.TaskFailed => one.TaskFailed.TaskScheduledId,
            Kind.TimerFired => one.TimerFired.TimerId,
            Kind.ChildWorkflowInstanceCompleted => one.ChildWorkflowInstanceCompleted.TaskScheduledId,
            Kind.ChildWorkflowInstanceFailed => one.ChildWorkflowInstanceFailed.TaskScheduledId,
            _ => null,
        };
        if (one.EventTypeCase is Kind.TaskScheduled or Kind.TimerCreated or Kind.ChildWorkflowInstanceCreated)
        {
            open[one.EventId] = one;
            return;
        }

        if (resolved is { } id && open.Remove(id, out var begun))
        {
            kept.Add(begun);
        }

        kept.Add(one);
    }

    private static HistoryEvent Mark(HistoryEvent one, RerunWorkflowFromEventRequest request)
    {
        var origin = new RerunParentInstanceInfo { InstanceID = request.SourceInstanceID };
        switch (one.EventTypeCase)
        {
            case Kind.TaskScheduled:
                one.TaskScheduled.RerunParentInstanceInfo = origin;
                one.TaskScheduled.Input = request.OverwriteInput ? request.Input : one.TaskScheduled.Input;
                Refuse(request.HasNewChildWorkflowInstanceID, "set new child workflow instance ID on activity");
                return one;
            case Kind.TimerCreated:
                one.TimerCreated.RerunParentInstanceInfo = origin;
                Refuse(request.OverwriteInput, "write input to timer");
                Refuse(request.HasNewChildWorkflowInstanceID, "set new child workflow instance ID on timer");
                return one;
            case Kind.ChildWorkflowInstanceCreated:
                var child = one.ChildWorkflowInstanceCreated;
                child.RerunParentInstanceInfo = origin;
                child.Input = request.OverwriteInput ? request.Input : child.Input;
                return one;
            default:
                throw new WorkflowFault(
                    FaultCode.NotFound,
                    $"target event '*protos.HistoryEvent_{one.EventTypeCase}' with ID '{request.EventID}' is not an event that can be rerun"
                );
        }

        void Refuse(bool asked, string what)
        {
            if (asked)
            {
                throw new WorkflowFault(FaultCode.InvalidArgument, $"cannot {what} event '{request.EventID}'");
            }
        }
    }

    private static HistoryFork Build(
        List<HistoryEvent> kept,
        SortedDictionary<int, HistoryEvent> open,
        HistoryEvent target,
        RerunWorkflowFromEventRequest request,
        Guid execution,
        DateTimeOffset now
    )
    {
        var start = kept.First(one => one.EventTypeCase == Kind.ExecutionStarted).ExecutionStarted;
        start.WorkflowInstance = new WorkflowInstance
        {
            InstanceId = request.NewInstanceID,
            ExecutionId = execution.ToString(),
        };
        var context = new TurnContext(
            target.Router?.SourceAppID ?? "",
            request.NewInstanceID,
            new RunProjection(),
            [],
            now,
            0,
            () => Guid.CreateVersion7(now).ToString()
        );
        var (tasks, children) = (new List<HistoryEvent>(), new List<ChildStart>());
        foreach (var one in open.Values.Append(target))
        {
            one.Timestamp = Timestamp.FromDateTimeOffset(now);
            kept.Add(one);
            if (one.EventTypeCase == Kind.TaskScheduled)
            {
                tasks.Add(one);
            }
            else if (one.EventTypeCase == Kind.ChildWorkflowInstanceCreated)
            {
                one.ChildWorkflowInstanceCreated.InstanceId =
                    one == target && request.HasNewChildWorkflowInstanceID
                        ? request.NewChildWorkflowInstanceID
                        : $"{request.NewInstanceID}:{one.EventId:x4}";
                children.Add(
                    new ChildStart(
                        one.EventId,
                        one.ChildWorkflowInstanceCreated.InstanceId,
                        ChildStarts.Of(context, start, one)
                    )
                );
            }
        }

        return new HistoryFork(kept, tasks, children);
    }
}
