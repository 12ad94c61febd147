using System.Text.Json;
using System.Text.Json.Serialization;
using Dapr;
using Dapr.AspNetCore;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Routing.Patterns;
using Microsoft.Extensions.DependencyInjection;

namespace Microsoft.AspNetCore.Builder;

/// <summary>Tells the sidecar which topics the application's endpoints serve.</summary>
public static class DaprEndpointRouteBuilderExtensions
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    };

    public static IEndpointConventionBuilder MapSubscribeHandler(this IEndpointRouteBuilder endpoints) =>
        endpoints.MapSubscribeHandler(new SubscribeOptions());

    /// <summary>Answers <c>GET /dapr/subscribe</c>: one object for each pub/sub and topic, in that order.</summary>
    public static IEndpointConventionBuilder MapSubscribeHandler(
        this IEndpointRouteBuilder endpoints, SubscribeOptions options)
    {
        ArgumentNullException.ThrowIfNull(endpoints);
        return endpoints.MapGet("dapr/subscribe", http =>
        {
            var known = http.RequestServices.GetRequiredService<EndpointDataSource>().Endpoints;
            return http.Response.WriteAsJsonAsync(
                Subscriptions(known, options), Json, "application/json", http.RequestAborted);
        });
    }

    private static IEnumerable<Subscription> Subscriptions(IReadOnlyList<Endpoint> endpoints, SubscribeOptions options) =>
        from endpoint in endpoints.OfType<RouteEndpoint>()
        from topic in endpoint.Metadata.GetOrderedMetadata<ITopicMetadata>()
        let subscriber = new Subscriber(topic, endpoint)
        group subscriber by (topic.PubsubName, topic.Name) into pair
        orderby pair.Key.PubsubName, pair.Key.Name
        select ToSubscription([.. pair.OrderBy(subscriber => subscriber.Topic.Priority)], options);

    // Dead letters and batches follow the endpoint with the lowest priority number, raw payloads any of them.
    private static Subscription ToSubscription(Subscriber[] subscribers, SubscribeOptions options)
    {
        var first = subscribers[0];
        var rules = subscribers
            .Where(subscriber => !string.IsNullOrEmpty(subscriber.Topic.Match))
            .Select(subscriber => new Rule(subscriber.Topic.Match!, subscriber.Path))
            .ToArray();
        var fallback = subscribers.FirstOrDefault(subscriber => string.IsNullOrEmpty(subscriber.Topic.Match))?.Path;
        return new Subscription(
            first.Topic.Name,
            first.Topic.PubsubName,
            rules.Length == 0 ? fallback : null,
            rules.Length == 0 ? null : new Routes(rules, fallback),
            Metadata(subscribers, options),
            (first.Topic as IDeadLetterTopicMetadata)?.DeadLetterTopic,
            first.Bulk);
    }

    private static Dictionary<string, string>? Metadata(Subscriber[] subscribers, SubscribeOptions options)
    {
        var separator = subscribers
            .Select(subscriber => (subscriber.Topic as IOwnedOriginalTopicMetadata)?.MetadataSeparator)
            .FirstOrDefault(text => !string.IsNullOrEmpty(text)) ?? ",";
        var metadata = subscribers
            .SelectMany(subscriber => subscriber.Metadata)
            .GroupBy(entry => entry.Name, entry => entry.Value, StringComparer.Ordinal)
            .ToDictionary(values => values.Key, values => string.Join(separator, values.Distinct()), StringComparer.Ordinal);
        if (options.EnableRawPayload
            || subscribers.Any(subscriber => (subscriber.Topic as IRawTopicMetadata)?.EnableRawPayload == true))
        {
            metadata["rawPayload"] = "true";
        }

        return metadata.Count == 0 ? null : metadata;
    }

    private sealed record Subscriber(ITopicMetadata Topic, RouteEndpoint Endpoint)
    {
        /// <summary>Without a leading slash; only literal routes can be subscribed.</summary>
        public string Path => string.Join('/', Endpoint.RoutePattern.PathSegments.Select(
            segment => string.Concat(segment.Parts.Cast<RoutePatternLiteralPart>().Select(part => part.Content))));

        public IEnumerable<IOriginalTopicMetadata> Metadata =>
            Endpoint.Metadata.GetOrderedMetadata<IOriginalTopicMetadata>().Where(
                entry => string.IsNullOrEmpty(entry.Id)
                    || (Topic as IOwnedOriginalTopicMetadata)?.OwnedMetadatas?.Contains(entry.Id) == true);

        public BulkSubscribe? Bulk =>
            Endpoint.Metadata.GetOrderedMetadata<IBulkSubscribeMetadata>().FirstOrDefault(b => b.TopicName == Topic.Name)
                is { } bulk ? new BulkSubscribe(true, bulk.MaxMessagesCount, bulk.MaxAwaitDurationMs) : null;
    }

    private sealed record Subscription(
        string Topic, string PubsubName, string? Route, Routes? Routes, Dictionary<string, string>? Metadata,
        string? DeadLetterTopic, BulkSubscribe? BulkSubscribe);

    private sealed record Routes(Rule[] Rules, string? Default);

    private sealed record Rule(string Match, string Path);

    private sealed record BulkSubscribe(bool Enabled, int MaxMessagesCount, int MaxAwaitDurationMs);
}
