using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Routing;

namespace LocalPlus.Hosting;

/// <summary>
/// No endpoint of the API is there whose description, and with it contracts/access.csv, does not say who may use it: a
/// service that has one does not start.
/// </summary>
internal static class Doors
{
    private static readonly string[] Prefixes = ["v1/", "ops/", "internal/", "events/"];

    /// <summary>Throws with the endpoints that say too little.</summary>
    public static void Check(IEndpointRouteBuilder routes)
    {
        var silent = routes
            .DataSources.SelectMany(source => source.Endpoints)
            .OfType<RouteEndpoint>()
            .Where(endpoint =>
                Prefixes.Any(prefix => Path(endpoint).StartsWith(prefix, StringComparison.Ordinal))
                && endpoint.Metadata.GetMetadata<FailpointEndpoint>() is null
                && Problem(endpoint) is not null
            )
            .Select(endpoint => $"{endpoint.DisplayName}: {Problem(endpoint)}")
            .ToArray();
        if (silent.Length > 0)
        {
            throw new InvalidOperationException($"Who may use these? {string.Join("; ", silent)}");
        }
    }

    private static string Path(RouteEndpoint endpoint) => (endpoint.RoutePattern.RawText ?? "").TrimStart('/');

    private static string? Problem(RouteEndpoint endpoint)
    {
        var metadata = endpoint.Metadata;
        if (metadata.GetMetadata<IExcludeFromDescriptionMetadata>() is { ExcludeFromDescription: true })
        {
            return "it is not described";
        }

        if (metadata.GetMetadata<IAllowAnonymous>() is not null)
        {
            return "it lets everybody in";
        }

        if (metadata.GetMetadata<PortRequirement>() is not { Port: var port })
        {
            return "it has no port";
        }

        var isOperators = EndpointContract.RoleOf(metadata) is not null;
        var isMerchants = metadata.GetMetadata<RequiredScope>() is not null;
        return port == Port.App && (isOperators || isMerchants) ? "it is on the sidecar's port"
            : port == Port.Public && isOperators == isMerchants ? "it needs a scope or a role"
            : port == Port.App
            && Path(endpoint).StartsWith("internal/", StringComparison.Ordinal)
            && metadata.GetMetadata<Callers>() is null
                ? "it names no service that calls it"
            : null;
    }
}
