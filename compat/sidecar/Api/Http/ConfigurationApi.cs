using LocalPlus.Sidecar.Configuration;
using LocalPlus.Sidecar.Runtime;

namespace LocalPlus.Sidecar.Api.Http;

/// <summary>/v1.0/configuration.</summary>
internal sealed class ConfigurationApi(SidecarRuntime runtime)
{
    public async ValueTask<bool> HandleAsync(HttpContext http, ApiPath path)
    {
        if (!HttpMethods.IsGet(http.Request.Method))
        {
            return false;
        }
        switch (path.Count)
        {
            case 1:
                await GetAsync(http, path[0]);
                return true;
            case 2 when path[1] == "subscribe":
                var id = await runtime.Configuration.SubscribeAsync(
                    path[0],
                    Keys(http),
                    handler: null,
                    http.RequestAborted
                );
                await HttpAnswers.Write(
                    http,
                    json =>
                    {
                        json.WriteStartObject();
                        json.WriteString("id", id);
                        json.WriteEndObject();
                    }
                );
                return true;
            case 3 when path[2] == "unsubscribe":
                await UnsubscribeAsync(http, path[0], path[1]);
                return true;
            default:
                return false;
        }
    }

    private async Task GetAsync(HttpContext http, string store)
    {
        var values = await runtime.Configuration.GetAsync(store, Keys(http), http.RequestAborted);
        if (values.Count == 0)
        {
            await HttpAnswers.NoContent(http);
            return;
        }
        await HttpAnswers.Write(
            http,
            json =>
            {
                json.WriteStartObject();
                foreach (var (key, value) in values)
                {
                    json.WriteStartObject(key);
                    ConfigurationService.Write(json, value);
                    json.WriteEndObject();
                }
                json.WriteEndObject();
            }
        );
    }

    private async Task UnsubscribeAsync(HttpContext http, string store, string id)
    {
        runtime.Configuration.Find(store);
        var ok = await runtime.Configuration.UnsubscribeAsync(id);
        await HttpAnswers.Write(
            http,
            json =>
            {
                json.WriteStartObject();
                json.WriteBoolean("ok", ok);
                if (!ok)
                {
                    json.WriteString(
                        "message",
                        $"failed to unsubscribe to configuration request {id}: subscription with id {id} does not exist"
                    );
                }
                json.WriteEndObject();
            },
            ok ? StatusCodes.Status200OK : StatusCodes.Status500InternalServerError
        );
    }

    private static List<string> Keys(HttpContext http) =>
        [.. http.Request.Query["key"].Where(k => !string.IsNullOrEmpty(k)).Select(k => k!)];
}
