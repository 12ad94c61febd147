using Microsoft.Extensions.Logging;

namespace Dapr.Workflow;

/// <summary>What helpers of workflows need of a context.</summary>
public interface IWorkflowContext
{
    bool IsReplaying { get; }

    DateTime CurrentUtcDateTime { get; }

    bool IsPatched(string patchName);
}

/// <summary>Everything that a workflow may use: it is recorded, and the same again at every replay.</summary>
public abstract class WorkflowContext : IWorkflowContext
{
    public abstract string Name { get; }

    public abstract string InstanceId { get; }

    /// <summary>The time when the current turn began.</summary>
    public abstract DateTime CurrentUtcDateTime { get; }

    /// <summary>Whether this was run before and is only gone through again.</summary>
    public abstract bool IsReplaying { get; }

    /// <summary>True in runs that reach this point first with the patch in the code, false in runs that passed it before.</summary>
    public abstract bool IsPatched(string patchName);

    public virtual Task CallActivityAsync(string name, object? input = null, WorkflowTaskOptions? options = null) =>
        CallActivityAsync<object>(name, input, options);

    /// <exception cref="WorkflowTaskFailedException">The activity failed, in its last attempt if it has a retry policy.</exception>
    public abstract Task<T> CallActivityAsync<T>(string name, object? input = null, WorkflowTaskOptions? options = null);

    public virtual Task CreateTimer(TimeSpan delay, CancellationToken cancellationToken = default) =>
        CreateTimer(CurrentUtcDateTime.Add(delay), cancellationToken);

    public abstract Task CreateTimer(DateTime fireAt, CancellationToken cancellationToken);

    /// <summary>Waits for an event of that name, in any case; events that came before are kept in order.</summary>
    public abstract Task<T> WaitForExternalEventAsync<T>(string eventName, CancellationToken cancellationToken = default);

    /// <summary>The same, but not longer than <paramref name="timeout"/>; negative is for ever, zero not at all.</summary>
    /// <exception cref="TaskCanceledException">No event came in time.</exception>
    public virtual async Task<T> WaitForExternalEventAsync<T>(string eventName, TimeSpan timeout)
    {
        using var stopTimer = new CancellationTokenSource();
        using var stopWaiting = new CancellationTokenSource();
        var timer = CreateTimer(timeout, stopTimer.Token);
        var raised = WaitForExternalEventAsync<T>(eventName, stopWaiting.Token);
        var first = await Task.WhenAny(timer, raised);
        await (first == raised ? stopTimer : stopWaiting).CancelAsync();
        return await raised;
    }

    /// <summary>Not routed by Dapr 1.18: the turn would be given again for ever. Raise events from an activity.</summary>
    public abstract void SendEvent(string instanceId, string eventName, object payload);

    public abstract void SetCustomStatus(object? customStatus);

    public virtual Task CallChildWorkflowAsync(
        string workflowName, object? input = null, ChildWorkflowTaskOptions? options = null) =>
        CallChildWorkflowAsync<object>(workflowName, input, options);

    /// <exception cref="WorkflowTaskFailedException">The child failed or was terminated.</exception>
    public abstract Task<TResult> CallChildWorkflowAsync<TResult>(
        string workflowName, object? input = null, ChildWorkflowTaskOptions? options = null);

    /// <summary>A logger that is silent during replay.</summary>
    public abstract ILogger CreateReplaySafeLogger(string categoryName);

    public abstract ILogger CreateReplaySafeLogger(Type type);

    public abstract ILogger CreateReplaySafeLogger<T>();

    /// <summary>Ends this history and starts the workflow again with a new input, with the events not yet waited for.</summary>
    public abstract void ContinueAsNew(object? newInput = null, bool preserveUnprocessedEvents = true);

    /// <summary>A GUID that is the same at every replay.</summary>
    public abstract Guid NewGuid();
}
