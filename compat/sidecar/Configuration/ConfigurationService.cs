using System.Buffers;
using System.Collections.Concurrent;
using System.Text.Json;
using LocalPlus.Sidecar.Api;
using LocalPlus.Sidecar.Api.Http;
using LocalPlus.Sidecar.Runtime;
using LocalPlus.Sidecar.Tracing;
using LocalPlus.Sidecar.Valkey;

namespace LocalPlus.Sidecar.Configuration;

/// <summary>Configuration stores and the subscriptions on them, for both APIs.</summary>
internal sealed class ConfigurationService(SidecarRuntime runtime) : IAsyncDisposable
{
    private readonly ConcurrentDictionary<string, IAsyncDisposable> subscriptions = new(StringComparer.Ordinal);
    private readonly ILogger log = runtime.App.Logs.CreateLogger("dapr.runtime.configuration");

    public async Task<IReadOnlyDictionary<string, ConfigurationValue>> GetAsync(
        string storeName,
        IReadOnlyList<string> keys,
        CancellationToken cancel
    )
    {
        var store = Find(storeName);
        try
        {
            return await store.GetAsync(keys, cancel);
        }
        catch (ValkeyException problem)
        {
            throw ApiException.Simple(
                500,
                GrpcCode.Internal,
                "ERR_CONFIGURATION_GET",
                $"failed to get [{string.Join(' ', keys)}] from Configuration store {storeName}: {problem.Message}"
            );
        }
    }

    /// <summary>Subscribes; changes go to the given handler, or to the application's HTTP side.</summary>
    public async Task<string> SubscribeAsync(
        string storeName,
        IReadOnlyList<string> keys,
        Func<string, ConfigurationChanged>? handler,
        CancellationToken cancel
    )
    {
        var store = Find(storeName);
        if (handler is null && runtime.Channel is null)
        {
            throw ApiException.Bare(
                500,
                GrpcCode.Internal,
                "ERR_APP_CHANNEL_NIL",
                "app channel is not initialized. cannot subscribe to configuration updates"
            );
        }
        var id = Guid.NewGuid().ToString();
        handler ??= subscription => (key, value) => TellAppAsync(storeName, subscription, key, value);
        try
        {
            subscriptions[id] = await store.SubscribeAsync(keys, handler(id), cancel);
            return id;
        }
        catch (ValkeyException problem)
        {
            throw ApiException.Simple(
                500,
                GrpcCode.InvalidArgument,
                "ERR_CONFIGURATION_SUBSCRIBE",
                $"failed to subscribe [{string.Join(' ', keys)}] from Configuration store {storeName}: {problem.Message}"
            );
        }
    }

    /// <summary>False when there is no such subscription.</summary>
    public async Task<bool> UnsubscribeAsync(string id)
    {
        if (!subscriptions.TryRemove(id, out var subscription))
        {
            return false;
        }
        await subscription.DisposeAsync();
        return true;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var subscription in subscriptions.Values)
        {
            await subscription.DisposeAsync();
        }
    }

    public IConfigurationStore Find(string name)
    {
        if (!runtime.Components.Any<IConfigurationStore>())
        {
            throw ApiException.Simple(
                500,
                GrpcCode.FailedPrecondition,
                "ERR_CONFIGURATION_STORE_NOT_CONFIGURED",
                "configuration stores not configured"
            );
        }
        return runtime.Components.TryGet<IConfigurationStore>(name, out var store)
            ? store
            : throw ApiException.Simple(
                400,
                GrpcCode.InvalidArgument,
                "ERR_CONFIGURATION_STORE_NOT_FOUND",
                $"configuration store {name} not found"
            );
    }

    private async Task TellAppAsync(string store, string id, string key, ConfigurationValue? value)
    {
        if (runtime.Channel is not { Healthy: true } channel)
        {
            return;
        }
        var body = new ArrayBufferWriter<byte>(128);
        using (var json = new Utf8JsonWriter(body, HttpAnswers.WriterOptions))
        {
            json.WriteStartObject();
            json.WriteString("id", id);
            json.WriteStartObject("items");
            json.WriteStartObject(key);
            Write(json, value);
            json.WriteEndObject();
            json.WriteEndObject();
            json.WriteEndObject();
        }
        using var request = channel.Request(
            HttpMethod.Post,
            $"/configuration/{Uri.EscapeDataString(store)}/{Uri.EscapeDataString(key)}"
        );
        request.Content = new ReadOnlyMemoryContent(body.WrittenMemory) { Headers = { ContentType = Handlers.Json } };
        request.Headers.TryAddWithoutValidation("traceparent", TraceContext.ZeroParent);
        try
        {
            using var response = await channel.SendAsync(request, runtime.App.Stopping);
        }
        catch (HttpRequestException problem)
        {
            log.Unexpected($"sending configuration {key} to the application", problem);
        }
    }

    internal static void Write(Utf8JsonWriter json, ConfigurationValue? value)
    {
        if (value is null)
        {
            return;
        }
        json.WriteString("value", value.Value);
        if (value.Version.Length > 0)
        {
            json.WriteString("version", value.Version);
        }
    }
}
