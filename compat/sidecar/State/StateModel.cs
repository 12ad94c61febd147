using LocalPlus.Sidecar.Runtime;

namespace LocalPlus.Sidecar.State;

/// <summary>What a caller says about concurrent writers.</summary>
internal enum StateConcurrency
{
    Unspecified,
    FirstWrite,
    LastWrite,
}

/// <summary>One key to write or to delete; the key already carries the store's prefix.</summary>
internal sealed record StateOperation
{
    public required string Key { get; init; }

    public bool IsDelete { get; init; }

    /// <summary>The bytes to store; empty only over gRPC.</summary>
    public ReadOnlyMemory<byte> Value { get; init; }

    /// <summary>Null or empty = whatever version is there.</summary>
    public string? ETag { get; init; }

    public IReadOnlyDictionary<string, string> Metadata { get; init; } = NoMetadata;

    public StateConcurrency Concurrency { get; init; }

    public bool Strong { get; init; }

    /// <summary>What a store says to an option that is none; null when all are known.</summary>
    public string? Unknown { get; init; }

    public bool HasETag => !string.IsNullOrEmpty(ETag);

    public static readonly IReadOnlyDictionary<string, string> NoMetadata = new Dictionary<string, string>();
}

/// <summary>A stored value. <see cref="Expires"/> is RFC 3339, where the store knows it.</summary>
internal sealed record StateEntry(ReadOnlyMemory<byte> Data, string ETag, string? Expires = null)
{
    /// <summary>Why this one of several keys could not be read.</summary>
    public string? Error { get; init; }
}

internal enum StateFailure
{
    Other,
    ETagMismatch,
    ETagInvalid,
}

/// <summary>A store could not do what was asked; an ETag that does not fit is never worth a retry.</summary>
internal class StateException(StateFailure kind, string message, Exception? inner = null) : Exception(message, inner)
{
    public StateFailure Kind { get; } = kind;

    public static StateException Mismatch(string? detail = null) =>
        new PermanentStateException(
            StateFailure.ETagMismatch,
            "possible etag mismatch. error from state store" + (detail is null ? "" : ": " + detail)
        );

    public static StateException Invalid(string detail) =>
        new PermanentStateException(StateFailure.ETagInvalid, "invalid etag value: " + detail);
}

/// <summary>The version does not fit: no retry makes it fit.</summary>
internal sealed class PermanentStateException(StateFailure kind, string message)
    : StateException(kind, message),
        Resiliency.IPermanentFailure;

/// <summary>A state store.</summary>
internal interface IStateStore : IComponent
{
    /// <summary>Go's encoder of this component writes &lt;, &gt; and &amp; as \u escapes.</summary>
    bool EscapesHtml { get; }

    ValueTask<StateEntry?> GetAsync(string key, bool strong);

    ValueTask SetAsync(StateOperation operation);

    ValueTask DeleteAsync(StateOperation operation);

    ValueTask TransactAsync(IReadOnlyList<StateOperation> operations);

    /// <summary>One entry per key, null where absent.</summary>
    ValueTask<StateEntry?[]> GetManyAsync(IReadOnlyList<string> keys);
}

/// <summary>How a component turns a caller's key into the stored one.</summary>
internal sealed class StateKeys
{
    public const string Separator = "||";
    private readonly string prefix;

    private StateKeys(string prefix) => this.prefix = prefix;

    public static StateKeys For(HostedApp app, Resources.Component component)
    {
        var strategy = component.Get("keyPrefix") ?? "appid";
        var value = strategy.ToLowerInvariant() switch
        {
            "none" => "",
            "name" => component.Name,
            "appid" => app.AppId,
            "namespace" => app.Options.NamespaceIsSet ? $"{app.Namespace}.{app.AppId}" : app.AppId,
            _ => strategy,
        };
        return value.Contains(Separator, StringComparison.Ordinal)
            ? throw new Resources.ComponentException($"input key/keyPrefix '{value}' can't contain '{Separator}'")
            : new StateKeys(value.Length == 0 ? "" : value + Separator);
    }

    public string Stored(string key) => prefix.Length == 0 ? key : prefix + key;

    public string Original(string stored) => stored[prefix.Length..];
}
