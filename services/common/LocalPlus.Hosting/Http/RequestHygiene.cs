using LocalPlus.Kernel;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Net.Http.Headers;

namespace LocalPlus.Hosting;

/// <summary>
/// Refuses what the framework would let through and a money API must not: a body that is not JSON in UTF-8 (the
/// framework takes every +json, CloudEvents among them), texts in the path or query that break <see cref="Texts"/>'s
/// rule, and requests whose framing was ambiguous (Kestrel moves a Content-Length that came beside chunked encoding
/// to X-Content-Length).
/// </summary>
internal sealed class RequestHygiene(RequestDelegate next, IConfiguration configuration)
{
    private const string Json = "application/json";
    private readonly int publicPort = Ports.PublicPort(configuration);

    public Task InvokeAsync(HttpContext http)
    {
        var request = http.Request;
        if (request.Headers.ContainsKey("X-Content-Length"))
        {
            throw new FaultException(CommonFaults.InvalidRequest, "The request says its length twice.");
        }

        RequireText(request.Path.Value, "path");
        RequireText(Uri.UnescapeDataString((request.QueryString.Value ?? "").Replace('+', ' ')), "query");
        RequireJson(request, http.Connection.LocalPort == publicPort);
        return next(http);
    }

    private static void RequireText(string? text, string where)
    {
        if (Texts.Problem(text, mayBreakLines: false) is { } problem)
        {
            throw new FaultException(
                CommonFaults.InvalidRequest,
                $"The {where} has characters that no text may have.",
                new FieldError(where, problem)
            );
        }
    }

    private static void RequireJson(HttpRequest request, bool isPublic)
    {
        if (request.ContentType is not { } written)
        {
            return;
        }

        var isKnown = MediaTypeHeaderValue.TryParse(written, out var type);
        if (
            isKnown
            && type!.Charset is { Length: > 0 } charset
            && !HeaderUtilities.RemoveQuotes(charset).Equals("utf-8", StringComparison.OrdinalIgnoreCase)
        )
        {
            throw new FaultException(CommonFaults.UnsupportedMediaType, "Bodies are UTF-8.");
        }

        var isJson = isKnown && type!.MediaType.Equals(Json, StringComparison.OrdinalIgnoreCase);
        // The sidecar also speaks gRPC, and delivers events in whatever media type their publisher named.
        var mayDiffer = isPublic
            ? HttpMethods.IsGet(request.Method)
                || HttpMethods.IsHead(request.Method)
                || HttpMethods.IsDelete(request.Method)
            : request.Path.StartsWithSegments("/events")
                || !isKnown
                || !type!.SubTypeWithoutSuffix.Equals("cloudevents", StringComparison.OrdinalIgnoreCase);
        if (!isJson && !mayDiffer)
        {
            throw new FaultException(CommonFaults.UnsupportedMediaType, $"Send {Json}.");
        }
    }
}
