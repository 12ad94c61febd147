using Google.Protobuf;
using Grpc.Core;
using Wire = LocalPlus.Compat.Protos;
using WireOptions = LocalPlus.Compat.Protos.StateOptions;

namespace Dapr.Client;

internal sealed partial class DaprClientGrpc
{
    private const string Operation = "State";
    private const string Payload = "State operation failed: the state";

    public override async Task<TValue> GetStateAsync<TValue>(
        string storeName, string key, ConsistencyMode? consistencyMode = null,
        IReadOnlyDictionary<string, string>? metadata = null, CancellationToken cancellationToken = default) =>
        (await GetStateAndETagAsync<TValue>(storeName, key, consistencyMode, metadata, cancellationToken)).value;

    public override async Task<(TValue value, string etag)> GetStateAndETagAsync<TValue>(
        string storeName, string key, ConsistencyMode? consistencyMode = null,
        IReadOnlyDictionary<string, string>? metadata = null, CancellationToken cancellationToken = default)
    {
        var response = await GetAsync(storeName, key, consistencyMode, metadata, cancellationToken);
        return (FromBytes<TValue>(Payload, response.Data), response.Etag);
    }

    public override async Task<ReadOnlyMemory<byte>> GetByteStateAsync(
        string storeName, string key, ConsistencyMode? consistencyMode = null,
        IReadOnlyDictionary<string, string>? metadata = null, CancellationToken cancellationToken = default) =>
        (await GetAsync(storeName, key, consistencyMode, metadata, cancellationToken)).Data.Memory;

    public override async Task<(ReadOnlyMemory<byte>, string etag)> GetByteStateAndETagAsync(
        string storeName, string key, ConsistencyMode? consistencyMode = null,
        IReadOnlyDictionary<string, string>? metadata = null, CancellationToken cancellationToken = default)
    {
        var response = await GetAsync(storeName, key, consistencyMode, metadata, cancellationToken);
        return (response.Data.Memory, response.Etag);
    }

    public override async Task<IReadOnlyList<BulkStateItem>> GetBulkStateAsync(
        string storeName, IReadOnlyList<string> keys, int? parallelism,
        IReadOnlyDictionary<string, string>? metadata = null, CancellationToken cancellationToken = default)
    {
        var items = await GetBulkAsync(storeName, keys, parallelism, metadata, cancellationToken);
        return [.. items.Select(item => new BulkStateItem(item.Key, item.Data.ToStringUtf8(), item.Etag))];
    }

    public override async Task<IReadOnlyList<BulkStateItem<TValue>>> GetBulkStateAsync<TValue>(
        string storeName, IReadOnlyList<string> keys, int? parallelism,
        IReadOnlyDictionary<string, string>? metadata = null, CancellationToken cancellationToken = default)
    {
        var items = await GetBulkAsync(storeName, keys, parallelism, metadata, cancellationToken);
        return [.. items.Select(
            item => new BulkStateItem<TValue>(item.Key, FromBytes<TValue>(Payload, item.Data), item.Etag))];
    }

    public override Task SaveStateAsync<TValue>(
        string storeName, string key, TValue value, StateOptions? stateOptions = null,
        IReadOnlyDictionary<string, string>? metadata = null, CancellationToken cancellationToken = default) =>
        SaveAsync(storeName, [Item(key, ToBytes(value), null, stateOptions, metadata)], cancellationToken);

    public override Task SaveByteStateAsync(
        string storeName, string key, ReadOnlyMemory<byte> binaryValue, StateOptions? stateOptions = null,
        IReadOnlyDictionary<string, string>? metadata = null, CancellationToken cancellationToken = default) =>
        SaveAsync(
            storeName, [Item(key, ByteString.CopyFrom(binaryValue.Span), null, stateOptions, metadata)], cancellationToken);

    public override Task<bool> TrySaveStateAsync<TValue>(
        string storeName, string key, TValue value, string etag, StateOptions? stateOptions = null,
        IReadOnlyDictionary<string, string>? metadata = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(etag); // the empty ETag means "not there yet"
        return UnlessAbortedAsync(
            SaveAsync(storeName, [Item(key, ToBytes(value), etag, stateOptions, metadata)], cancellationToken));
    }

    public override Task<bool> TrySaveByteStateAsync(
        string storeName, string key, ReadOnlyMemory<byte> binaryValue, string etag, StateOptions? stateOptions = null,
        IReadOnlyDictionary<string, string>? metadata = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(etag);
        var item = Item(key, ByteString.CopyFrom(binaryValue.Span), etag, stateOptions, metadata);
        return UnlessAbortedAsync(SaveAsync(storeName, [item], cancellationToken));
    }

    public override Task SaveBulkStateAsync<TValue>(
        string storeName, IReadOnlyList<SaveStateItem<TValue>> items, CancellationToken cancellationToken = default)
    {
        ThrowIfEmpty(items, nameof(items));
        return SaveAsync(
            storeName,
            items.Select(item => Item(item.Key, ToBytes(item.Value), item.ETag, item.StateOptions, item.Metadata)),
            cancellationToken);
    }

    public override Task DeleteStateAsync(
        string storeName, string key, StateOptions? stateOptions = null,
        IReadOnlyDictionary<string, string>? metadata = null, CancellationToken cancellationToken = default) =>
        DeleteAsync(storeName, key, null, stateOptions, metadata, cancellationToken);

    public override Task<bool> TryDeleteStateAsync(
        string storeName, string key, string etag, StateOptions? stateOptions = null,
        IReadOnlyDictionary<string, string>? metadata = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(etag);
        return UnlessAbortedAsync(DeleteAsync(storeName, key, etag, stateOptions, metadata, cancellationToken));
    }

    public override async Task DeleteBulkStateAsync(
        string storeName, IReadOnlyList<BulkDeleteStateItem> items, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(storeName);
        ThrowIfEmpty(items, nameof(items));
        var request = new Wire.DeleteBulkStateRequest { StoreName = storeName };
        request.States.Add(
            items.Select(item => Item(item.Key, ByteString.Empty, item.ETag, item.StateOptions, item.Metadata)));
        await CallAsync(Operation, sidecar.DeleteBulkStateAsync(request, Options(cancellationToken)));
    }

    public override async Task ExecuteStateTransactionAsync(
        string storeName, IReadOnlyList<StateTransactionRequest> operations,
        IReadOnlyDictionary<string, string>? metadata = null, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(storeName);
        ThrowIfEmpty(operations, nameof(operations));
        var request = new Wire.ExecuteStateTransactionRequest { StoreName = storeName };
        Add(request.Metadata, metadata);
        request.Operations.Add(operations.Select(operation => new Wire.TransactionalStateOperation
        {
            OperationType = operation.OperationType == StateOperationType.Delete ? "delete" : "upsert",
            Request = Item(
                operation.Key, ByteString.CopyFrom(operation.Value ?? []), operation.ETag, operation.Options,
                operation.Metadata),
        }));
        await CallAsync(Operation, sidecar.ExecuteStateTransactionAsync(request, Options(cancellationToken)));
    }

    private static void ThrowIfEmpty<T>(IReadOnlyList<T> items, string name)
    {
        ArgumentNullException.ThrowIfNull(items, name);
        if (items.Count == 0)
        {
            throw new ArgumentException($"{name} do not contain any elements", name);
        }
    }

    private static async Task<bool> UnlessAbortedAsync(Task write)
    {
        try
        {
            await write;
            return true;
        }
        catch (DaprException e) when (e.InnerException is RpcException { StatusCode: StatusCode.Aborted })
        {
            return false;
        }
    }

    private static Wire.StateItem Item(
        string key, ByteString value, string? etag, StateOptions? options, IReadOnlyDictionary<string, string>? metadata)
    {
        ArgumentException.ThrowIfNullOrEmpty(key);
        var item = new Wire.StateItem { Key = key, Value = value, Etag = ToWire(etag), Options = ToWire(options) };
        Add(item.Metadata, metadata);
        return item;
    }

    private static Wire.Etag? ToWire(string? etag) => etag is null ? null : new Wire.Etag { Value = etag };

    private static WireOptions? ToWire(StateOptions? options) => options is null
        ? null
        : new WireOptions
        {
            Consistency = ToWire(options.Consistency),
            Concurrency = options.Concurrency switch
            {
                null => WireOptions.Types.StateConcurrency.ConcurrencyUnspecified,
                ConcurrencyMode.FirstWrite => WireOptions.Types.StateConcurrency.ConcurrencyFirstWrite,
                _ => WireOptions.Types.StateConcurrency.ConcurrencyLastWrite,
            },
        };

    private static WireOptions.Types.StateConsistency ToWire(ConsistencyMode? mode) => mode switch
    {
        null => WireOptions.Types.StateConsistency.ConsistencyUnspecified,
        ConsistencyMode.Eventual => WireOptions.Types.StateConsistency.ConsistencyEventual,
        _ => WireOptions.Types.StateConsistency.ConsistencyStrong,
    };

    private async Task<Wire.GetStateResponse> GetAsync(
        string storeName, string key, ConsistencyMode? consistency, IReadOnlyDictionary<string, string>? metadata,
        CancellationToken cancel)
    {
        ArgumentException.ThrowIfNullOrEmpty(storeName);
        ArgumentException.ThrowIfNullOrEmpty(key);
        var request = new Wire.GetStateRequest { StoreName = storeName, Key = key, Consistency = ToWire(consistency) };
        Add(request.Metadata, metadata);
        return await CallAsync(Operation, sidecar.GetStateAsync(request, Options(cancel)));
    }

    private async Task<IEnumerable<Wire.BulkStateItem>> GetBulkAsync(
        string storeName, IReadOnlyList<string> keys, int? parallelism, IReadOnlyDictionary<string, string>? metadata,
        CancellationToken cancel)
    {
        ArgumentException.ThrowIfNullOrEmpty(storeName);
        ThrowIfEmpty(keys, nameof(keys));
        var request = new Wire.GetBulkStateRequest { StoreName = storeName, Parallelism = parallelism ?? default };
        request.Keys.Add(keys);
        Add(request.Metadata, metadata);
        return (await CallAsync(Operation, sidecar.GetBulkStateAsync(request, Options(cancel)))).Items;
    }

    private async Task SaveAsync(string storeName, IEnumerable<Wire.StateItem> items, CancellationToken cancel)
    {
        ArgumentException.ThrowIfNullOrEmpty(storeName);
        var request = new Wire.SaveStateRequest { StoreName = storeName };
        request.States.Add(items);
        await CallAsync(Operation, sidecar.SaveStateAsync(request, Options(cancel)));
    }

    private async Task DeleteAsync(
        string storeName, string key, string? etag, StateOptions? options, IReadOnlyDictionary<string, string>? metadata,
        CancellationToken cancel)
    {
        ArgumentException.ThrowIfNullOrEmpty(storeName);
        ArgumentException.ThrowIfNullOrEmpty(key);
        var request = new Wire.DeleteStateRequest
        {
            StoreName = storeName,
            Key = key,
            Etag = ToWire(etag),
            Options = ToWire(options),
        };
        Add(request.Metadata, metadata);
        await CallAsync(Operation, sidecar.DeleteStateAsync(request, Options(cancel)));
    }
}
