using LocalPlus.Kernel;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Authorization.Infrastructure;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc.ApiExplorer;

namespace LocalPlus.Hosting;

/// <summary>The scope that the merchant's key must have: one object is enforced and described.</summary>
public sealed record RequiredScope(string Scope) : IAuthorizationRequirementData
{
    public IEnumerable<IAuthorizationRequirement> GetRequirements() =>
        [new ClaimsAuthorizationRequirement(Authentication.ScopeClaim, [Scope])];
}

/// <summary>Requests need an Idempotency-Key, but for dry runs if <paramref name="NotForDryRuns"/>.</summary>
public sealed record RequiredIdempotencyKey(bool NotForDryRuns)
{
    public const string DryRun = "dry_run";

    internal void Check(HttpContext http)
    {
        if (!NotForDryRuns || !bool.TryParse(http.Request.Query[DryRun], out var isDryRun) || !isDryRun)
        {
            _ = IdempotentRequests.Key(http);
        }
    }
}

/// <summary>The request needs an If-Match with the version it would change.</summary>
public sealed record RequiredVersion;

/// <summary>
/// The services that may call, each through its sidecar: what components/base/config has the sidecar here let in.
/// </summary>
public sealed record Callers(IReadOnlyList<string> Services);

/// <summary>What an endpoint may refuse with, beside what follows from its other declarations.</summary>
public sealed record Refusals(IReadOnlyList<Fault> Faults);

/// <summary>
/// What endpoints declare. What is declared is what is enforced, what contracts/openapi shows, and what tests hold
/// each answer against.
/// </summary>
public static class EndpointContract
{
    /// <summary>Refused without an Idempotency-Key, before anything else is looked at.</summary>
    /// <param name="exceptDryRuns">Requests with dry_run=true have no effect and need none.</param>
    public static TBuilder RequireIdempotencyKey<TBuilder>(this TBuilder builder, bool exceptDryRuns = false)
        where TBuilder : IEndpointConventionBuilder
    {
        var required = new RequiredIdempotencyKey(exceptDryRuns);
        return builder
            .WithMetadata(required)
            .AddEndpointFilter(
                (invocation, next) =>
                {
                    required.Check(invocation.HttpContext);
                    return next(invocation);
                }
            );
    }

    /// <summary>Refused without an If-Match header.</summary>
    public static TBuilder RequireIfMatch<TBuilder>(this TBuilder builder)
        where TBuilder : IEndpointConventionBuilder =>
        builder
            .WithMetadata(new RequiredVersion())
            .AddEndpointFilter(
                (invocation, next) =>
                {
                    _ = invocation.HttpContext.RequireIfMatch();
                    return next(invocation);
                }
            );

    /// <summary>The services that may call an endpoint below /internal.</summary>
    public static TBuilder CalledBy<TBuilder>(this TBuilder builder, params string[] services)
        where TBuilder : IEndpointConventionBuilder => builder.WithMetadata(new Callers(services));

    /// <summary>
    /// The faults that are the endpoint's own. Those of credentials, headers, path and body follow from the other
    /// declarations, busy and internal_error may meet everybody.
    /// </summary>
    public static TBuilder Refuses<TBuilder>(this TBuilder builder, params Fault[] faults)
        where TBuilder : IEndpointConventionBuilder => builder.WithMetadata(new Refusals(faults));

    /// <summary>Throws where an endpoint is about to enforce what it does not declare.</summary>
    internal static void RequireDeclared<TDeclaration>(HttpContext http)
        where TDeclaration : class
    {
        if (http.GetEndpoint() is { } endpoint && endpoint.Metadata.GetMetadata<TDeclaration>() is null)
        {
            throw new InvalidOperationException($"{endpoint.DisplayName} does not declare its {typeof(TDeclaration)}.");
        }
    }

    /// <summary>Every fault that the endpoint may answer with, by status and then by code.</summary>
    internal static IReadOnlyList<Fault> FaultsOf(ApiDescription endpoint)
    {
        var metadata = endpoint.ActionDescriptor.EndpointMetadata;
        List<Fault> faults =
        [
            CommonFaults.Unauthenticated,
            CommonFaults.InvalidRequest,
            CommonFaults.InternalError,
            CommonFaults.Busy,
            .. metadata.OfType<Refusals>().SelectMany(refusals => refusals.Faults),
        ];
        var isPublic = endpoint.GroupName != OpenApiDescription.Inside;
        // Who asks for too much, or at a time when too much is asked for, is refused at the gateway's door.
        Add(isPublic, CommonFaults.QuotaExceeded, CommonFaults.Overloaded);
        var takesBody = endpoint.ParameterDescriptions.Any(parameter => parameter.Source.Id == "Body");
        Add(takesBody, CommonFaults.UnknownField, CommonFaults.BodyTooLarge);
        Add(!HttpMethods.IsGet(endpoint.HttpMethod ?? ""), CommonFaults.UnsupportedMediaType);
        // Between services a 404 has to say whose word it is (no_such_object).
        Add(isPublic && endpoint.ParameterDescriptions.Any(p => p.Source.Id == "Path"), CommonFaults.NotFound);
        Add(metadata.Any(item => item is RequiredScope) || RoleOf(metadata) is not null, CommonFaults.ScopeMissing);
        Add(metadata.Any(item => item is RequiredStepUp), CommonFaults.StepUpRequired);
        Add(metadata.Any(item => item is RequiredScope), CommonFaults.NetworkNotAllowed);
        if (metadata.Any(item => item is RequiredScope) && !HttpMethods.IsGet(endpoint.HttpMethod ?? ""))
        {
            faults.AddRange((metadata.OfType<OpenTo>().LastOrDefault() ?? OpenTo.None).Faults);
        }

        Add(
            metadata.Any(item => item is RequiredIdempotencyKey),
            CommonFaults.IdempotencyKeyMissing,
            CommonFaults.RequestInProgress,
            CommonFaults.IdempotencyKeyReused
        );
        Add(metadata.Any(item => item is RequiredVersion), CommonFaults.IfMatchRequired, CommonFaults.VersionConflict);
        return [.. faults.Distinct().OrderBy(f => f.Status).ThenBy(f => f.Code, StringComparer.Ordinal)];

        void Add(bool mayHappen, params ReadOnlySpan<Fault> more)
        {
            if (mayHappen)
            {
                faults.AddRange(more);
            }
        }
    }

    /// <summary>The operator's role that the endpoint needs, or null if it is none of the operators'.</summary>
    internal static string? RoleOf(IEnumerable<object> metadata) =>
        metadata
            .OfType<IAuthorizeData>()
            .Select(data => data.Policy)
            .Where(policy => Authentication.Roles.Contains(policy))
            .MaxBy(policy => Array.IndexOf(Authentication.Roles, policy));
}
