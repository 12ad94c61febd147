using LocalPlus.Console.Session;

namespace LocalPlus.Console.Layout;

/// <summary>
/// What a browser is told about every page: run nothing but our own script, show nothing in a frame, keep no copy.
/// </summary>
internal sealed class PageHeaders(RequestDelegate next, OpenIdProvider provider)
{
    private readonly string policy =
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        + $"form-action 'self' {provider.Origin}; base-uri 'none'; frame-ancestors 'none'";

    public Task InvokeAsync(HttpContext http)
    {
        if (http.Request.Path.StartsWithSegments(ConsoleService.Root))
        {
            var headers = http.Response.Headers;
            headers.ContentSecurityPolicy = policy;
            headers.XContentTypeOptions = "nosniff";
            headers["Referrer-Policy"] = "same-origin";
            headers["Cross-Origin-Opener-Policy"] = "same-origin";
            headers["Permissions-Policy"] = "camera=(), geolocation=(), microphone=()";
            headers.CacheControl = "no-store";
        }

        return next(http);
    }
}
