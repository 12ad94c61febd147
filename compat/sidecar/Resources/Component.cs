using System.Globalization;
using LocalPlus.Sidecar.Cli;

namespace LocalPlus.Sidecar.Resources;

/// <summary>A component that cannot be used as it is described; fatal at start unless it says ignoreErrors.</summary>
public sealed class ComponentException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>One entry of a component's metadata list, as written: a value, or where to find it.</summary>
public sealed record ComponentSetting(
    string Name,
    string? Value,
    string? SecretName,
    string? SecretKey,
    string? EnvRef
);

/// <summary>A Component resource.</summary>
public sealed record Component
{
    public required string Name { get; init; }

    /// <summary>For instance <c>state.redis</c>.</summary>
    public required string Type { get; init; }

    public required string Version { get; init; }

    public bool IgnoreErrors { get; init; }

    public TimeSpan InitTimeout { get; init; } = TimeSpan.FromSeconds(5);

    public string? SecretStore { get; init; }

    public IReadOnlyList<ComponentSetting> Settings { get; init; } = [];

    /// <summary>App ids that may use it; empty = all.</summary>
    public IReadOnlyList<string> Scopes { get; init; } = [];

    /// <summary>Settings with references resolved; names are looked up without regard to case.</summary>
    public IReadOnlyDictionary<string, string> Values { get; init; } = new Dictionary<string, string>();

    /// <summary>state, pubsub, secretstores, bindings, configuration, …</summary>
    public string Kind => Type.Split('.', 2)[0];

    public string? Get(string name) => Values.TryGetValue(name, out var value) && value.Length > 0 ? value : null;

    public string Require(string name) =>
        Get(name) ?? throw new ComponentException($"missing required metadata property '{name}'");

    public bool Flag(string name, bool fallback = false) =>
        Get(name) switch
        {
            null => fallback,
            var text => text.ToLowerInvariant() is "y" or "yes" or "true" or "t" or "on" or "1",
        };

    public int Int(string name, int fallback)
    {
        var text = Get(name);
        return text is null ? fallback
            : int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value) ? value
            : throw new ComponentException($"invalid value for '{name}': {text}");
    }

    public TimeSpan Duration(string name, TimeSpan fallback)
    {
        try
        {
            return Get(name) is { } text ? Quantities.DurationOrMilliseconds(text) : fallback;
        }
        catch (FormatException problem)
        {
            throw new ComponentException($"can't parse {name} field: {problem.Message}", problem);
        }
    }

    internal static Component From(YamlNode document)
    {
        var spec = document["spec"];
        return new Component
        {
            Name = document["metadata"]["name"].Text ?? "",
            Type = spec["type"].Text ?? "",
            Version = spec["version"].Text is { Length: > 0 } version ? version : "v1",
            IgnoreErrors = spec["ignoreErrors"].Text is "true",
            InitTimeout =
                spec["initTimeout"].Text is { } text
                && Quantities.TryParseDuration(text, out var timeout)
                && timeout > TimeSpan.Zero
                    ? timeout
                    : TimeSpan.FromSeconds(5),
            SecretStore = document["auth"]["secretStore"].Text,
            Settings = [.. spec["metadata"].Items.Select(Setting)],
            Scopes = [.. document["scopes"].Items.Select(s => s.Text ?? "")],
        };
    }

    private static ComponentSetting Setting(YamlNode item)
    {
        var secret = item["secretKeyRef"];
        var name = item["name"].Text ?? "";
        return new ComponentSetting(
            name,
            item["value"].Text,
            secret["name"].Text,
            secret["key"].Text ?? secret["name"].Text,
            item["envRef"].Text
        );
    }
}
