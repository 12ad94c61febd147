using System.Text.Json;
using LocalPlus.Sidecar.Runtime;

namespace LocalPlus.Sidecar.Api.Http;

/// <summary>/v1.0/secrets.</summary>
internal sealed class SecretsApi(SidecarRuntime runtime)
{
    public async ValueTask<bool> HandleAsync(HttpContext http, ApiPath path)
    {
        if (!HttpMethods.IsGet(http.Request.Method) || path.Count != 2)
        {
            return false;
        }
        if (path[1] == "bulk")
        {
            var all = await runtime.Secrets.GetAllAsync(path[0], http.RequestAborted);
            await HttpAnswers.Write(
                http,
                json =>
                {
                    json.WriteStartObject();
                    foreach (var (name, secret) in all)
                    {
                        json.WritePropertyName(name);
                        Write(json, secret);
                    }
                    json.WriteEndObject();
                }
            );
            return true;
        }
        var one = await runtime.Secrets.GetAsync(path[0], path[1], http.RequestAborted);
        if (one.Count == 0)
        {
            await HttpAnswers.NoContent(http);
            return true;
        }
        await HttpAnswers.Write(http, json => Write(json, one));
        return true;
    }

    private static void Write(Utf8JsonWriter json, IReadOnlyDictionary<string, string> secret)
    {
        json.WriteStartObject();
        foreach (var (key, value) in secret)
        {
            json.WriteString(key, value);
        }
        json.WriteEndObject();
    }
}
