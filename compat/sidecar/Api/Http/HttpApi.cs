using System.Collections.Frozen;
using System.Net.Http.Headers;
using System.Text;
using LocalPlus.Sidecar.Runtime;
using LocalPlus.Sidecar.Tracing;
using Microsoft.AspNetCore.Http.Features;

namespace LocalPlus.Sidecar.Api.Http;

/// <summary>Answers one API of the HTTP port; false when the verb or the number of segments is not its own.</summary>
internal delegate ValueTask<bool> ApiHandler(HttpContext http, ApiPath path);

/// <summary>
/// The HTTP port: one table from API names to handlers instead of routing, because Dapr's paths (encoded keys,
/// collapsed slashes, a header that turns any path into an invocation) fit no route template.
/// </summary>
internal sealed class HttpApi(SidecarRuntime runtime, FrozenDictionary<string, ApiHandler> handlers)
{
    private readonly ILogger log = runtime.App.Logs.CreateLogger("dapr.runtime.http-info");
    private readonly ApiAccess access = new(runtime.App.Resources.Configuration, "http");

    public async Task HandleAsync(HttpContext http)
    {
        var path = ApiPath.Parse(http.Features.Get<IHttpRequestFeature>()!.RawTarget);
        var started = Environment.TickCount64;
        await AnswerAsync(http, path);
        if (runtime.App.ApiLogging.Logs(isHealthCheck: path.Api == "healthz"))
        {
            log.ApiCalled("HTTP", ApiCall.Http(http, "/" + string.Join('/', path.Segments), started));
        }
    }

    private async Task AnswerAsync(HttpContext http, ApiPath path)
    {
        try
        {
            await RouteAsync(http, path);
        }
        catch (ApiException error) when (!http.Response.HasStarted)
        {
            await HttpAnswers.Error(http, error);
        }
        catch (OperationCanceledException) when (http.RequestAborted.IsCancellationRequested)
        {
            // The caller is gone; there is nobody to answer.
        }
        catch (BadHttpRequestException problem) when (!http.Response.HasStarted)
        {
            await HttpAnswers.Error(http, ApiException.Malformed(problem.Message));
        }
        catch (Exception problem) when (problem is not OperationCanceledException && !http.Response.HasStarted)
        {
            log.Unexpected($"{http.Request.Method} {path.Raw}", problem);
            await HttpAnswers.Error(http, ApiException.Bare(500, GrpcCode.Internal, "ERR_INTERNAL", problem.Message));
        }
    }

    private async ValueTask RouteAsync(HttpContext http, ApiPath path)
    {
        var isApi = path.Version is "v1.0" or "v1.0-alpha1" or "v1.0-beta1";
        if (isApi && path.Api == "healthz")
        {
            if (!await handlers["healthz"](http, path))
            {
                throw ApiException.NoRoute();
            }
            return;
        }
        if (runtime.App.Options.ApiToken is { } token && http.Request.Headers["dapr-api-token"] != token)
        {
            await HttpAnswers.PlainText(http, StatusCodes.Status401Unauthorized, "invalid api token\n");
            return;
        }
        if (runtime.Cors.Handle(http))
        {
            return;
        }
        using var span = TraceContext.StartServer(http, runtime.App.Tracing, path);
        if (isApi)
        {
            if (!access.Allows(path.Api, path.Version))
            {
                await HttpAnswers.PlainText(http, StatusCodes.Status404NotFound, "404 page not found\n");
                return;
            }
            foreach (var part in runtime.Parts)
            {
                if (await part.TryHandleAsync(http, path))
                {
                    return;
                }
            }
            if (handlers.TryGetValue(path.Api, out var handler) && await handler(http, path))
            {
                return;
            }
        }
        var target = HeaderTarget(http.Request) ?? throw ApiException.NoRoute();
        await runtime.Invoke.HandleHeaderAsync(http, target, path);
    }

    /// <summary>The app id of the dapr-app-id header, or of Basic credentials whose user is called so.</summary>
    private static string? HeaderTarget(HttpRequest request)
    {
        var id = request.Headers["dapr-app-id"].ToString();
        if (id.Length > 0)
        {
            return id;
        }
        if (
            !AuthenticationHeaderValue.TryParse(request.Headers.Authorization, out var credentials)
            || !string.Equals(credentials.Scheme, "Basic", StringComparison.OrdinalIgnoreCase)
            || credentials.Parameter is null
        )
        {
            return null;
        }
        Span<byte> decoded = stackalloc byte[512];
        if (!Convert.TryFromBase64String(credentials.Parameter, decoded, out var length))
        {
            return null;
        }
        var text = Encoding.UTF8.GetString(decoded[..length]);
        return text.StartsWith("dapr-app-id:", StringComparison.Ordinal) ? text["dapr-app-id:".Length..] : null;
    }
}
