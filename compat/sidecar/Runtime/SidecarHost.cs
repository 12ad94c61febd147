using System.Collections.Concurrent;

namespace LocalPlus.Sidecar.Runtime;

/// <summary>What the sidecars of one process share: how they find each other.</summary>
internal sealed class SidecarHost
{
    private readonly ConcurrentDictionary<(string Namespace, string AppId), SidecarRuntime> local = new();

    /// <summary>The sidecar of an application in this process: a call to it takes no hop.</summary>
    public SidecarRuntime? Local(string space, string appId) => local.GetValueOrDefault((space, appId));

    /// <summary>Makes a sidecar known until the result is disposed of.</summary>
    public IDisposable Register(SidecarRuntime runtime, int internalPort)
    {
        var key = (runtime.App.Namespace, runtime.App.AppId);
        local[key] = runtime;
        return new Registration(() => local.TryRemove(new KeyValuePair<(string, string), SidecarRuntime>(key, runtime)));
    }

    private sealed class Registration(Action remove) : IDisposable
    {
        public void Dispose() => remove();
    }
}
