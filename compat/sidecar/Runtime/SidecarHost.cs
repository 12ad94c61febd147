using System.Collections.Concurrent;
using LocalPlus.Sidecar.Invoke;

namespace LocalPlus.Sidecar.Runtime;

/// <summary>What the sidecars of one process share: how they find each other, and those of other processes.</summary>
internal sealed class SidecarHost
{
    private readonly ConcurrentDictionary<(string Namespace, string AppId), SidecarRuntime> local = new();
    private readonly ConcurrentDictionary<string, HostRegistry> registries = new(StringComparer.Ordinal);

    /// <summary>The sidecar of an application in this process: a call to it takes no hop.</summary>
    public SidecarRuntime? Local(string space, string appId) => local.GetValueOrDefault((space, appId));

    /// <summary>
    /// The registry that this sidecar's name resolution uses. A relative table is one of the sidecar's folder, as it is
    /// for daprd: two checkouts that name it alike have two.
    /// </summary>
    public HostRegistry Registry(SidecarRuntime runtime)
    {
        var table = runtime.App.Resources.Configuration.NameTable;
        var full = table.Length == 0 ? "" : Path.GetFullPath(table, runtime.App.Options.WorkingDirectory);
        return registries.GetOrAdd(full, static name => new HostRegistry(name));
    }

    /// <summary>Makes a sidecar known until the result is disposed of.</summary>
    public IDisposable Register(SidecarRuntime runtime)
    {
        var key = (runtime.App.Namespace, runtime.App.AppId);
        local[key] = runtime;
        var entry = Registry(runtime).Add(key.Namespace, key.AppId, runtime.App.Options.InternalPort);
        return new Registration(() =>
        {
            local.TryRemove(new KeyValuePair<(string, string), SidecarRuntime>(key, runtime));
            entry.Dispose();
        });
    }

    private sealed class Registration(Action remove) : IDisposable
    {
        private int removed;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref removed, 1) == 0)
            {
                remove();
            }
        }
    }
}
