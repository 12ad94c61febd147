using System.Collections.Frozen;
using LocalPlus.Sidecar.Runtime;
using LocalPlus.Sidecar.Tracing;

namespace LocalPlus.Sidecar.Api.Grpc;

/// <summary>What every call on the gRPC port passes: the API token, the API lists, the trace context.</summary>
internal sealed class GrpcGate(SidecarRuntime runtime)
{
    private const string DaprPrefix = "/dapr.proto.runtime.v1.Dapr/";
    private const string TaskHubPrefix = "/TaskHubSidecarService/";

    /// <summary>The group and version that the API lists know a method by.</summary>
    private static readonly FrozenDictionary<string, (string Name, string Version)> Groups = new Dictionary<
        string,
        (string, string)
    >(StringComparer.Ordinal)
    {
        ["GetState"] = ("state", "v1.0"),
        ["GetBulkState"] = ("state", "v1.0"),
        ["SaveState"] = ("state", "v1.0"),
        ["DeleteState"] = ("state", "v1.0"),
        ["DeleteBulkState"] = ("state", "v1.0"),
        ["ExecuteStateTransaction"] = ("state", "v1.0"),
        ["QueryStateAlpha1"] = ("state", "v1.0-alpha1"),
        ["PublishEvent"] = ("publish", "v1.0"),
        ["BulkPublishEvent"] = ("publish", "v1.0"),
        ["BulkPublishEventAlpha1"] = ("publish", "v1.0-alpha1"),
        ["SubscribeTopicEventsAlpha1"] = ("subscribe", "v1.0-alpha1"),
        ["InvokeService"] = ("invoke", "v1.0"),
        ["InvokeBinding"] = ("bindings", "v1.0"),
        ["GetSecret"] = ("secrets", "v1.0"),
        ["GetBulkSecret"] = ("secrets", "v1.0"),
        ["GetConfiguration"] = ("configuration", "v1.0"),
        ["SubscribeConfiguration"] = ("configuration", "v1.0"),
        ["UnsubscribeConfiguration"] = ("configuration", "v1.0"),
        ["GetMetadata"] = ("metadata", "v1.0"),
        ["SetMetadata"] = ("metadata", "v1.0"),
        ["Shutdown"] = ("shutdown", "v1.0"),
        ["TryLockAlpha1"] = ("lock", "v1.0-alpha1"),
        ["UnlockAlpha1"] = ("unlock", "v1.0-alpha1"),
    }.ToFrozenDictionary(StringComparer.Ordinal);

    private readonly ILogger log = runtime.App.Logs.CreateLogger("dapr.runtime.grpc.api-info");
    private readonly ApiAccess access = new(runtime.App.Resources.Configuration, "grpc");

    public async Task HandleAsync(HttpContext http, RequestDelegate next)
    {
        var started = Environment.TickCount64;
        await AnswerAsync(http, next);
        if (runtime.App.ApiLogging.Logs(isHealthCheck: false))
        {
            log.ApiCalled("gRPC", ApiCall.Grpc(http, http.Request.Path.Value ?? "/", started));
        }
    }

    private async Task AnswerAsync(HttpContext http, RequestDelegate next)
    {
        if (runtime.App.Options.ApiToken is { } token && http.Request.Headers["dapr-api-token"] != token)
        {
            var why = http.Request.Headers.ContainsKey("dapr-api-token")
                ? "authentication error: api token mismatch"
                : "missing api token in request metadata";
            var details = new ErrorDetails(
                "Unauthorized",
                new Dictionary<string, string>(StringComparer.Ordinal)
                {
                    ["http.code"] = "401",
                    ["http.error_message"] = why,
                }
            );
            await GrpcAnswers.EndAsync(
                http,
                GrpcCode.Unauthenticated,
                "Unauthorized",
                GrpcErrors.Encode(GrpcCode.Unauthenticated, "Unauthorized", details)
            );
            return;
        }
        var path = http.Request.Path.Value ?? "/";
        if (access.Restricts && !IsAllowed(path))
        {
            await GrpcAnswers.EndAsync(http, GrpcCode.Unimplemented, "requested endpoint is not available");
            return;
        }
        if (path.StartsWith(TaskHubPrefix, StringComparison.Ordinal))
        {
            // A worker's stream lives for days; the engine makes its own spans.
            http.Features.Set(TraceContext.Incoming(http));
            await next(http);
            return;
        }
        using var span = TraceContext.Start(http, runtime.App.Tracing, path);
        await next(http);
    }

    private bool IsAllowed(string path)
    {
        if (!path.StartsWith(DaprPrefix, StringComparison.Ordinal))
        {
            return true;
        }
        return !Groups.TryGetValue(path[DaprPrefix.Length..], out var group)
            || access.Allows(group.Name, group.Version);
    }
}
