using System.Diagnostics;
using System.Globalization;
using Dapr.Common.Serialization;
using Dapr.Workflow.Abstractions;
using LocalPlus.Compat.TaskHub;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Dapr.Workflow.Worker;

/// <summary>Turns work items into answers. Each is run in a container scope of its own.</summary>
internal sealed class WorkItems(
    WorkflowRuntimeOptions options, TaskHub hub, IDaprSerializer serializer, IServiceScopeFactory scopes,
    ILoggerFactory loggers, ILogger<WorkItems> log)
{
    private static readonly ActivitySource Traces = new("Dapr.Workflow");

    private readonly WorkflowTurn turn = new(options.Registry, serializer, loggers);

    public static WorkflowResponse TooLarge(WorkflowResponse response, Exception e) => new()
    {
        InstanceId = response.InstanceId,
        Actions =
        {
            new WorkflowAction
            {
                CompleteWorkflow = new CompleteWorkflowAction
                {
                    WorkflowStatus = OrchestrationStatus.Failed,
                    FailureDetails = Details(e),
                },
            },
        },
    };

    public static ActivityResponse TooLarge(ActivityResponse response, Exception e) => new()
    {
        InstanceId = response.InstanceId,
        TaskId = response.TaskId,
        FailureDetails = Details(e),
    };

    public async Task<WorkflowResponse> RunAsync(WorkflowRequest request)
    {
        IReadOnlyCollection<HistoryEvent> past = request.PastEvents;
        if (request.RequiresHistoryStreaming)
        {
            var history = await hub.Client.GetInstanceHistoryAsync(
                new GetInstanceHistoryRequest { InstanceId = request.InstanceId }, hub.Options(CancellationToken.None));
            past = history.Events;
        }

        await using var scope = scopes.CreateAsyncScope();
        var response = await turn.RunAsync(request, past, scope.ServiceProvider);
        foreach (var action in response.Actions)
        {
            if (action.CompleteWorkflow?.FailureDetails is { } failure)
            {
                log.RunFailed(request.InstanceId, failure.ErrorType, failure.ErrorMessage);
            }
        }

        return response;
    }

    public async Task<ActivityResponse> RunAsync(ActivityRequest request)
    {
        var response = new ActivityResponse
        {
            InstanceId = request.WorkflowInstance?.InstanceId ?? "",
            TaskId = request.TaskId,
        };
        using var trace = StartTrace(request);
        try
        {
            await using var scope = scopes.CreateAsyncScope();
            if (!options.Registry.TryCreate<IWorkflowActivity>(request.Name, scope.ServiceProvider, out var activity))
            {
                response.FailureDetails = new TaskFailureDetails
                {
                    ErrorType = "ActivityNotFoundException",
                    ErrorMessage = $"Activity '{request.Name}' not found",
                };
                return response;
            }

            var input = string.IsNullOrEmpty(request.Input) ? null : serializer.Deserialize(request.Input, activity.InputType);
            response.Result = serializer.Serialize(await activity.RunAsync(new Context(request), input));
        }
        catch (Exception e)
        {
            trace?.SetStatus(ActivityStatusCode.Error, e.Message);
            log.ActivityFailed(e, request.Name, response.InstanceId);
            response.FailureDetails = Details(e);
        }

        return response;
    }

    private static TaskFailureDetails Details(Exception e) => new()
    {
        ErrorType = e.GetType().FullName ?? e.GetType().Name,
        ErrorMessage = e.Message,
        StackTrace = e.StackTrace ?? "",
    };

    // Without a listener the trace still goes on to whatever the activity calls.
    private static Activity? StartTrace(ActivityRequest request)
    {
        if (!ActivityContext.TryParse(
            request.ParentTraceContext?.TraceParent, request.ParentTraceContext?.TraceState, isRemote: true, out var parent))
        {
            return null;
        }

        var name = $"WorkflowActivity {request.Name}";
        return Traces.StartActivity(name, ActivityKind.Internal, parent)
            ?? new Activity(name).SetParentId(parent.TraceId, parent.SpanId, parent.TraceFlags).Start();
    }

    private sealed class Context(ActivityRequest request) : WorkflowActivityContext
    {
        public override TaskIdentifier Identifier => new(request.Name);

        public override string TaskExecutionKey => string.IsNullOrEmpty(request.TaskExecutionId)
            ? request.TaskId.ToString(CultureInfo.InvariantCulture)
            : request.TaskExecutionId;

        public override string InstanceId => request.WorkflowInstance?.InstanceId ?? "";
    }
}
