using System.Text.Json;
using Dapr.Common;
using Google.Protobuf;
using Google.Protobuf.Collections;
using Grpc.Core;
using Grpc.Net.Client;
using Sidecar = LocalPlus.Compat.Protos.Dapr;
using Wire = LocalPlus.Compat.Protos;

namespace Dapr.Client;

/// <summary>The client over the sidecar's gRPC API; only health checks and HTTP invocation go over HTTP.</summary>
internal sealed partial class DaprClientGrpc(
    GrpcChannel channel,
    Sidecar.DaprClient sidecar,
    HttpClient http,
    Uri httpEndpoint,
    JsonSerializerOptions json,
    string apiToken) : DaprClient
{
    private static readonly TimeSpan HealthPollInterval = TimeSpan.FromMilliseconds(500);

    public override JsonSerializerOptions JsonSerializerOptions => json;

    public override async Task<Dictionary<string, string>> GetSecretAsync(
        string storeName, string key, IReadOnlyDictionary<string, string>? metadata = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(storeName);
        ArgumentException.ThrowIfNullOrEmpty(key);
        var request = new Wire.GetSecretRequest { StoreName = storeName, Key = key };
        Add(request.Metadata, metadata);
        var response = await CallAsync("Secret", sidecar.GetSecretAsync(request, Options(cancellationToken)));
        return new Dictionary<string, string>(response.Data);
    }

    public override async Task<Dictionary<string, Dictionary<string, string>>> GetBulkSecretAsync(
        string storeName, IReadOnlyDictionary<string, string>? metadata = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(storeName);
        var request = new Wire.GetBulkSecretRequest { StoreName = storeName };
        Add(request.Metadata, metadata);
        var response = await CallAsync("Bulk secret", sidecar.GetBulkSecretAsync(request, Options(cancellationToken)));
        return response.Data.ToDictionary(secret => secret.Key, secret => new Dictionary<string, string>(secret.Value.Secrets));
    }

    public override Task<bool> CheckHealthAsync(CancellationToken cancellationToken = default) =>
        IsHealthyAsync("/v1.0/healthz", cancellationToken);

    public override Task<bool> CheckOutboundHealthAsync(CancellationToken cancellationToken = default) =>
        IsHealthyAsync("/v1.0/healthz/outbound", cancellationToken);

    public override async Task WaitForSidecarAsync(CancellationToken cancellationToken = default)
    {
        while (!await CheckOutboundHealthAsync(cancellationToken))
        {
            await Task.Delay(HealthPollInterval, cancellationToken);
        }
    }

    public override async Task ShutdownSidecarAsync(CancellationToken cancellationToken = default) =>
        await CallAsync("Shutdown", sidecar.ShutdownAsync(new Wire.ShutdownRequest(), Options(cancellationToken)));

    public override async Task<DaprMetadata> GetMetadataAsync(CancellationToken cancellationToken = default)
    {
        var response = await CallAsync(
            "Get metadata", sidecar.GetMetadataAsync(new Wire.GetMetadataRequest(), Options(cancellationToken)));
        return new DaprMetadata(
            response.Id,
            [.. response.ActorRuntime?.ActiveActors.Select(actor => new DaprActorMetadata(actor.Type, actor.Count)) ?? []],
            new Dictionary<string, string>(response.ExtendedMetadata),
            [.. response.RegisteredComponents.Select(
                component => new DaprComponentsMetadata(
                    component.Name, component.Type, component.Version, [.. component.Capabilities]))]);
    }

    public override async Task SetMetadataAsync(
        string attributeName, string attributeValue, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(attributeName);
        var request = new Wire.SetMetadataRequest { Key = attributeName, Value = attributeValue };
        await CallAsync("Set metadata", sidecar.SetMetadataAsync(request, Options(cancellationToken)));
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            channel.Dispose();
            http.Dispose();
        }

        base.Dispose(disposing);
    }

    private static async Task<T> CallAsync<T>(string operation, AsyncUnaryCall<T> call)
    {
        try
        {
            return await call;
        }
        catch (RpcException e)
        {
            throw Failure(operation, e);
        }
    }

    private static DaprException Failure(string operation, RpcException e) =>
        new($"{operation} operation failed: the Dapr endpoint indicated a failure. See InnerException for details.", e);

    private static void Add(MapField<string, string> target, IReadOnlyDictionary<string, string>? metadata)
    {
        foreach (var (name, value) in metadata ?? new Dictionary<string, string>())
        {
            target.Add(name, value);
        }
    }

    private CallOptions Options(CancellationToken cancel) =>
        new(SidecarCalls.Headers(apiToken), cancellationToken: cancel);

    private ByteString ToBytes<T>(T value) => value is null
        ? ByteString.Empty
        : UnsafeByteOperations.UnsafeWrap(JsonSerializer.SerializeToUtf8Bytes(value, json));

    private T FromBytes<T>(string operation, ByteString data)
    {
        if (data.IsEmpty)
        {
            return default!;
        }

        try
        {
            return JsonSerializer.Deserialize<T>(data.Span, json)!;
        }
        catch (JsonException e)
        {
            throw new DaprException(
                $"{operation} payload could not be deserialized. See InnerException for details.", e);
        }
    }

    private async Task<bool> IsHealthyAsync(string path, CancellationToken cancel)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(httpEndpoint, path));
        AddToken(request);
        try
        {
            using var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancel);
            return response.IsSuccessStatusCode;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }

    private void AddToken(HttpRequestMessage request)
    {
        if (!string.IsNullOrWhiteSpace(apiToken))
        {
            request.Headers.Add(SidecarCalls.ApiTokenHeader, apiToken);
        }
    }
}
