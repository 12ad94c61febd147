using LocalPlus.Sidecar.Resources;
using LocalPlus.Sidecar.Secrets;

namespace LocalPlus.Sidecar.Runtime;

/// <summary>
/// Makes and initialises an application's components: secret stores first, then the others, each with its references
/// resolved and within its initTimeout.
/// </summary>
internal sealed class ComponentLoader(HostedApp app, ComponentSet loaded)
{
    private readonly ILogger log = app.Logs.CreateLogger("dapr.runtime.processor");
    private readonly List<Component> definitions = [];

    public async Task LoadAsync(CancellationToken cancel)
    {
        foreach (
            var group in app.Resources.Components.GroupBy(c => c.Kind == "secretstores" ? 0 : 1).OrderBy(g => g.Key)
        )
        {
            // Backends of one group are reached at the same time: start-up takes as long as the slowest.
            var results = await Task.WhenAll(group.Select(c => TryLoadAsync(c, cancel)));
            foreach (var component in results.OfType<IComponent>())
            {
                loaded.Add(component);
                definitions.Add(component.Definition);
            }
        }
        app.Components = definitions;
    }

    private async Task<IComponent?> TryLoadAsync(Component definition, CancellationToken cancel)
    {
        if (ComponentTypes.IsLeftOut(definition.Type))
        {
            log.ComponentLeftOut(
                definition.Name,
                definition.Type,
                definition.Version,
                "the stand-in does not have this type, see compat/README.md"
            );
            return null;
        }
        try
        {
            return await LoadAsync(definition, cancel);
        }
        catch (Exception problem) when (problem is not OperationCanceledException || !cancel.IsCancellationRequested)
        {
            var reason =
                problem is OperationCanceledException
                    ? $"init timeout for component {definition.Name} exceeded after {definition.InitTimeout.TotalSeconds:0.###}s"
                    : problem.Message;
            if (!definition.IgnoreErrors)
            {
                throw new ComponentException(
                    $"[INIT_COMPONENT_FAILURE]: initialization error occurred for {definition.Name} ({definition.Type}/{definition.Version}): {reason}",
                    problem
                );
            }
            log.ComponentLeftOut(definition.Name, definition.Type, definition.Version, reason);
            return null;
        }
    }

    private async Task<IComponent> LoadAsync(Component definition, CancellationToken cancel)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        limit.CancelAfter(definition.InitTimeout);
        var resolved = definition with { Values = await ResolveAsync(definition, limit.Token) };
        var component = ComponentTypes.Create(app, resolved);
        try
        {
            await component.InitAsync(limit.Token);
        }
        catch
        {
            await component.DisposeAsync();
            throw;
        }
        log.ComponentLoaded(definition.Name, definition.Type, definition.Version);
        return component;
    }

    private async Task<Dictionary<string, string>> ResolveAsync(Component definition, CancellationToken cancel)
    {
        var values = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        foreach (var setting in definition.Settings)
        {
            values[setting.Name] = setting switch
            {
                { SecretName: { Length: > 0 } secret } => await SecretAsync(
                    definition,
                    secret,
                    setting.SecretKey!,
                    cancel
                ),
                { EnvRef: { Length: > 0 } variable } => Variable(variable),
                _ => Template(setting.Value ?? ""),
            };
        }
        return values;
    }

    private async Task<string> SecretAsync(Component definition, string name, string key, CancellationToken cancel)
    {
        var store = definition.SecretStore ?? "";
        if (!loaded.TryGet<ISecretStore>(store, out var secrets))
        {
            throw new ComponentException(
                $"component {definition.Name} references a secret store that isn't loaded: {store}"
            );
        }
        var secret = await secrets.GetAsync(name, cancel);
        return secret.TryGetValue(key, out var value)
            ? value
            : throw new ComponentException($"secret {name} of {store} has no key {key}");
    }

    private string Variable(string name) =>
        name.StartsWith("DAPR_", StringComparison.Ordinal) || name == "APP_API_TOKEN"
            ? ""
            : app.Options.Env.GetValueOrDefault(name, "");

    /// <summary>The placeholders that daprd fills in any component value.</summary>
    private string Template(string value) =>
        !value.Contains('{', StringComparison.Ordinal)
            ? value
            : value
                .Replace("{appID}", app.AppId, StringComparison.Ordinal)
                .Replace("{namespace}", $"{app.Namespace}.{app.AppId}", StringComparison.Ordinal)
                .Replace(
                    "{podName}",
                    app.Options.Env.GetValueOrDefault("POD_NAME", Environment.MachineName),
                    StringComparison.Ordinal
                )
                .Replace("{uuid}", Guid.NewGuid().ToString(), StringComparison.Ordinal);
}
