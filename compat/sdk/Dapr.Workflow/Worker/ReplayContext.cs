using Dapr.Common.Serialization;
using Google.Protobuf.WellKnownTypes;
using LocalPlus.Compat.TaskHub;
using Microsoft.Extensions.Logging;

namespace Dapr.Workflow.Worker;

/// <summary>
/// The context of one turn. What the workflow asks for becomes pending actions, numbered from 0 in the order of the calls;
/// history confirms those of former turns and brings their results.
/// </summary>
/// <remarks>
/// The workflow runs on the turn's thread alone: results are set there, and its code goes on inside that call until it
/// waits again. A call from another thread shows that the workflow awaited something else, and is refused.
/// </remarks>
internal sealed partial class ReplayContext(
    string name,
    string instanceId,
    string? executionId,
    string? appId,
    PatchLog patches,
    IDaprSerializer serializer,
    ILoggerFactory loggers) : WorkflowContext
{
    private int turnThread = Environment.CurrentManagedThreadId;
    private readonly SortedDictionary<int, WorkflowAction> pending = [];
    private readonly Dictionary<int, TaskCompletionSource<HistoryEvent>> open = [];
    private readonly Dictionary<string, Queue<TaskCompletionSource<HistoryEvent>>> waiters =
        new(StringComparer.OrdinalIgnoreCase);

    private readonly List<HistoryEvent> unclaimedEvents = [];
    private readonly DeterministicGuids guids = new(executionId, instanceId);
    private WorkflowAction? continuation;
    private bool carryEventsOver;
    private int nextId;
    private DateTime now;
    private bool replaying;

    public override string Name => name;

    public override string InstanceId => instanceId;

    public override DateTime CurrentUtcDateTime => now;

    public override bool IsReplaying => replaying;

    public object? CustomStatus { get; private set; }

    /// <summary>What is asked for and not yet in history, by number.</summary>
    public IEnumerable<WorkflowAction> PendingActions => pending.Values;

    /// <summary>Whether the workflow can still be woken by an event of its history.</summary>
    public bool IsWaiting =>
        open.Values.Concat(waiters.Values.SelectMany(queue => queue)).Any(wait => !wait.Task.IsCompleted);

    public bool IsContinuedAsNew => continuation is not null;

    public override bool IsPatched(string patchName) => patches.Ask(patchName, replaying);

    public override Task<T> CallActivityAsync<T>(string name, object? input = null, WorkflowTaskOptions? options = null)
    {
        if (options?.RetryPolicy is not { } policy)
        {
            return CallAsync<T>(name, input, options);
        }

        var firstExecution = guids.TaskExecution(nextId, name);
        return RetryAsync(
            policy,
            () => CallAsync<T>(name, input, options),
            fireAt => AddTimer(new CreateTimerAction
            {
                FireAt = fireAt,
                ActivityRetry = new TimerOriginActivityRetry { TaskExecutionId = firstExecution },
            }));
    }

    public override Task<TResult> CallChildWorkflowAsync<TResult>(
        string workflowName, object? input = null, ChildWorkflowTaskOptions? options = null)
    {
        if (options?.RetryPolicy is not { } policy)
        {
            return CallChildAsync<TResult>(workflowName, input, options);
        }

        var firstInstance = options.InstanceId ?? NewGuid().ToString();
        return RetryAsync(
            policy,
            () => CallChildAsync<TResult>(workflowName, input, options),
            fireAt => AddTimer(new CreateTimerAction
            {
                FireAt = fireAt,
                ChildWorkflowRetry = new TimerOriginChildWorkflowRetry { InstanceId = firstInstance },
            }));
    }

    public override Task CreateTimer(DateTime fireAt, CancellationToken cancellationToken)
    {
        var timer = AddTimer(new CreateTimerAction
        {
            FireAt = Timestamp.FromDateTime(fireAt.ToUniversalTime()),
            CreateTimer = new TimerOriginCreateTimer(),
        });
        return Cancellable(timer, cancellationToken);
    }

    public override async Task<T> WaitForExternalEventAsync<T>(
        string eventName, CancellationToken cancellationToken = default) =>
        Read<T>((await Cancellable(AddWaiter(eventName), cancellationToken)).EventRaised.Input);

    public override async Task<T> WaitForExternalEventAsync<T>(string eventName, TimeSpan timeout)
    {
        if (timeout == TimeSpan.Zero)
        {
            throw new TaskCanceledException($"The wait for event '{eventName}' has a timeout of zero.");
        }

        var timer = AddTimer(new CreateTimerAction
        {
            FireAt = timeout < TimeSpan.Zero ? SyntheticTimers.Never : Timestamp.FromDateTime(now.Add(timeout)),
            ExternalEvent = new TimerOriginExternalEvent { Name = eventName },
        });
        var waiter = AddWaiter(eventName);
        if (await Task.WhenAny(timer.Task, waiter.Task) == timer.Task)
        {
            waiter.TrySetCanceled();
            throw new TaskCanceledException($"No event '{eventName}' came within {timeout}.");
        }

        timer.TrySetCanceled();
        return Read<T>((await waiter.Task).EventRaised.Input);
    }

    public override void SendEvent(string instanceId, string eventName, object payload)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(instanceId);
        ArgumentException.ThrowIfNullOrWhiteSpace(eventName);
        Add(new WorkflowAction
        {
            SendEvent = new SendEventAction
            {
                Instance = new WorkflowInstance { InstanceId = instanceId },
                Name = eventName,
                Data = Write(payload),
            },
        });
    }

    public override void SetCustomStatus(object? customStatus) => CustomStatus = customStatus;

    public override void ContinueAsNew(object? newInput = null, bool preserveUnprocessedEvents = true)
    {
        carryEventsOver = preserveUnprocessedEvents;
        continuation = Add(new WorkflowAction
        {
            CompleteWorkflow = new CompleteWorkflowAction
            {
                WorkflowStatus = OrchestrationStatus.ContinuedAsNew,
                Result = Write(newInput),
            },
        });
    }

    public override Guid NewGuid() => guids.Next();

    public override ILogger CreateReplaySafeLogger(string categoryName) =>
        new ReplaySafeLogger(loggers.CreateLogger(categoryName), this);

    public override ILogger CreateReplaySafeLogger(System.Type type) =>
        new ReplaySafeLogger(loggers.CreateLogger(type), this);

    public override ILogger CreateReplaySafeLogger<T>() => new ReplaySafeLogger(loggers.CreateLogger<T>(), this);

    /// <summary>The end of the run, as one more action. Nothing is added when it was continued as new.</summary>
    public void Complete(CompleteWorkflowAction completion) =>
        AddNumbered(new WorkflowAction { CompleteWorkflow = completion });

    /// <summary>History is told. Whatever the workflow still asks for now was woken by something else.</summary>
    public void EndReplay() => turnThread = 0;

    /// <summary>Hands the events that nobody waited for to the next generation.</summary>
    public void CarryEventsOver()
    {
        if (carryEventsOver)
        {
            continuation?.CompleteWorkflow.CarryoverEvents.Add(unclaimedEvents);
        }
    }

    public string Write(object? value) => serializer.Serialize(value);

    private async Task<T> CallAsync<T>(string name, object? input, WorkflowTaskOptions? options)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        var router = Router(options);
        var result = await AddOpen(new WorkflowAction
        {
            ScheduleTask = new ScheduleTaskAction
            {
                Name = name,
                Input = Write(input),
                TaskExecutionId = guids.TaskExecution(nextId, name),
                Router = router,
            },
            Router = router,
        }).Task;
        return result.TaskFailed is { } failed
            ? throw new WorkflowTaskFailedException(
                $"Task failed: {failed.FailureDetails?.ErrorMessage ?? "Unknown error"}", Details(failed.FailureDetails))
            : Read<T>(result.TaskCompleted.Result);
    }

    private async Task<T> CallChildAsync<T>(string name, object? input, ChildWorkflowTaskOptions? options)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        var router = Router(options);
        var result = await AddOpen(new WorkflowAction
        {
            CreateChildWorkflow = new CreateChildWorkflowAction
            {
                InstanceId = options?.InstanceId ?? NewGuid().ToString(),
                Name = name,
                Input = Write(input),
                Router = router,
            },
            Router = router,
        }).Task;

        // A terminated child fails without details.
        return result.ChildWorkflowInstanceFailed is { } failed
            ? throw new WorkflowTaskFailedException($"Child workflow '{name}' failed", Details(failed.FailureDetails))
            : Read<T>(result.ChildWorkflowInstanceCompleted.Result);
    }

    private async Task<T> RetryAsync<T>(
        WorkflowRetryPolicy policy, Func<Task<T>> attempt,
        Func<Timestamp, TaskCompletionSource<HistoryEvent>> waitUntil)
    {
        var giveUpAt = policy.RetryTimeout == Timeout.InfiniteTimeSpan || policy.RetryTimeout == TimeSpan.MaxValue
            ? DateTime.MaxValue
            : now + policy.RetryTimeout;
        for (var attempts = 1; ; attempts++)
        {
            try
            {
                return await attempt();
            }
            catch (WorkflowTaskFailedException) when (attempts < policy.MaxNumberOfAttempts && now < giveUpAt)
            {
                var delay = policy.FirstRetryInterval * Math.Pow(policy.BackoffCoefficient, attempts - 1);
                await waitUntil(Timestamp.FromDateTime(
                    now + (policy.MaxRetryInterval is { } longest && delay > longest ? longest : delay))).Task;
            }
        }
    }

    private TaskCompletionSource<HistoryEvent> AddTimer(CreateTimerAction timer) =>
        AddOpen(new WorkflowAction { CreateTimer = timer });

    private TaskCompletionSource<HistoryEvent> AddOpen(WorkflowAction action)
    {
        var result = new TaskCompletionSource<HistoryEvent>();
        open.Add(Add(action).Id, result);
        return result;
    }

    private WorkflowAction Add(WorkflowAction action) => Environment.CurrentManagedThreadId == turnThread
        ? AddNumbered(action)
        : throw new InvalidOperationException(NonDeterminism.ForeignAwait(name));

    private WorkflowAction AddNumbered(WorkflowAction action)
    {
        action.Id = nextId++;
        pending.Add(action.Id, action);
        return action;
    }

    private TaskCompletionSource<HistoryEvent> AddWaiter(string eventName)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(eventName);
        var waiter = new TaskCompletionSource<HistoryEvent>();
        var early = unclaimedEvents.FindIndex(e => eventName.Equals(e.EventRaised.Name, StringComparison.OrdinalIgnoreCase));
        if (early >= 0)
        {
            waiter.SetResult(unclaimedEvents[early]);
            unclaimedEvents.RemoveAt(early);
            return waiter;
        }

        if (!waiters.TryGetValue(eventName, out var queue))
        {
            waiters.Add(eventName, queue = new());
        }

        queue.Enqueue(waiter);
        return waiter;
    }

    private static async Task<HistoryEvent> Cancellable(
        TaskCompletionSource<HistoryEvent> wait, CancellationToken cancel)
    {
        using var _ = cancel.UnsafeRegister(static wait => ((TaskCompletionSource<HistoryEvent>)wait!).TrySetCanceled(), wait);
        return await wait.Task;
    }

    private TaskRouter? Router(WorkflowTaskOptions? options)
    {
        if (options is { PropagationScope: not HistoryPropagationScope.None })
        {
            throw new NotSupportedException("History propagation is not supported.");
        }

        return string.IsNullOrWhiteSpace(options?.TargetAppId) || string.IsNullOrWhiteSpace(appId)
            ? null
            : new TaskRouter { SourceAppID = appId, TargetAppID = options.TargetAppId };
    }

    private static WorkflowTaskFailureDetails Details(TaskFailureDetails? details) =>
        new(details?.ErrorType ?? "Exception", details?.ErrorMessage ?? "Unknown error", details?.StackTrace ?? "");

    private T Read<T>(string? text) => string.IsNullOrEmpty(text) ? default! : serializer.Deserialize<T>(text)!;
}
