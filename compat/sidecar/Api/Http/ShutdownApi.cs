using LocalPlus.Sidecar.Runtime;

namespace LocalPlus.Sidecar.Api.Http;

/// <summary>POST /v1.0/shutdown; with the header dapr-force-shutdown: true at once and with exit code 1.</summary>
internal static class ShutdownApi
{
    public static ApiHandler Create(SidecarRuntime runtime) =>
        async (http, path) =>
        {
            if (!HttpMethods.IsPost(http.Request.Method) || path.Count != 0)
            {
                return false;
            }
            var force = string.Equals(
                http.Request.Headers["dapr-force-shutdown"],
                "true",
                StringComparison.OrdinalIgnoreCase
            );
            await HttpAnswers.NoContent(http);
            // The answer leaves before the ports close.
            http.Response.OnCompleted(() =>
            {
                runtime.RequestStop(force);
                return Task.CompletedTask;
            });
            return true;
        };
}
