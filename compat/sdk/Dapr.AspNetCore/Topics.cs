using Dapr.AspNetCore;

namespace Dapr
{
    /// <summary>On an endpoint: the topic it serves.</summary>
    public interface ITopicMetadata
    {
        string Name { get; }

        string PubsubName { get; }

        string? Match { get; }

        int Priority { get; }
    }

    /// <summary>On an endpoint: whether its topic's messages come without an envelope.</summary>
    public interface IRawTopicMetadata
    {
        bool? EnableRawPayload { get; }
    }

    /// <summary>On an endpoint: where messages go that it cannot handle.</summary>
    public interface IDeadLetterTopicMetadata
    {
        string? DeadLetterTopic { get; }
    }

    /// <summary>On an endpoint: metadata of its subscription.</summary>
    public interface IOriginalTopicMetadata
    {
        string? Id { get; }

        string Name { get; }

        string Value { get; }
    }

    /// <summary>On an endpoint: which of the metadata belong to its topic.</summary>
    public interface IOwnedOriginalTopicMetadata
    {
        string[]? OwnedMetadatas { get; }

        string? MetadataSeparator { get; }
    }

    /// <summary>Subscribes the endpoint to a topic.</summary>
    [AttributeUsage(AttributeTargets.All, AllowMultiple = true)]
    public class TopicAttribute : Attribute, ITopicMetadata, IRawTopicMetadata, IOwnedOriginalTopicMetadata,
        IDeadLetterTopicMetadata
    {
        public TopicAttribute(
            string pubsubName, string name, string[]? ownedMetadatas = null, string? metadataSeparator = null)
            : this(pubsubName, name, null, null, 0, ownedMetadatas, metadataSeparator, null)
        {
        }

        public TopicAttribute(
            string pubsubName, string name, bool enableRawPayload, string[]? ownedMetadatas = null,
            string? metadataSeparator = null)
            : this(pubsubName, name, enableRawPayload, null, 0, ownedMetadatas, metadataSeparator, null)
        {
        }

        public TopicAttribute(
            string pubsubName, string name, string match, int priority, string[]? ownedMetadatas = null,
            string? metadataSeparator = null)
            : this(pubsubName, name, null, match, priority, ownedMetadatas, metadataSeparator, null)
        {
        }

        public TopicAttribute(
            string pubsubName, string name, bool enableRawPayload, string match, int priority,
            string[]? ownedMetadatas = null, string? metadataSeparator = null)
            : this(pubsubName, name, enableRawPayload, match, priority, ownedMetadatas, metadataSeparator, null)
        {
        }

        public TopicAttribute(
            string pubsubName, string name, string deadLetterTopic, bool enableRawPayload,
            string[]? ownedMetadatas = null, string? metadataSeparator = null)
            : this(pubsubName, name, enableRawPayload, null, 0, ownedMetadatas, metadataSeparator, deadLetterTopic)
        {
        }

        private TopicAttribute(
            string pubsubName, string name, bool? enableRawPayload, string? match, int priority,
            string[]? ownedMetadatas, string? metadataSeparator, string? deadLetterTopic)
        {
            ArgumentException.ThrowIfNullOrEmpty(pubsubName);
            ArgumentException.ThrowIfNullOrEmpty(name);
            Name = name;
            PubsubName = pubsubName;
            EnableRawPayload = enableRawPayload;
            Match = match;
            Priority = priority;
            OwnedMetadatas = ownedMetadatas;
            MetadataSeparator = metadataSeparator;
            DeadLetterTopic = deadLetterTopic;
        }

        public string Name { get; set; }

        public string PubsubName { get; set; }

        public bool? EnableRawPayload { get; set; }

        public new string? Match { get; set; }

        public int Priority { get; set; }

        public string[]? OwnedMetadatas { get; set; }

        public string? MetadataSeparator { get; set; }

        public string? DeadLetterTopic { get; set; }
    }

    /// <summary>Metadata of the endpoint's subscriptions: of all, or of those that own the id.</summary>
    [AttributeUsage(AttributeTargets.All, AllowMultiple = true)]
    public class TopicMetadataAttribute : Attribute, IOriginalTopicMetadata
    {
        public TopicMetadataAttribute(string name, string value)
        {
            ArgumentException.ThrowIfNullOrEmpty(name);
            ArgumentNullException.ThrowIfNull(value);
            Name = name;
            Value = value;
        }

        public TopicMetadataAttribute(string id, string name, string value)
            : this(name, value) => Id = id;

        public string? Id { get; }

        public string Name { get; }

        public string Value { get; }
    }

    /// <summary>A subscription as <c>WithTopic</c> takes it.</summary>
    public class TopicOptions
    {
        public IDictionary<string, string> Metadata = new Dictionary<string, string>();

        public string Name { get; set; } = "";

        public string PubsubName { get; set; } = "";

        public bool EnableRawPayload { get; set; }

        public string? Match { get; set; }

        public int Priority { get; set; }

        public string[]? OwnedMetadatas { get; set; }

        public string? MetadataSeparator { get; set; }

        public string? DeadLetterTopic { get; set; }
    }

    /// <summary>What holds for all subscriptions of an application.</summary>
    public class SubscribeOptions
    {
        public bool EnableRawPayload { get; set; }
    }
}

namespace Microsoft.AspNetCore.Builder
{
    using Dapr;

    /// <summary>Subscribes endpoints to topics.</summary>
    public static class DaprEndpointConventionBuilderExtensions
    {
        public static T WithTopic<T>(this T builder, string pubsubName, string name)
            where T : IEndpointConventionBuilder => builder.With(new TopicAttribute(pubsubName, name));

        public static T WithTopic<T>(
            this T builder, string pubsubName, string name, IDictionary<string, string> metadata)
            where T : IEndpointConventionBuilder => builder.With(new TopicAttribute(pubsubName, name)).With(metadata);

        public static T WithTopic<T>(this T builder, string pubsubName, string name, bool enableRawPayload)
            where T : IEndpointConventionBuilder => builder.With(new TopicAttribute(pubsubName, name, enableRawPayload));

        public static T WithTopic<T>(
            this T builder, string pubsubName, string name, bool enableRawPayload, IDictionary<string, string> metadata)
            where T : IEndpointConventionBuilder =>
            builder.With(new TopicAttribute(pubsubName, name, enableRawPayload)).With(metadata);

        public static T WithTopic<T>(this T builder, TopicOptions topicOptions)
            where T : IEndpointConventionBuilder
        {
            var topic = new TopicAttribute(
                topicOptions.PubsubName, topicOptions.Name, topicOptions.EnableRawPayload, topicOptions.OwnedMetadatas,
                topicOptions.MetadataSeparator)
            {
                Match = topicOptions.Match,
                Priority = topicOptions.Priority,
                DeadLetterTopic = topicOptions.DeadLetterTopic,
            };
            return builder.With(topic).With(topicOptions.Metadata);
        }

        public static T WithBulkSubscribe<T>(this T builder, BulkSubscribeTopicOptions bulkSubscribeTopicOptions)
            where T : IEndpointConventionBuilder =>
            builder.WithMetadata(new BulkSubscribeAttribute(
                bulkSubscribeTopicOptions.TopicName, bulkSubscribeTopicOptions.MaxMessagesCount,
                bulkSubscribeTopicOptions.MaxAwaitDurationMs));

        private static T With<T>(this T builder, TopicAttribute topic)
            where T : IEndpointConventionBuilder => builder.WithMetadata(topic);

        private static T With<T>(this T builder, IDictionary<string, string> metadata)
            where T : IEndpointConventionBuilder =>
            builder.WithMetadata([.. metadata.Select(entry => new TopicMetadataAttribute(entry.Key, entry.Value))]);
    }
}
