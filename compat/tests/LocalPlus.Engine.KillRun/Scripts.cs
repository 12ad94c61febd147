using Google.Protobuf.WellKnownTypes;
using LocalPlus.Compat.TaskHub;

namespace LocalPlus.Engine.KillRun;

/// <summary>
/// The workflows of the kill run. Each is a list of steps; what is to be done next follows from the history alone, so
/// the worker keeps nothing and any worker may answer any turn.
/// </summary>
internal static class Scripts
{
    public const int LastGeneration = 3;

    public static readonly string[] Names = ["chain", "timer", "events", "parent", "fan", "again"];

    /// <summary>Events that the run of that workflow waits for.</summary>
    public static string[] EventsOf(string workflow) => workflow switch
    {
        "events" => ["go0", "go1"],
        "again" => ["go0"],
        _ => [],
    };

    public static string ResultOf(string workflow) => $"\"{workflow} is done\"";

    public static WorkflowResponse Answer(WorkflowRequest turn)
    {
        var events = turn.PastEvents.Concat(turn.NewEvents).ToList();
        var start = events.First(one => one.ExecutionStarted is not null).ExecutionStarted;
        var script = new Script(events);
        switch (start.Name)
        {
            case "chain":
                script.Then(Kind.Task).Then(Kind.Task).Then(Kind.Task);
                break;
            case "timer":
                script.Then(Kind.Task).Then(Kind.Timer).Then(Kind.Task).Then(Kind.Timer);
                break;
            case "events":
                script.Await("go0").Then(Kind.Task).Await("go1");
                break;
            case "parent":
                script.Then(Kind.Child).Then(Kind.Child);
                break;
            case "child":
                script.Then(Kind.Task);
                break;
            case "fan":
                script.All(Kind.Task, 4);
                break;
            case "waiter":
                script.Await("go0");
                break;
            case "sleeper":
                script.Beside(Kind.LongTimer).Await("go0");
                break;
            case "again":
                script.Then(Kind.Task);
                if (int.Parse(start.Input, System.Globalization.CultureInfo.InvariantCulture) is var generation and < LastGeneration)
                {
                    script.Again($"{generation + 1}");
                }
                else
                {
                    script.Await("go0");
                }

                break;
        }

        script.End(ResultOf(start.Name));
        return new WorkflowResponse { InstanceId = turn.InstanceId, Actions = { script.Actions } };
    }

    internal enum Kind
    {
        Task,
        Timer,
        LongTimer,
        Child,
    }

    private sealed class Script(List<HistoryEvent> events)
    {
        private bool _waiting;
        private int _next;

        public List<WorkflowAction> Actions { get; } = [];

        public Script Then(Kind kind) => All(kind, 1);

        public Script All(Kind kind, int count)
        {
            if (_waiting)
            {
                return this;
            }

            for (var id = _next; id < _next + count; id++)
            {
                if (!Resolved(kind, id))
                {
                    _waiting = true;
                    if (!Created(id))
                    {
                        Actions.Add(Make(kind, id));
                    }
                }
            }

            _next += count;
            return this;
        }

        /// <summary>Begins something and does not wait for it.</summary>
        public Script Beside(Kind kind)
        {
            if (!_waiting && !Created(_next))
            {
                Actions.Add(Make(kind, _next));
            }

            _next++;
            return this;
        }

        public Script Await(string name)
        {
            _waiting = _waiting || !events.Exists(one => one.EventRaised?.Name == name);
            return this;
        }

        public void Again(string input)
        {
            if (!_waiting)
            {
                var action = new CompleteWorkflowAction { WorkflowStatus = OrchestrationStatus.ContinuedAsNew, Result = input };
                action.CarryoverEvents.AddRange(events.Where(one => one.EventRaised is not null));
                Actions.Add(new WorkflowAction { Id = _next, CompleteWorkflow = action });
                _waiting = true;
            }
        }

        public void End(string result)
        {
            if (!_waiting)
            {
                Actions.Add(new WorkflowAction
                {
                    Id = _next,
                    CompleteWorkflow = new CompleteWorkflowAction { WorkflowStatus = OrchestrationStatus.Completed, Result = result },
                });
            }
        }

        private bool Created(int id) => events.Exists(one => one.EventId == id
            && (one.TaskScheduled is not null || one.TimerCreated is not null || one.ChildWorkflowInstanceCreated is not null));

        private bool Resolved(Kind kind, int id) => kind switch
        {
            Kind.Task => events.Exists(one => one.TaskCompleted?.TaskScheduledId == id),
            Kind.Timer => events.Exists(one => one.TimerFired?.TimerId == id),
            _ => events.Exists(one => one.ChildWorkflowInstanceCompleted?.TaskScheduledId == id),
        };

        private WorkflowAction Timer(int id, TimeSpan delay)
        {
            var now = events.Last(one => one.WorkflowStarted is not null).Timestamp.ToDateTimeOffset();
            return new() { Id = id, CreateTimer = new CreateTimerAction { FireAt = Timestamp.FromDateTimeOffset(now + delay) } };
        }

        private WorkflowAction Make(Kind kind, int id) => kind switch
        {
            Kind.Task => new() { Id = id, ScheduleTask = new ScheduleTaskAction { Name = "step", Input = $"{id}" } },
            Kind.Timer => Timer(id, TimeSpan.FromMilliseconds(150)),
            Kind.LongTimer => Timer(id, TimeSpan.FromDays(1)),
            _ => new() { Id = id, CreateChildWorkflow = new CreateChildWorkflowAction { Name = "child", Input = $"{id}" } },
        };
    }
}
