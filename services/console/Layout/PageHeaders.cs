using LocalPlus.Console.PointOfSale;
using LocalPlus.Console.Session;

namespace LocalPlus.Console.Layout;

/// <summary>
/// What a browser is told about every page: run nothing but our own script, show nothing in a frame, keep no copy;
/// the till alone may ask for the camera.
/// </summary>
internal sealed class PageHeaders(RequestDelegate next, OpenIdProvider provider)
{
    private readonly string policy =
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        + $"worker-src 'self'; form-action 'self' {provider.Origin}; base-uri 'none'; frame-ancestors 'none'";

    public Task InvokeAsync(HttpContext http)
    {
        if (http.Request.Path.StartsWithSegments(ConsoleService.Root))
        {
            var headers = http.Response.Headers;
            headers.ContentSecurityPolicy = policy;
            headers.XContentTypeOptions = "nosniff";
            headers["Referrer-Policy"] = "same-origin";
            headers["Cross-Origin-Opener-Policy"] = "same-origin";
            var camera = http.Request.Path.StartsWithSegments(PointOfSaleFeature.Root) ? "self" : "";
            headers["Permissions-Policy"] = $"camera=({camera}), geolocation=(), microphone=()";
            headers.CacheControl = "no-store";
        }

        return next(http);
    }
}
