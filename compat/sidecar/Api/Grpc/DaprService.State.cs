using Dapr.Client.Autogen.Grpc.v1;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using LocalPlus.Sidecar.Runtime;
using LocalPlus.Sidecar.State;

namespace LocalPlus.Sidecar.Api.Grpc;

/// <summary>
/// Dapr's gRPC API. Every call does what its HTTP sibling does; only the shape of values and errors differs.
/// </summary>
[System.Diagnostics.CodeAnalysis.SuppressMessage(
    "Performance",
    "CA1822",
    Justification = "RPCs are found as methods of an instance."
)]
internal sealed partial class DaprService(SidecarRuntime runtime)
{
    private static readonly Empty Nothing = new();

    public Task<GetStateResponse> GetState(GetStateRequest request, ServerCallContext context) =>
        GrpcErrors.GuardAsync(async () =>
        {
            var store = runtime.State.Find(request.StoreName);
            var strong = request.Consistency == StateOptions.Types.StateConsistency.ConsistencyStrong;
            var entry = await StateService.GetAsync(store, request.Key, strong, context.CancellationToken);
            if (entry is null)
            {
                return new GetStateResponse();
            }
            var response = new GetStateResponse
            {
                Data = UnsafeByteOperations.UnsafeWrap(entry.Data),
                Etag = entry.ETag,
            };
            AddExpiry(response.Metadata, entry);
            return response;
        });

    public Task<GetBulkStateResponse> GetBulkState(GetBulkStateRequest request, ServerCallContext context) =>
        GrpcErrors.GuardAsync(async () =>
        {
            var store = runtime.State.Find(request.StoreName);
            var entries = await StateService.GetManyAsync(store, request.Keys, context.CancellationToken);
            var response = new GetBulkStateResponse();
            for (var i = 0; i < entries.Length; i++)
            {
                var item = new BulkStateItem { Key = request.Keys[i] };
                if (entries[i] is { } entry)
                {
                    item.Data = UnsafeByteOperations.UnsafeWrap(entry.Data);
                    item.Etag = entry.ETag;
                    item.Error = entry.Error ?? "";
                    AddExpiry(item.Metadata, entry);
                }
                response.Items.Add(item);
            }
            return response;
        });

    public Task<Empty> SaveState(SaveStateRequest request, ServerCallContext context) =>
        GrpcErrors.GuardAsync(async () =>
        {
            var store = runtime.State.Find(request.StoreName);
            if (request.States.Count > 0)
            {
                await StateService.SaveAsync(
                    store,
                    [.. request.States.Select(s => Operation(store, s))],
                    context.CancellationToken
                );
            }
            return Nothing;
        });

    public Task<Empty> DeleteState(DeleteStateRequest request, ServerCallContext context) =>
        GrpcErrors.GuardAsync(async () =>
        {
            var store = runtime.State.Find(request.StoreName);
            var item = new StateItem
            {
                Key = request.Key,
                Etag = request.Etag,
                Options = request.Options,
            };
            item.Metadata.Add(request.Metadata);
            await StateService.DeleteAsync(
                store,
                request.Key,
                Operation(store, item) with
                {
                    IsDelete = true,
                },
                context.CancellationToken
            );
            return Nothing;
        });

    public Task<Empty> DeleteBulkState(DeleteBulkStateRequest request, ServerCallContext context) =>
        GrpcErrors.GuardAsync(async () =>
        {
            var store = runtime.State.Find(request.StoreName);
            foreach (var item in request.States)
            {
                await StateService.DeleteAsync(
                    store,
                    item.Key,
                    Operation(store, item) with
                    {
                        IsDelete = true,
                    },
                    context.CancellationToken
                );
            }
            return Nothing;
        });

    public Task<Empty> ExecuteStateTransaction(ExecuteStateTransactionRequest request, ServerCallContext context) =>
        GrpcErrors.GuardAsync(async () =>
        {
            var store = runtime.State.Find(request.StoreName);
            var operations = new List<StateOperation>(request.Operations.Count);
            foreach (var operation in request.Operations)
            {
                operations.Add(
                    operation.OperationType switch
                    {
                        "upsert" => Operation(store, operation.Request ?? new StateItem()),
                        "delete" => Operation(store, operation.Request ?? new StateItem()) with { IsDelete = true },
                        var other => throw StateService.UnknownOperation(other),
                    }
                );
            }
            await StateService.TransactAsync(store, operations, context.CancellationToken);
            return Nothing;
        });

    public Task<QueryStateResponse> QueryStateAlpha1(QueryStateRequest request, ServerCallContext context) =>
        GrpcErrors.GuardAsync<QueryStateResponse>(() =>
            throw StateService.NoQuery(runtime.State.Find(request.StoreName))
        );

    private static StateOperation Operation(NamedStore store, StateItem item)
    {
        if (item.Key.Length == 0)
        {
            throw ApiException.Malformed("\"key\" is a required field");
        }
        return new StateOperation
        {
            Key = StateService.Key(store, item.Key),
            Value = item.Value.Memory,
            ETag = item.Etag?.Value,
            Metadata =
                item.Metadata.Count == 0
                    ? StateOperation.NoMetadata
                    : new Dictionary<string, string>(item.Metadata, StringComparer.Ordinal),
            Concurrency = item.Options?.Concurrency switch
            {
                StateOptions.Types.StateConcurrency.ConcurrencyFirstWrite => StateConcurrency.FirstWrite,
                StateOptions.Types.StateConcurrency.ConcurrencyLastWrite => StateConcurrency.LastWrite,
                _ => StateConcurrency.Unspecified,
            },
            Strong = item.Options?.Consistency == StateOptions.Types.StateConsistency.ConsistencyStrong,
        };
    }

    private static void AddExpiry(Google.Protobuf.Collections.MapField<string, string> metadata, StateEntry entry)
    {
        if (entry.Expires is { } expires)
        {
            metadata["ttlExpireTime"] = expires;
        }
    }
}
