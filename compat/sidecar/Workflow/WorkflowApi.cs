using System.Text;
using Dapr.DurableTask.Protobuf;
using Google.Protobuf.WellKnownTypes;
using LocalPlus.Sidecar.Api;

namespace LocalPlus.Sidecar.Workflow;

/// <summary>A run as the management API shows it.</summary>
internal sealed record WorkflowInfo(
    string InstanceId,
    string Name,
    Timestamp CreatedAt,
    Timestamp UpdatedAt,
    string Status,
    IReadOnlyDictionary<string, string> Properties
);

/// <summary>
/// Dapr's workflow management API, behind HTTP and behind the gRPC calls of the Dapr service. Refusals are
/// <see cref="ApiException"/> with daprd's codes and texts.
/// </summary>
internal sealed class WorkflowApi(WorkflowEngine engine)
{
    /// <summary>
    /// Starts a run; an empty id means a random one. Answers once the start is stored, before the first turn.
    /// </summary>
    public async Task<string> StartAsync(
        string name,
        string id,
        string input,
        DateTimeOffset? startAt,
        Dapr.DurableTask.Protobuf.TraceContext? trace,
        CancellationToken cancel
    )
    {
        id = id.Length > 0 ? id : Guid.NewGuid().ToString();
        CheckNewId(id);
        if (name.Length == 0)
        {
            throw ApiException.Simple(
                400,
                GrpcCode.InvalidArgument,
                "ERR_WORKFLOW_NAME_MISSING",
                "workflow name is not configured"
            );
        }

        var call = new StartCall(id, name, input)
        {
            StartAt = startAt,
            AnswerEarly = true,
            Trace = trace,
        };
        for (var attempt = 0; ; attempt++)
        {
            try
            {
                await engine.StartAsync(call, cancel);
                return id;
            }
            catch (WorkflowFault fault)
                when (attempt < WorkflowLimits.StartRetries && fault.Code == FaultCode.AlreadyExists)
            {
                await Task.Delay(TimeSpan.FromSeconds(1), cancel);
            }
            catch (WorkflowFault fault)
            {
                throw Failed(
                    "ERR_START_WORKFLOW",
                    $"error starting workflow '{name}': unable to start workflow: failed to start workflow: {GoText(fault)}",
                    fault
                );
            }
        }
    }

    /// <summary>Null when there is no such run.</summary>
    public async Task<WorkflowInfo?> GetAsync(string id, CancellationToken cancel)
    {
        RequireId(id);
        try
        {
            return await engine.GetAsync(id, cancel) is { } view ? Info(view) : null;
        }
        catch (WorkflowFault fault)
        {
            throw Failed(
                "ERR_GET_WORKFLOW",
                $"error while getting workflow info on instance '{id}': failed to get workflow metadata for '{id}': {GoText(fault)}",
                fault
            );
        }
    }

    public async Task TerminateAsync(string id, CancellationToken cancel)
    {
        RequireId(id);
        try
        {
            await engine.SendAsync(
                id,
                one => one.ExecutionTerminated = new ExecutionTerminatedEvent { Recurse = true },
                cancel
            );
        }
        catch (WorkflowFault fault) when (fault.Message == WorkflowFault.NoSuchInstance)
        {
            throw NotFound($"{id}%!(EXTRA *fmt.wrapError=failed to submit termination request:: {fault.Message})");
        }
        catch (WorkflowFault fault)
        {
            throw Failed(
                "ERR_TERMINATE_WORKFLOW",
                $"error terminating workflow '{id}': failed to terminate workflow {id}: failed to submit termination request:: {GoText(fault)}",
                fault
            );
        }
    }

    public async Task RaiseAsync(string id, string name, string? input, CancellationToken cancel)
    {
        RequireId(id);
        if (name.Length == 0)
        {
            throw ApiException.Simple(
                400,
                GrpcCode.InvalidArgument,
                "ERR_WORKFLOW_EVENT_NAME_MISSING",
                "missing workflow event name"
            );
        }

        try
        {
            await engine.SendAsync(
                id,
                one => one.EventRaised = new EventRaisedEvent { Name = name, Input = input },
                cancel
            );
        }
        catch (WorkflowFault fault)
        {
            throw Failed(
                "ERR_RAISE_EVENT_WORKFLOW",
                $"error raising event on workflow '{id}': failed to raise event {name} on workflow {id}: failed to raise event: {GoText(fault)}",
                fault
            );
        }
    }

    public async Task PauseAsync(string id, CancellationToken cancel)
    {
        RequireId(id);
        try
        {
            await engine.SendAsync(id, one => one.ExecutionSuspended = new ExecutionSuspendedEvent(), cancel);
        }
        catch (WorkflowFault fault)
        {
            throw Failed(
                "ERR_PAUSE_WORKFLOW",
                $"error pausing workflow {id}: failed to pause workflow {id}: failed to suspend workflow: {GoText(fault)}",
                fault
            );
        }
    }

    public async Task ResumeAsync(string id, CancellationToken cancel)
    {
        RequireId(id);
        try
        {
            await engine.SendAsync(id, one => one.ExecutionResumed = new ExecutionResumedEvent(), cancel);
        }
        catch (WorkflowFault fault)
        {
            throw Failed(
                "ERR_RESUME_WORKFLOW",
                $"error resuming workflow {id}: failed to resume workflow {id}: failed to resume workflow: {GoText(fault)}",
                fault
            );
        }
    }

    /// <summary>Removes a finished run and all below it.</summary>
    public async Task PurgeAsync(string id, CancellationToken cancel)
    {
        RequireId(id);
        try
        {
            await engine.PurgeWithReasonAsync(id, recursive: true, force: false, cancel);
        }
        catch (WorkflowFault fault)
            when (fault.Message.EndsWith(WorkflowFault.NoSuchInstance, StringComparison.Ordinal))
        {
            throw NotFound($"{id}%!(EXTRA *fmt.wrapError={fault.Message})");
        }
        catch (WorkflowFault fault)
        {
            throw Failed(
                "ERR_PURGE_WORKFLOW",
                $"error purging workflow {id}: failed to Purge workflow {id}: {GoText(fault)}",
                fault
            );
        }
    }

    public static ApiException NotFound(string id) =>
        ApiException.Simple(
            404,
            GrpcCode.NotFound,
            "ERR_INSTANCE_ID_NOT_FOUND",
            $"unable to find workflow with the provided instance ID: {id}"
        );

    private static WorkflowInfo Info(RunView view)
    {
        var properties = new SortedDictionary<string, string>(StringComparer.Ordinal);
        Add("dapr.workflow.custom_status", view.CustomStatus);
        Add("dapr.workflow.input", view.Input);
        Add("dapr.workflow.output", view.Failure is null ? view.Output : null);
        Add("dapr.workflow.failure.error_type", view.Failure?.ErrorType);
        Add("dapr.workflow.failure.error_message", view.Failure?.ErrorMessage);
        Add("dapr.workflow.failure.stack_trace", view.Failure?.StackTrace);
        return new WorkflowInfo(
            view.InstanceId,
            view.Name,
            view.CreatedAt,
            view.UpdatedAt,
            StatusName(view.Status),
            properties
        );

        void Add(string name, string? value)
        {
            if (value is not null)
            {
                properties[name] = value;
            }
        }
    }

    // daprd's table ends before STALLED.
    private static string StatusName(OrchestrationStatus status) =>
        status switch
        {
            OrchestrationStatus.Running => "RUNNING",
            OrchestrationStatus.Completed => "COMPLETED",
            OrchestrationStatus.ContinuedAsNew => "CONTINUED_AS_NEW",
            OrchestrationStatus.Failed => "FAILED",
            OrchestrationStatus.Canceled => "CANCELED",
            OrchestrationStatus.Terminated => "TERMINATED",
            OrchestrationStatus.Pending => "PENDING",
            OrchestrationStatus.Suspended => "SUSPENDED",
            _ => "UNKNOWN",
        };

    private static void CheckNewId(string id)
    {
        if (Encoding.UTF8.GetByteCount(id) > WorkflowLimits.InstanceIdLength)
        {
            throw ApiException.Simple(
                400,
                GrpcCode.InvalidArgument,
                "ERR_INSTANCE_ID_TOO_LONG",
                $"workflow instance ID exceeds the max length of {WorkflowLimits.InstanceIdLength} characters"
            );
        }

        if (!id.EnumerateRunes().All(rune => Rune.IsLetterOrDigit(rune) || rune.Value is '_' or '-'))
        {
            throw ApiException.Simple(
                400,
                GrpcCode.InvalidArgument,
                "ERR_INSTANCE_ID_INVALID",
                $"workflow instance ID '{id}' is invalid: only alphanumeric and underscore characters are allowed"
            );
        }
    }

    private static void RequireId(string id)
    {
        if (id.Length == 0)
        {
            throw ApiException.Simple(
                400,
                GrpcCode.InvalidArgument,
                "ERR_INSTANCE_ID_PROVIDED_MISSING",
                "no instance ID was provided"
            );
        }
    }

    private static string GoText(WorkflowFault fault) =>
        fault.Code == FaultCode.AlreadyExists
            ? "rpc error: code = AlreadyExists desc = " + fault.Message
            : fault.Message;

    private static ApiException Failed(string code, string message, WorkflowFault fault) =>
        fault.Message == WorkflowFault.NoActorStore
            ? ApiException.Simple(500, GrpcCode.Internal, "ERR_ACTOR_RUNTIME_NOT_FOUND", WorkflowFault.NoActorStore)
            : ApiException.Simple(500, GrpcCode.Internal, code, message);
}
