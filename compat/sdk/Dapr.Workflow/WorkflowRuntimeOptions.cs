using Dapr.Workflow.Abstractions;
using Dapr.Workflow.Worker;
using Grpc.Net.Client;

namespace Dapr.Workflow;

/// <summary>What the worker runs. Names are found in any case; the first registration of a name counts.</summary>
public sealed class WorkflowRuntimeOptions
{
    internal WorkflowRegistry Registry { get; } = new();

    public GrpcChannelOptions? GrpcChannelOptions { get; private set; }

    /// <summary>Message limits of the channel to the sidecar, above all.</summary>
    public void UseGrpcChannelOptions(GrpcChannelOptions grpcChannelOptions)
    {
        ArgumentNullException.ThrowIfNull(grpcChannelOptions);
        GrpcChannelOptions = grpcChannelOptions;
    }

    public void RegisterWorkflow<TWorkflow>(string? name = null)
        where TWorkflow : class, IWorkflow => Registry.Add<IWorkflow, TWorkflow>(name);

    public void RegisterWorkflow<TInput, TOutput>(
        string name, Func<WorkflowContext, TInput, Task<TOutput>> implementation)
    {
        ArgumentNullException.ThrowIfNull(implementation);
        Registry.Add<IWorkflow>(name, _ => new WorkflowFunction<TInput, TOutput>(implementation));
    }

    public void RegisterActivity<TActivity>(string? name = null)
        where TActivity : class, IWorkflowActivity => Registry.Add<IWorkflowActivity, TActivity>(name);

    public void RegisterActivity<TInput, TOutput>(
        string name, Func<WorkflowActivityContext, TInput, Task<TOutput>> implementation)
    {
        ArgumentNullException.ThrowIfNull(implementation);
        Registry.Add<IWorkflowActivity>(name, _ => new ActivityFunction<TInput, TOutput>(implementation));
    }

    private sealed class WorkflowFunction<TInput, TOutput>(Func<WorkflowContext, TInput, Task<TOutput>> run)
        : Workflow<TInput, TOutput>
    {
        public override Task<TOutput> RunAsync(WorkflowContext context, TInput input) => run(context, input);
    }

    private sealed class ActivityFunction<TInput, TOutput>(Func<WorkflowActivityContext, TInput, Task<TOutput>> run)
        : WorkflowActivity<TInput, TOutput>
    {
        public override Task<TOutput> RunAsync(WorkflowActivityContext context, TInput input) => run(context, input);
    }
}
