using System.Text;
using System.Text.Json;
using LocalPlus.Sidecar.Cli;
using LocalPlus.Sidecar.Runtime;

namespace LocalPlus.Sidecar.Api.Http;

/// <summary>/v1.0/metadata: reading it, and setting one of its extended values.</summary>
internal static class MetadataApi
{
    public static ApiHandler Create(SidecarRuntime runtime) =>
        async (http, path) =>
        {
            var method = http.Request.Method;
            if (HttpMethods.IsGet(method) && path.Count == 0)
            {
                var metadata = runtime.Describe();
                await HttpAnswers.Write(http, json => Write(json, metadata));
                return true;
            }
            if (HttpMethods.IsPut(method) && path.Count == 1)
            {
                // daprd reads this body without its size limit; memory here is bounded all the same.
                var body =
                    await RequestBody.ReadAsync(http.Request, Limits.MaxAppAnswerBytes, http.RequestAborted)
                    ?? throw ApiException.Malformed("stream too large");
                runtime.Extended[path[0]] = Encoding.UTF8.GetString(body);
                await HttpAnswers.NoContent(http);
                return true;
            }
            return false;
        };

    private static void Write(Utf8JsonWriter json, RuntimeMetadata metadata)
    {
        json.WriteStartObject();
        json.WriteString("id", metadata.Id);
        json.WriteString("runtimeVersion", SidecarOptions.RuntimeVersion);
        WriteList(json, "enabledFeatures", metadata.EnabledFeatures);
        if (metadata.Components.Count > 0)
        {
            json.WriteStartArray("components");
            foreach (var component in metadata.Components)
            {
                json.WriteStartObject();
                json.WriteString("name", component.Name);
                json.WriteString("type", component.Type);
                json.WriteString("version", component.Version);
                if (component.Capabilities.Count > 0)
                {
                    WriteList(json, "capabilities", component.Capabilities);
                }
                json.WriteEndObject();
            }
            json.WriteEndArray();
        }
        json.WriteStartObject("extended");
        foreach (var (key, value) in metadata.Extended)
        {
            json.WriteString(key, value);
        }
        json.WriteEndObject();
        WriteSubscriptions(json, metadata);
        WriteConnection(json, metadata.Connection);
        WriteActors(json, metadata.Parts);
        if (metadata.Parts.ConnectedWorkers > 0)
        {
            json.WriteStartObject("workflows");
            json.WriteNumber("connectedWorkers", metadata.Parts.ConnectedWorkers);
            json.WriteEndObject();
        }
        json.WriteEndObject();
    }

    private static void WriteList(Utf8JsonWriter json, string name, IEnumerable<string> values)
    {
        json.WriteStartArray(name);
        foreach (var value in values)
        {
            json.WriteStringValue(value);
        }
        json.WriteEndArray();
    }

    private static void WriteSubscriptions(Utf8JsonWriter json, RuntimeMetadata metadata)
    {
        if (metadata.Subscriptions.Count == 0)
        {
            return;
        }
        json.WriteStartArray("subscriptions");
        foreach (var subscription in metadata.Subscriptions)
        {
            json.WriteStartObject();
            json.WriteString("pubsubname", subscription.PubSub);
            json.WriteString("topic", subscription.Topic);
            if (subscription.Metadata.Count > 0)
            {
                json.WriteStartObject("metadata");
                foreach (var (key, value) in subscription.Metadata)
                {
                    json.WriteString(key, value);
                }
                json.WriteEndObject();
            }
            json.WriteStartArray("rules");
            foreach (var rule in subscription.Rules)
            {
                json.WriteStartObject();
                if (rule.Match.Length > 0)
                {
                    json.WriteString("match", rule.Match);
                }
                json.WriteString("path", rule.Path);
                json.WriteEndObject();
            }
            json.WriteEndArray();
            json.WriteString("deadLetterTopic", subscription.DeadLetterTopic);
            json.WriteString("type", subscription.Kind.ToString().ToUpperInvariant());
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }

    private static void WriteConnection(Utf8JsonWriter json, AppConnection connection)
    {
        json.WriteStartObject("appConnectionProperties");
        if (connection.Port > 0)
        {
            json.WriteNumber("port", connection.Port);
        }
        json.WriteString("protocol", connection.Protocol);
        json.WriteString("channelAddress", connection.Address);
        if (connection.MaxConcurrency > 0)
        {
            json.WriteNumber("maxConcurrency", connection.MaxConcurrency);
        }
        if (connection.Health is { } health)
        {
            json.WriteStartObject("health");
            json.WriteString("healthCheckPath", health.Path);
            json.WriteString("healthProbeInterval", health.Interval);
            json.WriteString("healthProbeTimeout", health.Timeout);
            json.WriteNumber("healthThreshold", health.Threshold);
            json.WriteEndObject();
        }
        json.WriteEndObject();
    }

    private static void WriteActors(Utf8JsonWriter json, PartMetadata parts)
    {
        json.WriteStartObject("actorRuntime");
        json.WriteString("runtimeStatus", parts.ActorsRunning ? "RUNNING" : "DISABLED");
        if (parts.ActiveActors.Count > 0)
        {
            json.WriteStartArray("activeActors");
            foreach (var (type, count) in parts.ActiveActors)
            {
                json.WriteStartObject();
                json.WriteString("type", type);
                json.WriteNumber("count", count);
                json.WriteEndObject();
            }
            json.WriteEndArray();
        }
        json.WriteBoolean("hostReady", parts.ActorsRunning);
        json.WriteString("placement", parts.ActorsRunning ? "placement: connected" : "placement: disconnected");
        json.WriteEndObject();
    }
}
