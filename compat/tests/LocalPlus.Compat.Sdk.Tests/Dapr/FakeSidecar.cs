using System.Collections.Concurrent;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using LocalPlus.Compat.Protos;
using LocalPlus.Compat.Sdk.Tests.Grpc;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Wire = LocalPlus.Compat.Protos;

namespace LocalPlus.Compat.Sdk.Tests.Dapr;

/// <summary>A sidecar with a state store in memory, a secret and a configuration value, that keeps what it was sent.</summary>
internal sealed class FakeSidecar : Wire.Dapr.DaprBase, IAsyncDisposable
{
    private readonly ConcurrentDictionary<string, (ByteString Value, int Version)> state = new();
    private WebApplication app = null!;

    public string GrpcEndpoint => app.Urls.First();

    public string HttpEndpoint => app.Urls.Last();

    public ConcurrentQueue<IMessage> Requests { get; } = new();

    public Metadata Headers { get; private set; } = [];

    public bool Healthy { get; set; } = true;

    public RpcException? Refusal { get; set; }

    public T Last<T>() => Requests.OfType<T>().Last();

    public static async Task<FakeSidecar> StartAsync()
    {
        var sidecar = new FakeSidecar();
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.Listen(System.Net.IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http2);
            kestrel.Listen(System.Net.IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http1);
        });
        builder.Services.AddGrpc();
        builder.Services.AddSingleton(sidecar);
        builder.Services.AddSingleton<EchoLog>();
        sidecar.app = builder.Build();
        sidecar.app.MapGrpcService<FakeSidecar>();
        sidecar.app.MapGrpcService<EchoService>();
        sidecar.app.MapGet("/v1.0/healthz", () => sidecar.Healthy ? Results.NoContent() : Results.StatusCode(500));
        sidecar.app.MapGet("/v1.0/healthz/outbound", () => sidecar.Healthy ? Results.NoContent() : Results.StatusCode(500));
        sidecar.app.Map("/v1.0/invoke/{app}/method/{**path}", async http => await http.Response.WriteAsync(
            $"{http.Request.Method} {http.Request.Path}{http.Request.QueryString} {http.Request.Headers["dapr-api-token"]} "
            + await new StreamReader(http.Request.Body).ReadToEndAsync()));
        await sidecar.app.StartAsync();
        return sidecar;
    }

    public EchoLog Echoed => app.Services.GetRequiredService<EchoLog>();

    public ValueTask DisposeAsync() => app.DisposeAsync();

    public override Task<Empty> PublishEvent(PublishEventRequest request, ServerCallContext context) => Keep(request, context, new Empty());

    public override Task<BulkPublishResponse> BulkPublishEvent(BulkPublishRequest request, ServerCallContext context) =>
        Keep(request, context, new BulkPublishResponse
        {
            FailedEntries = { new BulkPublishResponseFailedEntry { EntryId = request.Entries[^1].EntryId, Error = "too late" } },
        });

    public override Task<GetStateResponse> GetState(GetStateRequest request, ServerCallContext context) =>
        Keep(request, context, state.TryGetValue(request.Key, out var item)
            ? new GetStateResponse { Data = item.Value, Etag = $"{item.Version}" }
            : new GetStateResponse());

    public override Task<GetBulkStateResponse> GetBulkState(GetBulkStateRequest request, ServerCallContext context)
    {
        var response = new GetBulkStateResponse();
        response.Items.Add(request.Keys.Select(key => state.TryGetValue(key, out var item)
            ? new BulkStateItem { Key = key, Data = item.Value, Etag = $"{item.Version}" }
            : new BulkStateItem { Key = key }));
        return Keep(request, context, response);
    }

    public override Task<Empty> SaveState(SaveStateRequest request, ServerCallContext context)
    {
        foreach (var item in request.States)
        {
            Check(item.Key, item.Etag);
            state.AddOrUpdate(item.Key, _ => (item.Value, 1), (_, old) => (item.Value, old.Version + 1));
        }

        return Keep(request, context, new Empty());
    }

    public override Task<Empty> DeleteState(DeleteStateRequest request, ServerCallContext context)
    {
        Check(request.Key, request.Etag);
        state.TryRemove(request.Key, out _);
        return Keep(request, context, new Empty());
    }

    public override Task<Empty> DeleteBulkState(DeleteBulkStateRequest request, ServerCallContext context) =>
        Keep(request, context, new Empty());

    public override Task<Empty> ExecuteStateTransaction(ExecuteStateTransactionRequest request, ServerCallContext context) =>
        Keep(request, context, new Empty());

    public override Task<GetSecretResponse> GetSecret(GetSecretRequest request, ServerCallContext context) =>
        Keep(request, context, new GetSecretResponse { Data = { { "user", "me" } } });

    public override Task<GetBulkSecretResponse> GetBulkSecret(GetBulkSecretRequest request, ServerCallContext context) =>
        Keep(request, context, new GetBulkSecretResponse { Data = { { "db", new SecretResponse { Secrets = { { "user", "me" } } } } } });

    public override Task<InvokeBindingResponse> InvokeBinding(InvokeBindingRequest request, ServerCallContext context) =>
        Keep(request, context, new InvokeBindingResponse { Data = request.Data, Metadata = { { "sent", "yes" } } });

    public override Task<GetConfigurationResponse> GetConfiguration(GetConfigurationRequest request, ServerCallContext context) =>
        Keep(request, context, new GetConfigurationResponse { Items = { { "k", new ConfigurationItem { Value = "v", Version = "7" } } } });

    public override async Task SubscribeConfiguration(
        SubscribeConfigurationRequest request, IServerStreamWriter<SubscribeConfigurationResponse> responseStream, ServerCallContext context)
    {
        await responseStream.WriteAsync(new SubscribeConfigurationResponse { Id = "s1" });
        await responseStream.WriteAsync(new SubscribeConfigurationResponse { Id = "s1", Items = { { "k", new ConfigurationItem { Value = "w" } } } });
    }

    public override Task<TryLockResponse> TryLockAlpha1(TryLockRequest request, ServerCallContext context) =>
        Keep(request, context, new TryLockResponse { Success = true });

    public override Task<UnlockResponse> UnlockAlpha1(UnlockRequest request, ServerCallContext context) =>
        Keep(request, context, new UnlockResponse { Status = UnlockResponse.Types.Status.LockBelongsToOthers });

    public override Task<GetMetadataResponse> GetMetadata(GetMetadataRequest request, ServerCallContext context) =>
        Keep(request, context, new GetMetadataResponse
        {
            Id = "app",
            RegisteredComponents = { new RegisteredComponents { Name = "store", Type = "state.redis", Version = "v1", Capabilities = { "ETAG" } } },
        });

    public override Task<Empty> Shutdown(ShutdownRequest request, ServerCallContext context) => Keep(request, context, new Empty());

    private void Check(string key, Etag? etag)
    {
        if (etag is not null && $"{(state.TryGetValue(key, out var item) ? item.Version : 0)}" != etag.Value)
        {
            throw new RpcException(new Status(StatusCode.Aborted, "possible etag mismatch"));
        }
    }

    private Task<T> Keep<T>(IMessage request, ServerCallContext context, T response)
    {
        Headers = context.RequestHeaders;
        Requests.Enqueue(request);
        return Refusal is null ? Task.FromResult(response) : throw Refusal;
    }
}
