using System.Text.Json.Serialization;

namespace Dapr;

/// <summary>An event with its own envelope; the sidecar fills in what is missing.</summary>
public class CloudEvent
{
    [JsonPropertyName("source")]
    public Uri? Source { get; init; }

    [JsonPropertyName("type")]
    public string? Type { get; init; }

    [JsonPropertyName("subject")]
    public string? Subject { get; init; }
}

/// <summary>An event with its own envelope and JSON data.</summary>
public class CloudEvent<TData> : CloudEvent
{
    public CloudEvent(TData data) => Data = data;

    public TData Data { get; }

    [JsonPropertyName("datacontenttype")]
    public string DataContentType { get; } = "application/json";
}
