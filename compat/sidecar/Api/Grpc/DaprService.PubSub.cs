using Dapr.Client.Autogen.Grpc.v1;
using Google.Protobuf.Collections;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using LocalPlus.Sidecar.PubSub;
using LocalPlus.Sidecar.Tracing;

namespace LocalPlus.Sidecar.Api.Grpc;

internal sealed partial class DaprService
{
    public Task<Empty> PublishEvent(PublishEventRequest request, ServerCallContext context) =>
        GrpcErrors.GuardAsync(async () =>
        {
            await runtime.Publisher.PublishAsync(
                new PublishRequest(request.PubsubName, request.Topic, Copy(request.Metadata), IsGrpc: true),
                request.Data.Memory,
                request.DataContentType,
                TraceContext.Of(context.GetHttpContext()),
                context.CancellationToken
            );
            return Nothing;
        });

    public Task<BulkPublishResponse> BulkPublishEvent(BulkPublishRequest request, ServerCallContext context) =>
        GrpcErrors.GuardAsync(async () =>
        {
            var entries = request
                .Entries.Select(e => new BulkEntry(e.EntryId, e.Event.Memory, e.ContentType, Copy(e.Metadata)))
                .ToList();
            var failed = await runtime.Publisher.PublishBulkAsync(
                new PublishRequest(request.PubsubName, request.Topic, Copy(request.Metadata), IsGrpc: true),
                entries,
                TraceContext.Of(context.GetHttpContext()),
                context.CancellationToken
            );
            return failed.Count == 0
                ? new BulkPublishResponse()
                : throw PubSubErrors.PublishFailed(request.PubsubName, request.Topic, failed[0].Error);
        });

    public Task<BulkPublishResponse> BulkPublishEventAlpha1(BulkPublishRequest request, ServerCallContext context) =>
        BulkPublishEvent(request, context);

    public async Task SubscribeTopicEventsAlpha1(
        IAsyncStreamReader<SubscribeTopicEventsRequestAlpha1> requestStream,
        IServerStreamWriter<SubscribeTopicEventsResponseAlpha1> responseStream,
        ServerCallContext context
    )
    {
        // The stream ends with the sidecar too; nobody else would end it.
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(
            context.CancellationToken,
            runtime.App.Stopping
        );
        try
        {
            using var stream = new TopicStream(runtime, requestStream, responseStream);
            await stream.RunAsync(ending.Token);
        }
        catch (ApiException problem)
        {
            throw GrpcErrors.ToRpc(problem);
        }
        catch (OperationCanceledException) when (runtime.App.Stopping.IsCancellationRequested)
        {
            throw new RpcException(
                new Status(StatusCode.Unavailable, "subscription is closed: the sidecar is shutting down")
            );
        }
    }

    /// <summary>No metadata and empty metadata are the same over gRPC; daprd's map is nil then.</summary>
    private static Dictionary<string, string>? Copy(MapField<string, string> metadata) =>
        metadata.Count == 0 ? null : new Dictionary<string, string>(metadata, StringComparer.Ordinal);
}
