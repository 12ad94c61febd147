using Dapr.Common.Serialization;
using Dapr.Workflow.Worker;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Dapr.Workflow;

/// <summary>Adds the worker and the client.</summary>
public static class WorkflowServiceCollectionExtensions
{
    public static IServiceCollection AddDaprWorkflow(this IServiceCollection services) =>
        services.AddDaprWorkflow(_ => { });

    /// <summary>
    /// The sidecar's address and token come from configuration, then from the environment. Payloads are JSON as the web
    /// writes it, unless an <see cref="IDaprSerializer"/> was registered before.
    /// </summary>
    public static IServiceCollection AddDaprWorkflow(
        this IServiceCollection services, Action<WorkflowRuntimeOptions> configure,
        ServiceLifetime lifetime = ServiceLifetime.Singleton)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(configure);
        var options = new WorkflowRuntimeOptions();
        configure(options);
        services.AddSingleton(options);
        services.TryAddSingleton<IDaprSerializer>(new JsonDaprSerializer());
        services.TryAddSingleton<TaskHub>();
        services.TryAddSingleton<WorkItems>();
        services.AddHostedService<WorkflowWorker>();
        services.Add(new ServiceDescriptor(
            typeof(DaprWorkflowClient),
            provider => new DaprWorkflowClient(
                provider.GetRequiredService<TaskHub>(), provider.GetRequiredService<IDaprSerializer>()),
            lifetime));
        return services;
    }
}
