using System.Text.RegularExpressions;
using LocalPlus.Kernel;
using Microsoft.AspNetCore.Diagnostics;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Routing.Patterns;

namespace LocalPlus.Hosting;

/// <summary>
/// A request that came with a merchant's credential, as its log keeps it: no body, no query, no header, and of the path
/// what the route says and ids. Codes, PINs, addresses and tokens are in none of these.
/// </summary>
/// <param name="Id">Begins with the instant when the request came.</param>
/// <param name="RequestId">As in the answer's problem document, in logs and traces.</param>
/// <param name="Credential">The key's id, or the person's.</param>
/// <param name="Route">As the description has it, e.g. /v1/gift_cards/{id}.</param>
/// <param name="Path">What is neither of the route nor an id is ***.</param>
/// <param name="Status">499: whoever asked has gone.</param>
/// <param name="Code">Of the problem that was answered.</param>
/// <param name="Bytes">Of the request's body, where the request said it.</param>
/// <param name="Address">The network that the request came from.</param>
public sealed record LoggedRequest(
    EventId Id,
    MerchantId MerchantId,
    string RequestId,
    string Credential,
    string Method,
    string Route,
    string Path,
    int Status,
    long DurationMs,
    DateTimeOffset OccurredAt,
    string? Code = null,
    long? Bytes = null,
    string? Address = null
)
{
    /// <summary>Of a path; what is longer ends there.</summary>
    public const int MaxPathLength = 300;

    private const string Hidden = "***";

    /// <summary>Null: it was no merchant's, or for nothing that there is.</summary>
    internal static LoggedRequest? Of(HttpContext http, DateTimeOffset began, TimeSpan took)
    {
        var failure = http.Features.Get<IExceptionHandlerFeature>();
        if (
            http.Items[typeof(MerchantIdentity)] is not MerchantIdentity caller
            || (failure?.Endpoint ?? http.GetEndpoint()) is not RouteEndpoint { RoutePattern: var route }
        )
        {
            return null;
        }

        var code = failure is null ? Problems.CodeOf(http) : FaultHandler.ToFault(failure.Error).Fault.Code;
        var isGone = http.RequestAborted.IsCancellationRequested;
        return new(
            new EventId(Guid.CreateVersion7(began)),
            caller.MerchantId,
            Problems.RequestId(http),
            caller.Person ?? caller.KeyId.ToString(),
            http.Request.Method,
            route.RawText ?? "",
            Masked(route, http.Request.Path.Value ?? ""),
            isGone ? StatusCodes.Status499ClientClosedRequest : http.Response.StatusCode,
            (long)took.TotalMilliseconds,
            began,
            isGone ? null : code,
            http.Request.ContentLength,
            AuditNote.Masked(ClientAddress.Of(http))
        );
    }

    internal static string Masked(RoutePattern route, string path)
    {
        var parts = path.Split('/', StringSplitOptions.RemoveEmptyEntries)
            .Select((part, i) => IsOf(route, i) || Known.IsMatch(part) ? part : Hidden);
        var masked = $"/{string.Join('/', parts)}";
        return masked.Length > MaxPathLength ? masked[..MaxPathLength] : masked;
    }

    private static bool IsOf(RoutePattern route, int i) =>
        i < route.PathSegments.Count && route.PathSegments[i].Parts is [RoutePatternLiteralPart];

    /// <summary>Ids of ours, and of requests.</summary>
    private static Regex Known { get; } =
        new("^([a-z]{2,4}_[0-9a-hjkmnp-tv-z]{26}|[0-9a-f]{32})$", RegexOptions.NonBacktracking);
}

/// <summary>What a service tells of requests: the data of an event, which is of many merchants.</summary>
public sealed record RequestBatch(IReadOnlyList<LoggedRequest> Requests)
{
    public const string EventType = "request.batch";
}
