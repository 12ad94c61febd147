namespace LocalPlus.Sidecar.Runtime;

/// <summary>--enable-api-logging, or the Configuration's logging.apiLogging.</summary>
internal readonly record struct ApiLogging(bool Enabled, bool OmitHealthChecks)
{
    public bool Logs(bool isHealthCheck) => Enabled && !(isHealthCheck && OmitHealthChecks);
}

/// <summary>
/// What the log says of one API call. <see cref="Size"/> is for HTTP only, <see cref="Code"/> a status of the API's
/// kind.
/// </summary>
internal readonly record struct ApiCall(string Method, int Code, long Milliseconds, string UserAgent, long? Size)
{
    public static ApiCall Http(HttpContext http, string path, long started) =>
        new(
            $"{http.Request.Method} {path}",
            http.Response.StatusCode,
            Environment.TickCount64 - started,
            http.Request.Headers.UserAgent.ToString(),
            http.Response.ContentLength ?? 0
        );

    public static ApiCall Grpc(HttpContext http, string path, long started)
    {
        var status = http.Response.Headers["grpc-status"].ToString();
        if (status.Length == 0)
        {
            status =
                http.Features.Get<Microsoft.AspNetCore.Http.Features.IHttpResponseTrailersFeature>()
                    ?.Trailers["grpc-status"]
                    .ToString()
                ?? "";
        }
        return new ApiCall(
            path,
            int.TryParse(status, out var code) ? code : 0,
            Environment.TickCount64 - started,
            http.Request.Headers.UserAgent.ToString(),
            null
        );
    }
}
