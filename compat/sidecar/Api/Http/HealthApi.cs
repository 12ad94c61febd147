using LocalPlus.Sidecar.Runtime;

namespace LocalPlus.Sidecar.Api.Http;

/// <summary>/v1.0/healthz and /v1.0/healthz/outbound.</summary>
internal static class HealthApi
{
    public static ApiHandler Create(SidecarRuntime runtime) =>
        (http, path) =>
        {
            if (!HttpMethods.IsGet(http.Request.Method) && !HttpMethods.IsHead(http.Request.Method))
            {
                return ValueTask.FromResult(false);
            }
            if (path.Count == 1 && path[0] == "outbound")
            {
                if (!runtime.OutboundReady)
                {
                    throw ApiException.Bare(
                        500,
                        GrpcCode.Unavailable,
                        "ERR_OUTBOUND_HEALTH_NOT_READY",
                        "dapr outbound is not ready"
                    );
                }
                return Done(http);
            }
            if (path.Count != 0)
            {
                return ValueTask.FromResult(false);
            }
            if (http.Request.Query["appid"] is [{ Length: > 0 } id, ..] && id != runtime.App.AppId)
            {
                throw ApiException.Bare(
                    500,
                    GrpcCode.Unavailable,
                    "ERR_HEALTH_APPID_NOT_MATCH",
                    "dapr app-id does not match"
                );
            }
            if (runtime.NotReady is { } part)
            {
                throw ApiException.Bare(
                    500,
                    GrpcCode.Unavailable,
                    "ERR_HEALTH_NOT_READY",
                    $"dapr is not ready: [{part}]"
                );
            }
            return Done(http);
        };

    private static ValueTask<bool> Done(HttpContext http)
    {
        http.Response.StatusCode = StatusCodes.Status204NoContent;
        return ValueTask.FromResult(true);
    }
}
