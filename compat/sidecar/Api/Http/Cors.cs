using LocalPlus.Sidecar.Cli;

namespace LocalPlus.Sidecar.Api.Http;

/// <summary>
/// CORS as with --allowed-origins; without that flag no header is sent and a preflight is an unknown route.
/// </summary>
internal sealed class Cors(SidecarOptions options)
{
    private readonly string[] origins = options.AllowedOrigins.Split(
        ',',
        StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries
    );

    /// <summary>Adds the headers; true when the request was a preflight and is answered with that.</summary>
    public bool Handle(HttpContext http)
    {
        if (!options.CorsEnabled)
        {
            return false;
        }
        var (request, response) = (http.Request, http.Response);
        var origin = request.Headers.Origin.ToString();
        var preflight = HttpMethods.IsOptions(request.Method) && request.Headers.AccessControlRequestMethod.Count > 0;
        response.Headers.Vary = preflight
            ? "Origin, Access-Control-Request-Method, Access-Control-Request-Headers"
            : "Origin";
        var known =
            origin.Length > 0 && (origins.Contains("*") || origins.Contains(origin, StringComparer.OrdinalIgnoreCase));
        if (known)
        {
            response.Headers.AccessControlAllowOrigin = origins.Contains("*") ? "*" : origin;
        }
        if (!preflight)
        {
            return false;
        }
        if (known)
        {
            response.Headers.AccessControlAllowMethods = request.Headers.AccessControlRequestMethod;
            if (request.Headers.AccessControlRequestHeaders.Count > 0)
            {
                response.Headers.AccessControlAllowHeaders = request.Headers.AccessControlRequestHeaders;
            }
        }
        response.StatusCode = StatusCodes.Status200OK;
        return true;
    }
}
