using LocalPlus.Kernel;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.Extensions.Configuration;
using Microsoft.Net.Http.Headers;

namespace LocalPlus.Hosting;

/// <summary>
/// A body is JSON in UTF-8 (the framework takes every +json, CloudEvents among them), or what the endpoint says that
/// it takes instead.
/// </summary>
internal sealed class BodyMedia(RequestDelegate next, IConfiguration configuration)
{
    private const string Json = "application/json";
    private readonly int publicPort = Ports.PublicPort(configuration);

    public Task InvokeAsync(HttpContext http)
    {
        var taken = http.GetEndpoint()?.Metadata.GetMetadata<IAcceptsMetadata>()?.ContentTypes ?? [];
        RequireKnown(http.Request, http.Connection.LocalPort == publicPort, taken);
        return next(http);
    }

    private static void RequireKnown(HttpRequest request, bool isPublic, IReadOnlyList<string> taken)
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

        var isWanted = isKnown && taken.Contains(type!.MediaType.Value, StringComparer.OrdinalIgnoreCase);
        var isJson = isKnown && type!.MediaType.Equals(Json, StringComparison.OrdinalIgnoreCase);
        // The sidecar also speaks gRPC, and delivers events in whatever media type their publisher named.
        var mayDiffer = isPublic
            ? HttpMethods.IsGet(request.Method)
                || HttpMethods.IsHead(request.Method)
                || HttpMethods.IsDelete(request.Method)
            : request.Path.StartsWithSegments("/events")
                || !isKnown
                || !type!.SubTypeWithoutSuffix.Equals("cloudevents", StringComparison.OrdinalIgnoreCase);
        if (!isJson && !isWanted && !mayDiffer)
        {
            throw new FaultException(CommonFaults.UnsupportedMediaType, $"Send {Json}.");
        }
    }
}
