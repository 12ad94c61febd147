using System.Diagnostics.CodeAnalysis;
using LocalPlus.Sidecar.Resources;

namespace LocalPlus.Sidecar.Runtime;

/// <summary>What every loaded component is.</summary>
internal interface IComponent : IAsyncDisposable
{
    Component Definition { get; }

    /// <summary>As metadata lists them.</summary>
    IReadOnlyList<string> Capabilities { get; }

    /// <summary>Reaches the backend. Called once, bounded by the component's initTimeout.</summary>
    Task InitAsync(CancellationToken cancel);
}

/// <summary>The components of one application, by kind and name.</summary>
internal sealed class ComponentSet : IAsyncDisposable
{
    private readonly List<IComponent> all = [];

    public IReadOnlyList<IComponent> All => all;

    public void Add(IComponent component) => all.Add(component);

    public bool Any<T>()
        where T : class => all.Exists(c => c is T);

    public bool TryGet<T>(string name, [NotNullWhen(true)] out T? component)
        where T : class
    {
        foreach (var candidate in all)
        {
            if (candidate is T match && candidate.Definition.Name == name)
            {
                component = match;
                return true;
            }
        }
        component = null;
        return false;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var component in all)
        {
            await component.DisposeAsync();
        }
    }
}
