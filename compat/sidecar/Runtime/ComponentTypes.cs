using LocalPlus.Sidecar.Resources;

namespace LocalPlus.Sidecar.Runtime;

/// <summary>Which component types exist here. One line a type.</summary>
internal static class ComponentTypes
{
    private static readonly Dictionary<string, Func<HostedApp, Component, IComponent>> Types = new(
        StringComparer.Ordinal
    )
    {
        ["bindings.localstorage/v1"] = (app, c) => new Bindings.LocalStorageBinding(app, c),
        ["configuration.redis/v1"] = (app, c) => new Configuration.RedisConfiguration(app, c),
        ["pubsub.in-memory/v1"] = (app, c) => new PubSub.MemoryPubSub(app, c),
        ["pubsub.redis/v1"] = (app, c) => new PubSub.RedisPubSub(app, c),
        ["state.in-memory/v1"] = (_, c) => new State.MemoryStateStore(c),
        ["state.postgres/v2"] = (_, c) => new State.PostgresStateStore(c),
        ["state.postgresql/v2"] = (_, c) => new State.PostgresStateStore(c),
        ["state.redis/v1"] = (_, c) => new State.RedisStateStore(c),
        ["secretstores.local.env/v1"] = (app, c) => new Secrets.EnvSecretStore(app, c),
        ["secretstores.local.file/v1"] = (app, c) => new Secrets.FileSecretStore(app, c),
    };

    /// <summary>Kinds that LocalPlus does not use at all: such a component is passed over with a warning.</summary>
    private static readonly string[] LeftOutKinds =
    [
        "bindings.",
        "conversation.",
        "crypto.",
        "lock.",
        "middleware.",
        "nameresolution.",
    ];

    public static bool IsLeftOut(string type) =>
        !Types.Keys.Any(k => k.StartsWith(type + "/", StringComparison.Ordinal))
        && LeftOutKinds.Any(k => type.StartsWith(k, StringComparison.Ordinal));

    public static IComponent Create(HostedApp app, Component definition) =>
        Types.TryGetValue($"{definition.Type}/{definition.Version}", out var create)
            ? create(app, definition)
            : throw new ComponentException($"couldn't find {definition.Kind} {definition.Type}/{definition.Version}");
}
