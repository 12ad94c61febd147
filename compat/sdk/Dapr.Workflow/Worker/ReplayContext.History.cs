using LocalPlus.Compat.TaskHub;

namespace Dapr.Workflow.Worker;

// History's side of the context.
internal sealed partial class ReplayContext
{
    /// <summary>Takes one event; the workflow's code goes on inside this call as far as the event lets it.</summary>
    /// <exception cref="NonDeterministicWorkflowException">The event does not fit what the workflow asked for.</exception>
    public void Apply(HistoryEvent e, bool isReplaying)
    {
        replaying = isReplaying;
        switch (e.EventTypeCase)
        {
            case HistoryEvent.EventTypeOneofCase.WorkflowStarted:
                now = e.Timestamp.ToDateTime();
                break;
            case HistoryEvent.EventTypeOneofCase.TaskScheduled:
                Confirm(e, $"activity '{e.TaskScheduled.Name}'");
                break;
            case HistoryEvent.EventTypeOneofCase.TimerCreated:
                Confirm(e, NonDeterminism.Timer);
                break;
            case HistoryEvent.EventTypeOneofCase.ChildWorkflowInstanceCreated:
                Confirm(e, $"child workflow '{e.ChildWorkflowInstanceCreated.Name}'");
                break;
            case HistoryEvent.EventTypeOneofCase.EventSent:
                Confirm(e, $"sent event '{e.EventSent.Name}'");
                break;
            case HistoryEvent.EventTypeOneofCase.TaskCompleted:
                Resolve(e.TaskCompleted.TaskScheduledId, e);
                break;
            case HistoryEvent.EventTypeOneofCase.TaskFailed:
                Resolve(e.TaskFailed.TaskScheduledId, e);
                break;
            case HistoryEvent.EventTypeOneofCase.TimerFired:
                Resolve(e.TimerFired.TimerId, e);
                break;
            case HistoryEvent.EventTypeOneofCase.ChildWorkflowInstanceCompleted:
                Resolve(e.ChildWorkflowInstanceCompleted.TaskScheduledId, e);
                break;
            case HistoryEvent.EventTypeOneofCase.ChildWorkflowInstanceFailed:
                Resolve(e.ChildWorkflowInstanceFailed.TaskScheduledId, e);
                break;
            case HistoryEvent.EventTypeOneofCase.EventRaised:
                Raise(e);
                break;
        }
    }

    // Results of tasks that nobody waits for any more are nothing new.
    private void Resolve(int id, HistoryEvent result)
    {
        if (open.Remove(id, out var waiting))
        {
            waiting.TrySetResult(result);
        }
    }

    private void Raise(HistoryEvent e)
    {
        if (waiters.TryGetValue(e.EventRaised.Name, out var queue))
        {
            while (queue.TryDequeue(out var waiter))
            {
                if (waiter.TrySetResult(e))
                {
                    return;
                }
            }
        }

        unclaimedEvents.Add(e);
    }

    private void Confirm(HistoryEvent e, string recorded)
    {
        if (SyntheticTimers.IsSynthetic(e) && !SyntheticTimers.IsSynthetic(pending.GetValueOrDefault(e.EventId)))
        {
            Renumber(from: e.EventId, by: +1);
            return;
        }

        if (!SyntheticTimers.IsSynthetic(e) && SyntheticTimers.IsSynthetic(pending.GetValueOrDefault(e.EventId)))
        {
            pending.Remove(e.EventId);
            open.Remove(e.EventId);
            Renumber(from: e.EventId + 1, by: -1);
        }

        var asked = pending.GetValueOrDefault(e.EventId);
        var found = NonDeterminism.Describe(asked);
        if (found != recorded)
        {
            throw new NonDeterministicWorkflowException(name, e.EventId, recorded, found);
        }

        pending.Remove(e.EventId);
    }

    // The timer of a wait without end is recorded by some SDKs and releases and not by others.
    private void Renumber(int from, int by)
    {
        foreach (var action in pending.Values.Where(action => action.Id >= from).ToArray())
        {
            pending.Remove(action.Id);
            action.Id += by;
            pending[action.Id] = action;
        }

        var moved = open.Where(task => task.Key >= from).ToArray();
        Array.ForEach(moved, task => open.Remove(task.Key));
        Array.ForEach(moved, task => open.Add(task.Key + by, task.Value));
        nextId += by;
    }
}
