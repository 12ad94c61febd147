using Dapr.Common.Serialization;
using LocalPlus.Compat.TaskHub;
using Microsoft.Extensions.Logging;

namespace Dapr.Workflow.Worker;

/// <summary>
/// One turn of a run: the workflow is run from the start against its history, then against the new events, and what it
/// asks for beyond that is the answer. A turn has no effect but its answer, so it may be given twice.
/// </summary>
internal sealed class WorkflowTurn(WorkflowRegistry registry, IDaprSerializer serializer, ILoggerFactory loggers)
{
    /// <summary>
    /// How long a workflow that awaits something foreign may take to come back before it is told so. Awaits that end
    /// at once are harmless, and those that do not would keep the run waiting for ever.
    /// </summary>
    private static readonly TimeSpan ForeignAwaitLimit = TimeSpan.FromSeconds(1);

    // On a thread without a synchronisation context, where a result runs the code that waits for it at once.
    public Task<WorkflowResponse> RunAsync(
        WorkflowRequest request, IReadOnlyCollection<HistoryEvent> past, IServiceProvider services) =>
        Task.Run(() => ReplayAsync(request, past, services));

    private async Task<WorkflowResponse> ReplayAsync(
        WorkflowRequest request, IReadOnlyCollection<HistoryEvent> past, IServiceProvider services)
    {
        var response = new WorkflowResponse { InstanceId = request.InstanceId };
        var events = past.Concat(request.NewEvents).ToArray();
        if (events.FirstOrDefault(e => e.ExecutionTerminated is not null)?.ExecutionTerminated is { } terminated)
        {
            response.Actions.Add(new WorkflowAction
            {
                CompleteWorkflow = new CompleteWorkflowAction
                {
                    WorkflowStatus = OrchestrationStatus.Terminated,
                    Result = terminated.Input,
                },
            });
            return response;
        }

        if (events.FirstOrDefault(e => e.ExecutionStarted is not null) is not { } started)
        {
            return response;
        }

        var name = started.ExecutionStarted.Name;
        var patches = new PatchLog(past);
        var context = new ReplayContext(
            name, request.InstanceId, request.ExecutionId, started.Router?.SourceAppID, patches, serializer, loggers);
        try
        {
            if (await RunAsync(context, events, past.Count, services))
            {
                context.CarryEventsOver();
                response.Actions.Add(context.PendingActions);
            }
        }
        catch (Exception e)
        {
            // Of a run that broke in the middle nothing is kept but its failure.
            response.Actions.Add(new WorkflowAction { CompleteWorkflow = Failed(e) });
        }

        // The engine keeps neither from the answer before.
        response.CustomStatus = context.CustomStatus is null ? null : context.Write(context.CustomStatus);
        response.Version = patches.Version(name);
        return response;
    }

    /// <summary>False while the run is suspended: what it asks for waits for the resumption.</summary>
    private async Task<bool> RunAsync(
        ReplayContext context, HistoryEvent[] events, int pastCount, IServiceProvider services)
    {
        if (!registry.TryCreate<IWorkflow>(context.Name, services, out var workflow))
        {
            context.Complete(Failed("WorkflowNotFound", $"Workflow '{context.Name}' is not registered in this app."));
            return true;
        }

        if (Replay(workflow, context, events, pastCount) is not { } run)
        {
            return false;
        }

        await FinishAsync(run, context);
        return true;
    }

    /// <summary>Gives the workflow its events; null while it is suspended.</summary>
    private Task<object?>? Replay(IWorkflow workflow, ReplayContext context, HistoryEvent[] events, int pastCount)
    {
        Task<object?>? run = null;
        var heldBack = new Queue<HistoryEvent>();
        var suspended = false;
        for (var i = 0; i < events.Length; i++)
        {
            var replaying = i < pastCount;
            switch (events[i].EventTypeCase)
            {
                case HistoryEvent.EventTypeOneofCase.ExecutionSuspended:
                    suspended = true;
                    break;
                case HistoryEvent.EventTypeOneofCase.ExecutionResumed:
                    suspended = false;
                    while (heldBack.TryDequeue(out var e))
                    {
                        Give(e, replaying);
                    }

                    break;
                case not HistoryEvent.EventTypeOneofCase.WorkflowStarted when suspended:
                    heldBack.Enqueue(events[i]);
                    break;
                default:
                    Give(events[i], replaying);
                    break;
            }
        }

        context.EndReplay();
        return suspended ? null : run;

        void Give(HistoryEvent e, bool replaying)
        {
            context.Apply(e, replaying);
            if (e.ExecutionStarted is { } started)
            {
                var input = string.IsNullOrEmpty(started.Input)
                    ? null
                    : serializer.Deserialize(started.Input, workflow.InputType);
                run = workflow.RunAsync(context, input);
            }
        }
    }

    private static async Task FinishAsync(Task<object?> run, ReplayContext context)
    {
        if (!run.IsCompleted && !context.IsWaiting && !context.IsContinuedAsNew
            && await Task.WhenAny(run, Task.Delay(ForeignAwaitLimit)) != run)
        {
            throw new InvalidOperationException(NonDeterminism.ForeignAwait(context.Name));
        }

        if (!run.IsCompleted || context.IsContinuedAsNew)
        {
            return;
        }

        try
        {
            context.Complete(new CompleteWorkflowAction
            {
                WorkflowStatus = OrchestrationStatus.Completed,
                Result = context.Write(await run),
            });
        }
        catch (Exception e)
        {
            context.Complete(Failed(e));
        }
    }

    private static CompleteWorkflowAction Failed(Exception e) =>
        Failed(e.GetType().FullName ?? e.GetType().Name, e.Message, e.StackTrace);

    private static CompleteWorkflowAction Failed(string type, string message, string? stack = null) => new()
    {
        WorkflowStatus = OrchestrationStatus.Failed,
        FailureDetails = new TaskFailureDetails
        {
            ErrorType = type,
            ErrorMessage = message,
            StackTrace = stack ?? "",
            IsNonRetriable = true,
        },
    };
}
