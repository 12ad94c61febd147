using System.Diagnostics.CodeAnalysis;

namespace Dapr.Client;

/// <summary>An operation of an output binding.</summary>
public sealed class BindingRequest
{
    public BindingRequest(string bindingName, string operation)
    {
        ArgumentException.ThrowIfNullOrEmpty(bindingName);
        ArgumentException.ThrowIfNullOrEmpty(operation);
        BindingName = bindingName;
        Operation = operation;
    }

    public string BindingName { get; }

    public string Operation { get; }

    public ReadOnlyMemory<byte> Data { get; set; }

    public Dictionary<string, string> Metadata { get; } = [];
}

/// <summary>What an output binding answered.</summary>
public sealed class BindingResponse
{
    public BindingResponse(
        BindingRequest request, ReadOnlyMemory<byte> data, IReadOnlyDictionary<string, string> metadata)
    {
        Request = request;
        Data = data;
        Metadata = metadata;
    }

    public BindingRequest Request { get; }

    public ReadOnlyMemory<byte> Data { get; }

    public IReadOnlyDictionary<string, string> Metadata { get; }
}

/// <summary>One event of a bulk publish.</summary>
public class BulkPublishEntry<TValue>
{
    public BulkPublishEntry(
        string entryId, TValue eventData, string contentType, IReadOnlyDictionary<string, string>? metadata = null)
    {
        EntryId = entryId;
        EventData = eventData;
        ContentType = contentType;
        Metadata = metadata;
    }

    public string EntryId { get; }

    public TValue EventData { get; }

    public string ContentType { get; }

    public IReadOnlyDictionary<string, string>? Metadata { get; }
}

/// <summary>An event of a bulk publish that was not published.</summary>
public class BulkPublishResponseFailedEntry<TValue>
{
    public BulkPublishResponseFailedEntry(BulkPublishEntry<TValue> entry, string errorMessage)
    {
        Entry = entry;
        ErrorMessage = errorMessage;
    }

    public BulkPublishEntry<TValue> Entry { get; }

    public string ErrorMessage { get; }
}

/// <summary>The events of a bulk publish that were not published; none when all went well.</summary>
public class BulkPublishResponse<TValue>
{
    public BulkPublishResponse(List<BulkPublishResponseFailedEntry<TValue>> failedEntries) =>
        FailedEntries = failedEntries;

    public List<BulkPublishResponseFailedEntry<TValue>> FailedEntries { get; }
}

/// <summary>One configuration value.</summary>
public class ConfigurationItem
{
    public ConfigurationItem(string value, string version, IReadOnlyDictionary<string, string> metadata)
    {
        Value = value;
        Version = version;
        Metadata = metadata;
    }

    public string Value { get; }

    public string Version { get; }

    public IReadOnlyDictionary<string, string> Metadata { get; }
}

/// <summary>The configuration values asked for; absent keys are left out.</summary>
public class GetConfigurationResponse
{
    public GetConfigurationResponse(IReadOnlyDictionary<string, ConfigurationItem> configMap) => Items = configMap;

    public IReadOnlyDictionary<string, ConfigurationItem> Items { get; }
}

/// <summary>The changes of a configuration subscription, and its id once the sidecar has told it.</summary>
public abstract class ConfigurationSource : IAsyncEnumerable<IDictionary<string, ConfigurationItem>>
{
    public abstract string Id { get; }

    public abstract IAsyncEnumerator<IDictionary<string, ConfigurationItem>> GetAsyncEnumerator(
        CancellationToken cancellationToken = default);
}

/// <summary>A configuration subscription; it ends when its source is no longer enumerated.</summary>
public class SubscribeConfigurationResponse
{
    private readonly ConfigurationSource source;

    public SubscribeConfigurationResponse(ConfigurationSource source) => this.source = source;

    public string Id => source.Id;

    public IAsyncEnumerable<IDictionary<string, ConfigurationItem>> Source => source;
}

/// <summary>Whether a configuration subscription was ended.</summary>
public class UnsubscribeConfigurationResponse
{
    public UnsubscribeConfigurationResponse(bool ok, string message)
    {
        Ok = ok;
        Message = message;
    }

    public bool Ok { get; }

    public string Message { get; }
}

/// <summary>How an unlock ended.</summary>
public enum LockStatus
{
    Success,
    LockDoesNotExist,
    LockBelongsToOthers,
    InternalError,
}

/// <summary>A lock, if <see cref="Success"/>; disposing gives it back.</summary>
[Experimental("DAPR_DISTRIBUTEDLOCK")]
public sealed class TryLockResponse : IAsyncDisposable
{
    public bool Success { get; init; }

    public string ResourceId { get; init; } = "";

    public string LockOwner { get; init; } = "";

    public string StoreName { get; init; } = "";

    internal DaprClient? Client { get; init; }

    public async ValueTask DisposeAsync()
    {
        if (Success && Client is not null)
        {
            await Client.Unlock(StoreName, ResourceId, LockOwner);
        }
    }
}

/// <summary>How an unlock ended.</summary>
[Experimental("DAPR_DISTRIBUTEDLOCK")]
public class UnlockResponse
{
    public UnlockResponse(LockStatus status) => this.status = status;

    public LockStatus status { get; set; }
}

/// <summary>What the sidecar says of itself.</summary>
public sealed class DaprMetadata
{
    public DaprMetadata(
        string id, IReadOnlyList<DaprActorMetadata> actors, IReadOnlyDictionary<string, string> extended,
        IReadOnlyList<DaprComponentsMetadata> components)
    {
        Id = id;
        Actors = actors;
        Extended = extended;
        Components = components;
    }

    public string Id { get; }

    public IReadOnlyList<DaprActorMetadata> Actors { get; }

    public IReadOnlyDictionary<string, string> Extended { get; }

    public IReadOnlyList<DaprComponentsMetadata> Components { get; }
}

/// <summary>How many actors of a type are active.</summary>
public sealed class DaprActorMetadata
{
    public DaprActorMetadata(string type, int count)
    {
        Type = type;
        Count = count;
    }

    public string Type { get; }

    public int Count { get; }
}

/// <summary>A loaded component.</summary>
public sealed class DaprComponentsMetadata
{
    public DaprComponentsMetadata(string name, string type, string version, string[] capabilities)
    {
        Name = name;
        Type = type;
        Version = version;
        Capabilities = capabilities;
    }

    public string Name { get; }

    public string Type { get; }

    public string Version { get; }

    public string[] Capabilities { get; }
}
