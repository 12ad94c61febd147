using LocalPlus.Sidecar.Api;
using LocalPlus.Sidecar.Api.Http;
using LocalPlus.Sidecar.Runtime;

namespace LocalPlus.Sidecar.Invoke;

/// <summary>Service invocation over HTTP.</summary>
internal sealed class InvokeApi(SidecarRuntime runtime, SidecarHost host)
{
    public Task HandleHeaderAsync(HttpContext http, string target, ApiPath path) =>
        throw ApiException.Invoke(target, host.Local(runtime.App.Namespace, target) is null ? "no host found with the given ID" : path.Raw);

    public Task HandleInternalAsync(HttpContext http) =>
        throw ApiException.Invoke(runtime.App.AppId, http.Request.Path);
}
