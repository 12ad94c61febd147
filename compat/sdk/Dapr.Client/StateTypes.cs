using Dapr.Client;

namespace Dapr.Client
{
    /// <summary>Whether a write or read waits for replicas.</summary>
    public enum ConsistencyMode
    {
        Eventual,
        Strong,
    }

    /// <summary>Whether a write demands that nobody wrote before.</summary>
    public enum ConcurrencyMode
    {
        FirstWrite,
        LastWrite,
    }

    /// <summary>What an operation of a transaction does.</summary>
    public enum StateOperationType
    {
        Upsert,
        Delete,
    }

    /// <summary>How state is written; what is not set is the store's choice.</summary>
    public class StateOptions
    {
        public ConsistencyMode? Consistency { get; set; }

        public ConcurrencyMode? Concurrency { get; set; }
    }

    /// <summary>One operation of a transaction.</summary>
    public sealed class StateTransactionRequest
    {
        public StateOptions? Options;

        public StateTransactionRequest(
            string key, byte[]? value, StateOperationType operationType, string? etag = null,
            IReadOnlyDictionary<string, string>? metadata = null, StateOptions? options = null)
        {
            ArgumentNullException.ThrowIfNull(key);
            Key = key;
            Value = value;
            OperationType = operationType;
            ETag = etag;
            Metadata = metadata;
            Options = options;
        }

        public string Key { get; }

        public byte[]? Value { get; set; }

        public StateOperationType? OperationType { get; set; }

        public string? ETag { get; set; }

        public IReadOnlyDictionary<string, string>? Metadata { get; set; }
    }

    /// <summary>One item to save.</summary>
    public readonly struct SaveStateItem<TValue>
    {
        public SaveStateItem(
            string key, TValue value, string etag, StateOptions? stateOptions = null,
            IReadOnlyDictionary<string, string>? metadata = null)
        {
            Key = key;
            Value = value;
            ETag = etag;
            StateOptions = stateOptions;
            Metadata = metadata;
        }

        public string Key { get; }

        public TValue Value { get; }

        public string ETag { get; }

        public StateOptions? StateOptions { get; }

        public IReadOnlyDictionary<string, string>? Metadata { get; }
    }

    /// <summary>One item to delete.</summary>
    public readonly struct BulkDeleteStateItem
    {
        public BulkDeleteStateItem(
            string key, string etag, StateOptions? stateOptions = null, IReadOnlyDictionary<string, string>? metadata = null)
        {
            Key = key;
            ETag = etag;
            StateOptions = stateOptions;
            Metadata = metadata;
        }

        public string Key { get; }

        public string ETag { get; }

        public StateOptions? StateOptions { get; }

        public IReadOnlyDictionary<string, string>? Metadata { get; }
    }

    /// <summary>One item read, as text.</summary>
    public readonly struct BulkStateItem
    {
        public BulkStateItem(string key, string value, string etag)
        {
            Key = key;
            Value = value;
            ETag = etag;
        }

        public string Key { get; }

        public string Value { get; }

        public string ETag { get; }
    }

    /// <summary>One item read.</summary>
    public readonly struct BulkStateItem<TValue>
    {
        public BulkStateItem(string key, TValue value, string etag)
        {
            Key = key;
            Value = value;
            ETag = etag;
        }

        public string Key { get; }

        public TValue Value { get; }

        public string ETag { get; }
    }
}

namespace Dapr
{
    /// <summary>A value with the ETag it was read with.</summary>
    public sealed class StateEntry<TValue>
    {
        private readonly DaprClient client;

        public StateEntry(DaprClient client, string storeName, string key, TValue value, string etag)
        {
            ArgumentNullException.ThrowIfNull(client);
            this.client = client;
            StoreName = storeName;
            Key = key;
            Value = value;
            ETag = etag;
        }

        public string StoreName { get; }

        public string Key { get; }

        public TValue Value { get; set; }

        public string ETag { get; }

        public Task SaveAsync(
            StateOptions? stateOptions = null, IReadOnlyDictionary<string, string>? metadata = null,
            CancellationToken cancellationToken = default) =>
            client.SaveStateAsync(StoreName, Key, Value, stateOptions, metadata, cancellationToken);

        public Task DeleteAsync(
            StateOptions? stateOptions = null, IReadOnlyDictionary<string, string>? metadata = null,
            CancellationToken cancellationToken = default) =>
            client.DeleteStateAsync(StoreName, Key, stateOptions, metadata, cancellationToken);

        /// <summary>False when somebody else has written since the value was read.</summary>
        public Task<bool> TrySaveAsync(
            StateOptions? stateOptions = null, IReadOnlyDictionary<string, string>? metadata = null,
            CancellationToken cancellationToken = default) =>
            client.TrySaveStateAsync(StoreName, Key, Value, ETag, stateOptions, metadata, cancellationToken);

        /// <summary>False when somebody else has written since the value was read.</summary>
        public Task<bool> TryDeleteAsync(
            StateOptions? stateOptions = null, IReadOnlyDictionary<string, string>? metadata = null,
            CancellationToken cancellationToken = default) =>
            client.TryDeleteStateAsync(StoreName, Key, ETag, stateOptions, metadata, cancellationToken);
    }
}
