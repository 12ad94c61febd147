namespace Dapr.Workflow;

/// <summary>Where a run stands.</summary>
public enum WorkflowRuntimeStatus
{
    Unknown = -1,
    Running = 0,
    Completed,
    ContinuedAsNew,
    Failed,
    Canceled,
    Terminated,
    Pending,
    Suspended,
    Stalled,
}
