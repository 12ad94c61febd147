using LocalPlus.Sidecar.Runtime;

namespace LocalPlus.Sidecar.Api.Http;

/// <summary>APIs whose components the stand-in does not have answer as a daprd that has none configured.</summary>
internal static class LeftOutApi
{
    public static ApiException NoLockStore() =>
        ApiException.Bare(
            500,
            GrpcCode.FailedPrecondition,
            "ERR_LOCK_STORE_NOT_CONFIGURED",
            "lock store is not configured"
        );

    /// <summary>Jobs need Dapr's scheduler.</summary>
    public static ApiException NoScheduler(HostedApp app, string verb, string reason)
    {
        var metadata = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["appID"] = app.AppId,
            ["namespace"] = app.Namespace,
        };
        return ApiException.Detailed(
            500,
            GrpcCode.Internal,
            reason,
            $"failed to {verb} job due to: scheduler clients are disabled",
            new ErrorDetails(reason, metadata)
        );
    }

    public static ApiException BadJob(HostedApp app, string reason, string message)
    {
        var metadata = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["appID"] = app.AppId,
            ["namespace"] = app.Namespace,
        };
        return ApiException.Detailed(
            400,
            GrpcCode.InvalidArgument,
            reason,
            message,
            new ErrorDetails(reason, metadata)
        );
    }

    public static ApiHandler Lock() =>
        (http, path) =>
            path.Version == "v1.0-alpha1" && path.Count == 1 && HttpMethods.IsPost(http.Request.Method)
                ? throw NoLockStore()
                : ValueTask.FromResult(false);

    public static ApiHandler Jobs(SidecarRuntime runtime) =>
        (http, path) =>
            (http.Request.Method, path.Count) switch
            {
                ("POST", 1) => throw NoScheduler(runtime.App, "schedule", "DAPR_SCHEDULER_SCHEDULE_JOB"),
                ("GET", 1) => throw NoScheduler(runtime.App, "get", "DAPR_SCHEDULER_GET_JOB"),
                ("DELETE", 1) => throw NoScheduler(runtime.App, "delete", "DAPR_SCHEDULER_DELETE_JOB"),
                _ => ValueTask.FromResult(false),
            };
}
