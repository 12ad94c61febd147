using System.Text;
using LocalPlus.Sidecar.Api;
using LocalPlus.Sidecar.Api.Http;
using TraceContext = LocalPlus.Sidecar.Tracing.TraceContext;

namespace LocalPlus.Sidecar.Workflow;

/// <summary>
/// The management API over HTTP: /v1.0, v1.0-beta1 and v1.0-alpha1, <c>workflows/{any component}/…</c>.
/// </summary>
internal sealed class WorkflowHttp(WorkflowApi api, long maxBody)
{
    /// <summary>False when the verb or the path is none of the API's.</summary>
    public async ValueTask<bool> TryHandleAsync(HttpContext http, ApiPath path)
    {
        if (path.Api != "workflows")
        {
            return false;
        }

        var cancel = http.RequestAborted;
        switch (http.Request.Method, path.Count)
        {
            case ("GET", 2):
                await GetAsync(http, path[1], cancel);
                return true;
            case ("POST", 3) when path[2] == "start":
                await StartAsync(http, path[1], cancel);
                return true;
            case ("POST", 3) when Steering(path[2]) is { } steer:
                await steer(path[1], cancel);
                await AcceptAsync(http);
                return true;
            case ("POST", 4) when path[2] == "raiseEvent":
                await api.RaiseAsync(path[1], path[3], await BodyAsync(http, cancel), cancel);
                await AcceptAsync(http);
                return true;
            default:
                return false;
        }
    }

    private Func<string, CancellationToken, Task>? Steering(string verb) =>
        verb switch
        {
            "pause" => api.PauseAsync,
            "resume" => api.ResumeAsync,
            "terminate" => api.TerminateAsync,
            "purge" => api.PurgeAsync,
            _ => null,
        };

    private async Task StartAsync(HttpContext http, string name, CancellationToken cancel)
    {
        var input = await BodyAsync(http, cancel);
        var trace = TraceContext.Of(http);
        var caller = trace.IsTrace
            ? new Dapr.DurableTask.Protobuf.TraceContext
            {
                TraceParent = trace.TraceParent,
                TraceState = trace.TraceState,
            }
            : null;
        var id = await api.StartAsync(name, http.Request.Query["instanceID"].ToString(), input, null, caller, cancel);
        await HttpAnswers.Write(
            http,
            json =>
            {
                json.WriteStartObject();
                json.WriteString("instanceID", id);
                json.WriteEndObject();
            },
            StatusCodes.Status202Accepted
        );
    }

    private async Task GetAsync(HttpContext http, string id, CancellationToken cancel)
    {
        var info = await api.GetAsync(id, cancel) ?? throw WorkflowApi.NotFound(id);
        await HttpAnswers.Write(
            http,
            json =>
            {
                json.WriteStartObject();
                json.WriteString("instanceID", info.InstanceId);
                if (info.Name.Length > 0)
                {
                    json.WriteString("workflowName", info.Name);
                }

                // The text form of a Timestamp is a JSON string.
                json.WritePropertyName("createdAt");
                json.WriteRawValue(info.CreatedAt.ToString());
                json.WritePropertyName("lastUpdatedAt");
                json.WriteRawValue(info.UpdatedAt.ToString());
                json.WriteString("runtimeStatus", info.Status);
                if (info.Properties.Count > 0)
                {
                    json.WriteStartObject("properties");
                    foreach (var (name, value) in info.Properties)
                    {
                        json.WriteString(name, value);
                    }

                    json.WriteEndObject();
                }

                json.WriteEndObject();
            }
        );
    }

    private static Task AcceptAsync(HttpContext http) =>
        HttpAnswers.Write(
            http,
            json =>
            {
                json.WriteStartObject();
                json.WriteEndObject();
            },
            StatusCodes.Status202Accepted
        );

    private async Task<string> BodyAsync(HttpContext http, CancellationToken cancel)
    {
        var body =
            await RequestBody.ReadAsync(http.Request, maxBody, cancel)
            ?? throw ApiException.Simple(
                400,
                GrpcCode.InvalidArgument,
                "ERR_BODY_READ",
                "failed to read request body: stream too large"
            );
        return Encoding.UTF8.GetString(body);
    }
}
