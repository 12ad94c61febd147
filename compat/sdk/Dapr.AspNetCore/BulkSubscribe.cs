namespace Dapr.AspNetCore;

/// <summary>On an endpoint: that a topic's messages come in batches.</summary>
public interface IBulkSubscribeMetadata
{
    int MaxMessagesCount { get; }

    int MaxAwaitDurationMs { get; }

    string TopicName { get; }
}

/// <summary>Asks for a topic's messages in batches.</summary>
[AttributeUsage(AttributeTargets.All, AllowMultiple = true)]
public class BulkSubscribeAttribute : Attribute, IBulkSubscribeMetadata
{
    internal const int DefaultMaxMessagesCount = 100;
    internal const int DefaultMaxAwaitDurationMs = 1000;

    public BulkSubscribeAttribute(string topicName)
        : this(topicName, DefaultMaxMessagesCount)
    {
    }

    public BulkSubscribeAttribute(string topicName, int maxMessagesCount)
        : this(topicName, maxMessagesCount, DefaultMaxAwaitDurationMs)
    {
    }

    public BulkSubscribeAttribute(string topicName, int maxMessagesCount, int maxAwaitDurationMs)
    {
        TopicName = topicName;
        MaxMessagesCount = maxMessagesCount;
        MaxAwaitDurationMs = maxAwaitDurationMs;
    }

    public int MaxMessagesCount { get; }

    public int MaxAwaitDurationMs { get; }

    public string TopicName { get; }
}

/// <summary>How large batches of a topic get, and how long they wait to fill.</summary>
public class BulkSubscribeTopicOptions
{
    public string TopicName { get; set; } = "";

    public int MaxMessagesCount { get; set; } = BulkSubscribeAttribute.DefaultMaxMessagesCount;

    public int MaxAwaitDurationMs { get; set; } = BulkSubscribeAttribute.DefaultMaxAwaitDurationMs;
}

/// <summary>A batch of messages.</summary>
public class BulkSubscribeMessage<TValue>
{
    public BulkSubscribeMessage()
    {
    }

    public BulkSubscribeMessage(
        List<BulkSubscribeMessageEntry<TValue>> entries, string topic, Dictionary<string, string> metadata)
    {
        Entries = entries;
        Topic = topic;
        Metadata = metadata;
    }

    public List<BulkSubscribeMessageEntry<TValue>> Entries { get; set; } = [];

    public string Topic { get; set; } = "";

    public Dictionary<string, string> Metadata { get; set; } = [];
}

/// <summary>One message of a batch.</summary>
public class BulkSubscribeMessageEntry<TValue>
{
    public BulkSubscribeMessageEntry()
    {
    }

    public BulkSubscribeMessageEntry(
        string entryId, string contentType, Dictionary<string, string> metadata, TValue eventData)
    {
        EntryId = entryId;
        ContentType = contentType;
        Metadata = metadata;
        Event = eventData;
    }

    public string EntryId { get; set; } = "";

    public string ContentType { get; set; } = "";

    public Dictionary<string, string> Metadata { get; set; } = [];

    public TValue? Event { get; set; }
}

/// <summary>What is to become of a message of a batch.</summary>
public enum BulkSubscribeAppResponseStatus
{
    SUCCESS,
    RETRY,
    DROP,
}

/// <summary>What is to become of one message of a batch.</summary>
public class BulkSubscribeAppResponseEntry
{
    public BulkSubscribeAppResponseEntry(string entryId, BulkSubscribeAppResponseStatus status)
    {
        EntryId = entryId;
        Status = status.ToString();
    }

    public string EntryId { get; }

    public string Status { get; }
}

/// <summary>The answer to a batch; a message that is not named comes again.</summary>
public class BulkSubscribeAppResponse
{
    public BulkSubscribeAppResponse(List<BulkSubscribeAppResponseEntry> statuses) => Statuses = statuses;

    public List<BulkSubscribeAppResponseEntry> Statuses { get; }
}
