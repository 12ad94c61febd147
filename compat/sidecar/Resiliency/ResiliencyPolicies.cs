using System.Collections.Concurrent;
using LocalPlus.Sidecar.Resources;

namespace LocalPlus.Sidecar.Resiliency;

/// <summary>
/// The policies that the Resiliency resources of one application give to its targets. A target that is not named falls
/// back to the defaults by name, the most specific first.
/// </summary>
internal sealed class ResiliencyPolicies(IReadOnlyList<ResiliencySpec> specs)
{
    private readonly ConcurrentDictionary<string, Policy> apps = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<(string Kind, string Name), Policy> inbound = new();
    private readonly ConcurrentDictionary<(string Kind, string Name), Policy> outbound = new();

    /// <summary>Calls to another application. <see cref="Policy.None"/> = daprd's built-in rule.</summary>
    public Policy App(string id) => apps.GetOrAdd(id, key => Make(Find(s => s.Apps, key), "", "App"));

    /// <summary>Deliveries from a component to the application.</summary>
    public Policy Inbound(string kind, string name) =>
        inbound.GetOrAdd((kind, name), key => Make(Find(s => s.Inbound, key.Name), key.Kind, "ComponentInbound"));

    /// <summary>Calls to a component.</summary>
    public Policy Outbound(string kind, string name) =>
        outbound.GetOrAdd((kind, name), key => Make(Find(s => s.Outbound, key.Name), key.Kind, "ComponentOutbound"));

    private (ResiliencySpec Spec, PolicyNames Names)? Find(
        Func<ResiliencySpec, IReadOnlyDictionary<string, PolicyNames>> targets,
        string name
    )
    {
        foreach (var spec in specs)
        {
            if (targets(spec).TryGetValue(name, out var names))
            {
                return (spec, names);
            }
        }
        return null;
    }

    private Policy Make((ResiliencySpec Spec, PolicyNames Names)? target, string kind, string direction)
    {
        if (target is { } found)
        {
            var (spec, names) = found;
            return new Policy(
                names.Timeout is { } t && spec.Timeouts.TryGetValue(t, out var timeout) ? timeout : null,
                names.Retry is { } r ? spec.Retries.GetValueOrDefault(r) : null,
                names.Breaker is { } b && spec.Breakers.TryGetValue(b, out var breaker)
                    ? new CircuitBreaker(breaker)
                    : null
            );
        }
        TimeSpan? defaultTimeout = null;
        RetrySpec? defaultRetry = null;
        BreakerSpec? defaultBreaker = null;
        foreach (var spec in specs)
        {
            foreach (var prefix in DefaultNames(kind, direction))
            {
                defaultTimeout ??= spec.Timeouts.TryGetValue(prefix + "TimeoutPolicy", out var t) ? t : null;
                defaultRetry ??= spec.Retries.GetValueOrDefault(prefix + "RetryPolicy");
                defaultBreaker ??= spec.Breakers.GetValueOrDefault(prefix + "CircuitBreakerPolicy");
            }
        }
        return defaultTimeout is null && defaultRetry is null && defaultBreaker is null
            ? Policy.None
            : new Policy(
                defaultTimeout,
                defaultRetry,
                defaultBreaker is null ? null : new CircuitBreaker(defaultBreaker)
            );
    }

    /// <summary>
    /// DefaultPubsubComponentInbound, DefaultComponentInbound, DefaultComponent, Default; DefaultApp, Default.
    /// </summary>
    private static IEnumerable<string> DefaultNames(string kind, string direction)
    {
        if (kind.Length > 0)
        {
            yield return $"Default{kind}{direction}";
        }
        yield return $"Default{direction}";
        if (direction.StartsWith("Component", StringComparison.Ordinal))
        {
            yield return "DefaultComponent";
        }
        yield return "Default";
    }
}
