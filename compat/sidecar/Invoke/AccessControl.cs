using LocalPlus.Sidecar.Api;
using LocalPlus.Sidecar.Resiliency;
using LocalPlus.Sidecar.Resources;

namespace LocalPlus.Sidecar.Invoke;

/// <summary>The callee's Configuration does not let this caller in; a repeat would not help.</summary>
internal sealed class AccessDeniedException(string message)
    : InvokeException(message, GrpcCode.PermissionDenied),
        IPermanentFailure;

/// <summary>
/// The callee's spec.accessControl: which applications may call which of its operations. daprd knows callers by their
/// mTLS identity; here the calling sidecar names its application, and only sidecars reach the internal port.
/// </summary>
internal sealed class AccessControl(AccessSpec spec)
{
    /// <summary>Throws unless the caller may use the operation. <paramref name="verb"/> is null for gRPC.</summary>
    public void Check(string caller, string space, string operation, string? verb)
    {
        if (!Allows(caller, space, operation, verb))
        {
            var path = verb is null ? operation : operation.TrimStart('/');
            throw new AccessDeniedException(
                $"access control policy has denied access to id: spiffe://{spec.TrustDomain}/ns/{space}/{caller} operation: {path} verb: {verb ?? "NONE"}"
            );
        }
    }

    private bool Allows(string caller, string space, string operation, string? verb)
    {
        if (
            spec.Policies.FirstOrDefault(policy => policy.AppId == caller && policy.Namespace == space)
            is not { } policy
        )
        {
            return spec.AllowByDefault;
        }

        // The narrowest of the patterns that fit decides.
        var named = policy
            .Operations.Where(one =>
                Fits(one.Path, operation) && (verb is null || one.Verbs.Contains("*") || one.Verbs.Contains(verb))
            )
            .MaxBy(one => one.Path.Contains('*', StringComparison.Ordinal) ? one.Path.Length : int.MaxValue);
        return named?.Allow ?? policy.AllowByDefault;
    }

    /// <summary>A star is one segment of the path, two stars are any number of them.</summary>
    private static bool Fits(string pattern, string path)
    {
        return Fits(
            pattern.Split('/', StringSplitOptions.RemoveEmptyEntries),
            path.Split('/', StringSplitOptions.RemoveEmptyEntries)
        );

        static bool Fits(ReadOnlySpan<string> pattern, ReadOnlySpan<string> path) =>
            pattern switch
            {
                [] => path.IsEmpty,
                ["**"] => !path.IsEmpty,
                [var first, ..] => !path.IsEmpty && (first == "*" || first == path[0]) && Fits(pattern[1..], path[1..]),
            };
    }
}
