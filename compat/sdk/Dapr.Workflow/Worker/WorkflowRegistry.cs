using System.Diagnostics.CodeAnalysis;
using Dapr.Workflow.Abstractions;
using Microsoft.Extensions.DependencyInjection;

namespace Dapr.Workflow.Worker;

/// <summary>The workflows and activities that this application runs, by name in any case.</summary>
internal sealed class WorkflowRegistry
{
    private readonly Dictionary<string, Func<IServiceProvider, object>> workflows = new(StringComparer.OrdinalIgnoreCase);
    private readonly Dictionary<string, Func<IServiceProvider, object>> activities = new(StringComparer.OrdinalIgnoreCase);

    public void Add<TKind, TImplementation>(string? name)
        where TKind : class
        where TImplementation : class, TKind
    {
        var create = ActivatorUtilities.CreateFactory<TImplementation>([]);
        Add<TKind>(name ?? typeof(TImplementation).Name, provider => create(provider, []));
    }

    public void Add<TKind>(string name, Func<IServiceProvider, TKind> create)
        where TKind : class
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        Of<TKind>().TryAdd(name, create);
    }

    public bool TryCreate<TKind>(string name, IServiceProvider provider, [NotNullWhen(true)] out TKind? created)
        where TKind : class
    {
        created = Of<TKind>().TryGetValue(name, out var create) ? (TKind)create(provider) : null;
        return created is not null;
    }

    private Dictionary<string, Func<IServiceProvider, object>> Of<TKind>() =>
        typeof(TKind) == typeof(IWorkflowActivity) ? activities : workflows;
}
