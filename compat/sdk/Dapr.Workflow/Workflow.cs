using Dapr.Workflow.Abstractions;

namespace Dapr.Workflow.Abstractions
{
    /// <summary>The name that a workflow or activity is registered under.</summary>
    public readonly record struct TaskIdentifier(string Name)
    {
        public override string ToString() => Name;
    }

    /// <summary>An activity as the worker runs it.</summary>
    public interface IWorkflowActivity
    {
        Type InputType { get; }

        Type OutputType { get; }

        Task<object?> RunAsync(WorkflowActivityContext context, object? input);
    }
}

namespace Dapr.Workflow
{
    /// <summary>A workflow as the worker runs it.</summary>
    public interface IWorkflow
    {
        Type InputType { get; }

        Type OutputType { get; }

        Task<object?> RunAsync(WorkflowContext context, object? input);
    }

    /// <summary>
    /// A workflow. It is run again from the start at every turn, so it must do the same each time: no clock, no chance,
    /// no input or output, and it awaits nothing but what its context gives.
    /// </summary>
    public abstract class Workflow<TInput, TOutput> : IWorkflow
    {
        Type IWorkflow.InputType => typeof(TInput);

        Type IWorkflow.OutputType => typeof(TOutput);

        public abstract Task<TOutput> RunAsync(WorkflowContext context, TInput input);

        async Task<object?> IWorkflow.RunAsync(WorkflowContext context, object? input) =>
            await RunAsync(context, (TInput)input!);
    }

    /// <summary>A step of a workflow. It may be run more than once.</summary>
    public abstract class WorkflowActivity<TInput, TOutput> : IWorkflowActivity
    {
        Type IWorkflowActivity.InputType => typeof(TInput);

        Type IWorkflowActivity.OutputType => typeof(TOutput);

        public abstract Task<TOutput> RunAsync(WorkflowActivityContext context, TInput input);

        async Task<object?> IWorkflowActivity.RunAsync(WorkflowActivityContext context, object? input) =>
            await RunAsync(context, (TInput)input!);
    }

    /// <summary>Which run an activity belongs to.</summary>
    public abstract class WorkflowActivityContext
    {
        public abstract TaskIdentifier Identifier { get; }

        /// <summary>The same when the activity is run again for the same attempt, another for the next attempt.</summary>
        public abstract string TaskExecutionKey { get; }

        public abstract string InstanceId { get; }
    }
}
