using Dapr.Workflow;

namespace LocalPlus.Perf.Workflow;

/// <summary>What the worker process runs: activities that do nothing, one after another.</summary>
internal static class Chain
{
    public const string Workflow = "chain";

    public static void Register(WorkflowRuntimeOptions options)
    {
        options.RegisterActivity<int, int>("nothing", (_, step) => Task.FromResult(step));
        options.RegisterWorkflow<int, int>(
            Workflow,
            async (context, steps) =>
            {
                for (var step = 0; step < steps; step++)
                {
                    await context.CallActivityAsync<int>("nothing", step);
                }

                return steps;
            }
        );
    }
}
