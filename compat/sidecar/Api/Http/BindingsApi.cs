using System.Text.Json;
using LocalPlus.Sidecar.Runtime;

namespace LocalPlus.Sidecar.Api.Http;

/// <summary>/v1.0/bindings.</summary>
internal sealed class BindingsApi(SidecarRuntime runtime)
{
    public async ValueTask<bool> HandleAsync(HttpContext http, ApiPath path)
    {
        var method = http.Request.Method;
        if ((!HttpMethods.IsPost(method) && !HttpMethods.IsPut(method)) || path.Count != 1)
        {
            return false;
        }
        var body =
            await RequestBody.ReadAsync(http.Request, runtime.App.MaxBodyBytes, http.RequestAborted)
            ?? throw ApiException.Malformed("stream too large");
        var (operation, data, metadata) = Parse(body);
        var answer = await runtime.Bindings.InvokeAsync(path[0], operation, data, metadata, http.RequestAborted);
        foreach (var (key, value) in answer.Metadata ?? new Dictionary<string, string>())
        {
            http.Response.Headers["metadata." + key] = value;
        }
        if (answer.Data is null)
        {
            await HttpAnswers.NoContent(http);
        }
        else
        {
            await HttpAnswers.Bytes(http, answer.Data);
        }
        return true;
    }

    private static (string Operation, byte[] Data, Dictionary<string, string> Metadata) Parse(byte[] body)
    {
        var operation = "";
        var data = "null"u8.ToArray();
        var metadata = new Dictionary<string, string>(StringComparer.Ordinal);
        try
        {
            using var document = JsonDocument.Parse(body);
            if (document.RootElement.TryGetMember("operation", out var op))
            {
                operation = op.GetString() ?? "";
            }
            if (document.RootElement.TryGetMember("data", out var payload))
            {
                data =
                    GoJson.TryReencode(JsonSerializer.SerializeToUtf8Bytes(payload), new GoStyle(EscapeHtml: true))
                    ?? [];
            }
            if (document.RootElement.TryGetMember("metadata", out var map) && map.ValueKind == JsonValueKind.Object)
            {
                metadata = map.EnumerateObject()
                    .ToDictionary(p => p.Name, p => p.Value.GetString() ?? "", StringComparer.Ordinal);
            }
            return (operation, data, metadata);
        }
        catch (Exception problem) when (problem is JsonException or InvalidOperationException)
        {
            throw ApiException.Malformed($"failed deserializing HTTP body: {problem.Message}");
        }
    }
}
