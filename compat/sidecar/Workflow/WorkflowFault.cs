namespace LocalPlus.Sidecar.Workflow;

/// <summary>gRPC status numbers that the engine answers with; the transport maps them one to one.</summary>
internal enum FaultCode
{
    Unknown = 2,
    InvalidArgument = 3,
    NotFound = 5,
    AlreadyExists = 6,
    ResourceExhausted = 8,
    FailedPrecondition = 9,
    Unimplemented = 12,
    Internal = 13,
    Unavailable = 14,
}

/// <summary>A call the engine refuses: status and text as daprd's gRPC API gives them.</summary>
internal sealed class WorkflowFault(FaultCode code, string message) : Exception(message)
{
    public FaultCode Code { get; } = code;

    public const string NoSuchInstance = "no such instance exists";
    public const string NotCompleted = "orchestration has not yet completed";
    public const string NoActorStore =
        "the state store is not configured to use the actor runtime. "
        + "Have you set the - name: actorStateStore value: \"true\" in your state store component file?";

    public static WorkflowFault Missing() => new(FaultCode.Unknown, NoSuchInstance);

    public static WorkflowFault Unfinished() => new(FaultCode.Unknown, NotCompleted);

    public static WorkflowFault ActiveId(string id) =>
        new(FaultCode.AlreadyExists, $"an active workflow with ID '{id}' already exists");

    public static WorkflowFault ActiveChild(string id, string child) =>
        new(
            FaultCode.AlreadyExists,
            $"cannot recreate workflow with ID '{id}': child workflow '{child}': {NotCompleted}"
        );

    public static WorkflowFault Stalled(string id, string what = "method") =>
        new(FaultCode.Unknown, $"failed to invoke {what} for workflow '{id}': actor is stalled");

    public static WorkflowFault NoWorker(string appId, string actorNamespace, string id) =>
        new(
            FaultCode.FailedPrecondition,
            "failed to lookup actor: api error: code = FailedPrecondition desc = "
                + $"did not find address for actor 'dapr.internal.{actorNamespace}.{appId}.workflow/{id}'"
        );

    public static WorkflowFault StoreAway(string why) =>
        new(FaultCode.Unavailable, $"the workflow store cannot be reached: {why}");

    public static WorkflowFault Busy() => new(FaultCode.ResourceExhausted, "too many workflow calls are under way");

    /// <summary>The same refusal below another sentence, as Go wraps errors.</summary>
    public WorkflowFault Within(string prefix) => new(Code, prefix + Message);
}

/// <summary>The engine lost its hold of the store; what was asked may or may not have been done.</summary>
internal sealed class SessionLostException(Exception? cause)
    : Exception(cause?.Message ?? "the engine is stopping", cause);
