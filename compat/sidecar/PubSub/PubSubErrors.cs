using LocalPlus.Sidecar.Api;

namespace LocalPlus.Sidecar.PubSub;

/// <summary>The refusals of the publish APIs.</summary>
internal static class PubSubErrors
{
    private static readonly Dictionary<string, string> Empty = new(StringComparer.Ordinal);

    public static ApiException NotFound(string pubsub, IReadOnlyDictionary<string, string>? metadata) =>
        new(404, GrpcCode.InvalidArgument, "ERR_PUBSUB_NOT_FOUND", $"pubsub {pubsub} is not found")
        {
            HttpDetails = new ErrorDetails("DAPR_PUBSUB_NOT_FOUND", metadata ?? Empty),
            GrpcDetails = new ErrorDetails("DAPR_PUBSUB_NOT_FOUND"),
        };

    public static ApiException NameEmpty(IReadOnlyDictionary<string, string>? metadata) =>
        Detailed(
            404,
            GrpcCode.InvalidArgument,
            "ERR_PUBSUB_EMPTY",
            "pubsub name is empty",
            "DAPR_PUBSUB_NAME_EMPTY",
            "",
            metadata
        );

    public static ApiException TopicEmpty(string pubsub, IReadOnlyDictionary<string, string>? metadata) =>
        Detailed(
            404,
            GrpcCode.InvalidArgument,
            "ERR_TOPIC_NAME_EMPTY",
            $"topic is empty in pubsub {pubsub}",
            "DAPR_PUBSUB_TOPIC_NAME_EMPTY",
            pubsub,
            metadata
        );

    public static ApiException Forbidden(string pubsub, string topic, string appId)
    {
        var text = $"topic {topic} is not allowed for app id {appId}";
        return Detailed(
            403,
            GrpcCode.PermissionDenied,
            "ERR_PUBSUB_FORBIDDEN",
            text,
            "DAPR_PUBSUB_FORBIDDEN",
            pubsub,
            Map(("topic", topic), ("error", text))
        );
    }

    public static ApiException BadMetadata(string pubsub, IReadOnlyDictionary<string, string> metadata, string cause) =>
        Detailed(
            400,
            GrpcCode.InvalidArgument,
            "ERR_PUBSUB_REQUEST_METADATA",
            $"failed deserializing metadata. Error: {cause}",
            "DAPR_PUBSUB_METADATA_DESERIALIZATION",
            pubsub,
            metadata
        );

    public static ApiException CloudEvent(string pubsub, string appId, string cause) =>
        Detailed(
            500,
            GrpcCode.InvalidArgument,
            "ERR_PUBSUB_CLOUD_EVENTS_SER",
            "cannot create cloudevent",
            "DAPR_PUBSUB_CLOUD_EVENT_CREATION",
            pubsub,
            Map(("appID", appId), ("error", cause))
        );

    public static ApiException PublishFailed(string pubsub, string topic, string cause) =>
        Detailed(
            500,
            GrpcCode.Internal,
            "ERR_PUBSUB_PUBLISH_MESSAGE",
            $"error when publishing to topic {topic} in pubsub {pubsub}: {cause}",
            "DAPR_PUBSUB_PUBLISH_MESSAGE",
            pubsub,
            Map(("topic", topic), ("error", cause))
        );

    public static ApiException BulkUnreadable(string pubsub, string topic, string appId, string cause) =>
        Detailed(
            400,
            GrpcCode.InvalidArgument,
            "ERR_PUBSUB_EVENTS_SER",
            $"error when unmarshaling the request for topic {topic} pubsub {pubsub}: {cause}",
            "DAPR_PUBSUB_UNMARSHAL_EVENTS",
            pubsub,
            Map(("appID", appId))
        );

    public static ApiException BulkEntry(string pubsub, string topic, string appId) =>
        Detailed(
            400,
            GrpcCode.InvalidArgument,
            "ERR_PUBSUB_EVENTS_SER",
            $"error marshaling events to bytes for topic {topic} pubsub {pubsub}. error: entryId is duplicated or not present for entry",
            "DAPR_PUBSUB_MARSHAL_EVENTS",
            pubsub,
            Map(("appID", appId), ("error", "entryId is duplicated or not present for entry"))
        );

    public static ApiException BulkEnvelope(string pubsub, string topic, string appId, string cause) =>
        Detailed(
            400,
            GrpcCode.InvalidArgument,
            "ERR_PUBSUB_EVENTS_SER",
            $"error when marshalling cloud event envelope for topic {topic} pubsub {pubsub}: {cause}",
            "DAPR_PUBSUB_MARSHAL_ENVELOPE",
            pubsub,
            Map(("appID", appId), ("error", cause))
        );

    /// <summary>Only the "not found" errors have no description; the others repeat their message there.</summary>
    private static ApiException Detailed(
        int status,
        int code,
        string errorCode,
        string message,
        string reason,
        string pubsub,
        IReadOnlyDictionary<string, string>? metadata
    ) =>
        ApiException.Detailed(
            status,
            code,
            errorCode,
            message,
            new ErrorDetails(reason, metadata, new ErrorResource("pubsub", pubsub, message))
        );

    private static Dictionary<string, string> Map(params (string Key, string Value)[] pairs) =>
        pairs.ToDictionary(p => p.Key, p => p.Value, StringComparer.Ordinal);
}
