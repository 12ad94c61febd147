namespace LocalPlus.Sidecar.Resources;

/// <summary>One operation of a policy: a path with stars, and the HTTP verbs it concerns.</summary>
public sealed record AccessOperation(string Path, IReadOnlySet<string> Verbs, bool Allow);

/// <summary>What one calling application may do.</summary>
public sealed record AccessPolicy(
    string AppId,
    string Namespace,
    bool AllowByDefault,
    IReadOnlyList<AccessOperation> Operations
);

/// <summary>A Configuration's spec.accessControl.</summary>
public sealed record AccessSpec(string TrustDomain, bool AllowByDefault, IReadOnlyList<AccessPolicy> Policies)
{
    /// <summary>Null when there is none: then everybody may call everything.</summary>
    internal static AccessSpec? From(YamlNode access)
    {
        if (!access.Exists)
        {
            return null;
        }

        var policies = access["policies"].Items.Select(Policy).ToList();

        // Without an action, what is not named is open only as long as nothing is named.
        var open = access["defaultAction"].Text is { Length: > 0 } action ? IsAllow(action) : policies.Count == 0;
        return new AccessSpec(access["trustDomain"].Text ?? "public", open, policies);
    }

    private static AccessPolicy Policy(YamlNode policy)
    {
        if (
            policy["appId"].Text is not { Length: > 0 } app
            || policy["namespace"].Text is not { Length: > 0 } space
            || policy["trustDomain"].Text is not { Length: > 0 }
        )
        {
            throw new ComponentException(
                "invalid access control spec. a policy needs appId, namespace and trustDomain"
            );
        }

        return new AccessPolicy(
            app,
            space,
            IsAllow(policy["defaultAction"].Text),
            [.. policy["operations"].Items.Select(Operation)]
        );
    }

    private static AccessOperation Operation(YamlNode operation) =>
        new(
            operation["name"].Text ?? "",
            operation["httpVerb"].Items.Select(verb => verb.Text ?? "").ToHashSet(StringComparer.OrdinalIgnoreCase),
            IsAllow(operation["action"].Text)
        );

    private static bool IsAllow(string? action) => string.Equals(action, "allow", StringComparison.OrdinalIgnoreCase);
}
