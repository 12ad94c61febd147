using LocalPlus.Sidecar.Resources;
using LocalPlus.Sidecar.Runtime;

namespace LocalPlus.Sidecar.Secrets;

/// <summary>A secret could not be read; the message is the one daprd's component gives.</summary>
public sealed class SecretException(string message) : Exception(message);

/// <summary>A store of named secrets, each a small map.</summary>
internal interface ISecretStore : IComponent
{
    ValueTask<IReadOnlyDictionary<string, string>> GetAsync(string name, CancellationToken cancel);

    ValueTask<IReadOnlyDictionary<string, IReadOnlyDictionary<string, string>>> GetAllAsync(CancellationToken cancel);
}

/// <summary>
/// secretstores.local.env: the sidecar's own environment. Dapr's variables are hidden and look empty.
/// </summary>
internal sealed class EnvSecretStore(HostedApp app, Component definition) : ISecretStore
{
    private readonly string prefix = definition.Get("prefix") ?? "";

    public Component Definition => definition;

    public IReadOnlyList<string> Capabilities => [];

    public Task InitAsync(CancellationToken cancel) => Task.CompletedTask;

    public ValueTask<IReadOnlyDictionary<string, string>> GetAsync(string name, CancellationToken cancel)
    {
        var full = prefix + name;
        return ValueTask.FromResult<IReadOnlyDictionary<string, string>>(
            new Dictionary<string, string>(StringComparer.Ordinal)
            {
                [name] = IsHidden(full) ? "" : app.Options.Env.GetValueOrDefault(full, ""),
            }
        );
    }

    public ValueTask<IReadOnlyDictionary<string, IReadOnlyDictionary<string, string>>> GetAllAsync(
        CancellationToken cancel
    )
    {
        var all = new SortedDictionary<string, IReadOnlyDictionary<string, string>>(StringComparer.Ordinal);
        foreach (var (name, value) in app.Options.Env)
        {
            if (name.StartsWith(prefix, StringComparison.Ordinal) && !IsHidden(name))
            {
                var key = name[prefix.Length..];
                all[key] = new Dictionary<string, string>(StringComparer.Ordinal) { [key] = value };
            }
        }
        return ValueTask.FromResult<IReadOnlyDictionary<string, IReadOnlyDictionary<string, string>>>(all);
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private static bool IsHidden(string name) =>
        name.StartsWith("DAPR_", StringComparison.OrdinalIgnoreCase)
        || name.Equals("APP_API_TOKEN", StringComparison.OrdinalIgnoreCase);
}
