using System.Text.Json;
using LocalPlus.Sidecar.Runtime;
using LocalPlus.Sidecar.State;

namespace LocalPlus.Sidecar.Api.Http;

/// <summary>/v1.0/state.</summary>
internal sealed class StateApi(SidecarRuntime runtime)
{
    public async ValueTask<bool> HandleAsync(HttpContext http, ApiPath path)
    {
        var method = http.Request.Method;
        var writes = HttpMethods.IsPost(method) || HttpMethods.IsPut(method);
        switch (path.Count)
        {
            case 1 when writes:
                await SaveAsync(http, path);
                return true;
            case 2 when HttpMethods.IsGet(method) && path.Version == "v1.0":
                await GetAsync(http, path);
                return true;
            case 2 when HttpMethods.IsDelete(method) && path.Version == "v1.0":
                await DeleteAsync(http, path);
                return true;
            case 2 when writes && path[1] == "bulk":
                await BulkGetAsync(http, path);
                return true;
            case 2 when writes && path[1] == "transaction":
                await TransactAsync(http, path);
                return true;
            case 2 when writes && path[1] == "query" && path.Version == "v1.0-alpha1":
                throw StateService.NoQuery(runtime.State.Find(path[0]));
            default:
                return false;
        }
    }

    private async Task GetAsync(HttpContext http, ApiPath path)
    {
        var store = runtime.State.Find(path[0]);
        var strong = path.Query.Length > 0 && http.Request.Query["consistency"] == "strong";
        var entry = await StateService.GetAsync(store, path[1], strong, http.RequestAborted);
        if (entry is null || (entry.Data.IsEmpty && store.Store is MemoryStateStore))
        {
            http.Response.StatusCode = StatusCodes.Status204NoContent;
            return;
        }
        if (entry.ETag.Length > 0)
        {
            http.Response.Headers.ETag = entry.ETag;
        }
        if (entry.Expires is { } expires)
        {
            http.Response.Headers["metadata.ttlExpireTime"] = expires;
        }
        await HttpAnswers.Bytes(http, entry.Data);
    }

    private async Task SaveAsync(HttpContext http, ApiPath path)
    {
        var store = runtime.State.Find(path[0]);
        var body = await BodyAsync(http);
        var items = StateRequests.ParseSave(body, store, UrlMetadata(http, path));
        await StateService.SaveAsync(store, items, http.RequestAborted);
        http.Response.StatusCode = StatusCodes.Status204NoContent;
    }

    private async Task DeleteAsync(HttpContext http, ApiPath path)
    {
        var store = runtime.State.Find(path[0]);
        var operation = new StateOperation
        {
            Key = StateService.Key(store, path[1]),
            IsDelete = true,
            Unknown = StateRequests.UnknownOption(http.Request.Query["concurrency"], http.Request.Query["consistency"]),
            ETag = http.Request.Headers.IfMatch.ToString() is { Length: > 0 } etag ? etag : null,
            Concurrency = StateRequests.Concurrency(http.Request.Query["concurrency"]),
            Strong = http.Request.Query["consistency"] == "strong",
        };
        await StateService.DeleteAsync(store, path[1], operation, http.RequestAborted);
        http.Response.StatusCode = StatusCodes.Status204NoContent;
    }

    private async Task TransactAsync(HttpContext http, ApiPath path)
    {
        var store = runtime.State.Find(path[0]);
        var body = await BodyAsync(http);
        await StateService.TransactAsync(
            store,
            StateRequests.ParseTransaction(body, store, UrlMetadata(http, path)),
            http.RequestAborted
        );
        http.Response.StatusCode = StatusCodes.Status204NoContent;
    }

    private async Task BulkGetAsync(HttpContext http, ApiPath path)
    {
        var store = runtime.State.Find(path[0]);
        var keys = StateRequests.ParseBulkGet(await BodyAsync(http));
        var entries = await StateService.GetManyAsync(store, keys, http.RequestAborted);
        var values = Array.ConvertAll(
            entries,
            e => e is null || e.Data.IsEmpty ? null : GoJson.TryReencode(e.Data.Span, new GoStyle(KeepNumbers: true))
        );
        if (entries.Zip(values).Any(p => p.First is { Data.IsEmpty: false } && p.Second is null))
        {
            // A value that is no JSON text spoils the whole answer: daprd's encoder gives up and nothing is written.
            await HttpAnswers.Bytes(http, default);
            return;
        }
        await HttpAnswers.Write(
            http,
            json =>
            {
                json.WriteStartArray();
                for (var i = 0; i < keys.Count; i++)
                {
                    json.WriteStartObject();
                    json.WriteString("key", keys[i]);
                    if (entries[i] is { } entry)
                    {
                        WriteEntry(json, entry, values[i]);
                    }
                    json.WriteEndObject();
                }
                json.WriteEndArray();
            }
        );
    }

    private static void WriteEntry(Utf8JsonWriter json, StateEntry entry, byte[]? data)
    {
        if (data is not null)
        {
            json.WritePropertyName("data");
            json.WriteRawValue(data, skipInputValidation: true);
        }
        if (entry.ETag.Length > 0)
        {
            json.WriteString("etag", entry.ETag);
        }
        if (entry.Error is { } error)
        {
            json.WriteString("error", error);
        }
        if (entry.Expires is { } expires)
        {
            json.WriteStartObject("metadata");
            json.WriteString("ttlExpireTime", expires);
            json.WriteEndObject();
        }
    }

    private async ValueTask<byte[]> BodyAsync(HttpContext http) =>
        await RequestBody.ReadAsync(http.Request, runtime.App.MaxBodyBytes, http.RequestAborted)
        ?? throw ApiException.Malformed("stream too large");

    private static Dictionary<string, string>? UrlMetadata(HttpContext http, ApiPath path) =>
        path.Query.Length == 0 ? null : QueryMetadata.Read(http.Request.Query);
}

/// <summary>The <c>metadata.name=value</c> parameters of a URL.</summary>
internal static class QueryMetadata
{
    private const string Prefix = "metadata.";

    public static Dictionary<string, string> Read(IQueryCollection query)
    {
        var metadata = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (key, value) in query)
        {
            if (key.StartsWith(Prefix, StringComparison.Ordinal))
            {
                metadata[key[Prefix.Length..]] = value[0] ?? "";
            }
        }
        return metadata;
    }
}
