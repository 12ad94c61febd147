using LocalPlus.Sidecar.Resources;

namespace LocalPlus.Sidecar.PubSub;

/// <summary>
/// Which topics of a component an application may use: allowedTopics binds everybody, a scope binds the applications it
/// names, a protected topic is closed to all that no scope names.
/// </summary>
internal sealed class TopicScopes
{
    private readonly HashSet<string> allowed;
    private readonly HashSet<string> isProtected;
    private readonly HashSet<string>? publishing;
    private readonly HashSet<string>? subscribing;

    public TopicScopes(Component component, string appId)
    {
        allowed = List(component.Get("allowedTopics"));
        isProtected = List(component.Get("protectedTopics"));
        publishing = Scope(component.Get("publishingScopes"), appId);
        subscribing = Scope(component.Get("subscriptionScopes"), appId);
    }

    public bool CanPublish(string topic) => IsAllowed(topic, publishing);

    public bool CanSubscribe(string topic) => IsAllowed(topic, subscribing);

    private bool IsAllowed(string topic, HashSet<string>? scope)
    {
        if (allowed.Count > 0 && !allowed.Contains(topic))
        {
            return false;
        }
        return scope is null ? !isProtected.Contains(topic) : scope.Contains(topic);
    }

    private static HashSet<string> List(string? text) =>
        (text ?? "")
            .Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
            .ToHashSet(StringComparer.Ordinal);

    /// <summary><c>app1=t1,t2;app2=</c>: the topics of one application, null when it is not named.</summary>
    private static HashSet<string>? Scope(string? text, string appId)
    {
        foreach (
            var entry in (text ?? "").Split(';', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
        )
        {
            var equals = entry.IndexOf('=', StringComparison.Ordinal);
            if (equals > 0 && entry.AsSpan(0, equals).Trim().SequenceEqual(appId))
            {
                return List(entry[(equals + 1)..]);
            }
        }
        return null;
    }
}
