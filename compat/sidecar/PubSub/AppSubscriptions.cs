using System.Text.Json;
using LocalPlus.Sidecar.Api;
using LocalPlus.Sidecar.Resources;
using LocalPlus.Sidecar.Runtime;

namespace LocalPlus.Sidecar.PubSub;

/// <summary>Asks the application for its programmatic subscriptions: GET /dapr/subscribe.</summary>
internal static class AppSubscriptions
{
    private static readonly TimeSpan[] Pauses = [TimeSpan.FromMilliseconds(500), TimeSpan.FromMilliseconds(750)];

    /// <summary>The application's list; none when it answers anything but 200, or nothing readable.</summary>
    public static async Task<IReadOnlyList<SubscriptionSpec>> AskAsync(
        AppChannel channel,
        ILogger log,
        CancellationToken cancel
    )
    {
        for (var attempt = 0; ; attempt++)
        {
            try
            {
                return await TryAskAsync(channel, log, cancel);
            }
            catch (Exception problem)
                when (problem is HttpRequestException or OperationCanceledException && !cancel.IsCancellationRequested)
            {
                if (attempt >= Pauses.Length)
                {
                    log.Unexpected("GET /dapr/subscribe", problem);
                    return [];
                }
                await Task.Delay(Pauses[attempt], cancel);
            }
        }
    }

    private static async Task<IReadOnlyList<SubscriptionSpec>> TryAskAsync(
        AppChannel channel,
        ILogger log,
        CancellationToken cancel
    )
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        limit.CancelAfter(Limits.InitEndpointTimeout);
        using var request = channel.Request(HttpMethod.Get, "/dapr/subscribe");
        request.Content = new ByteArrayContent([]) { Headers = { ContentType = Handlers.Json } };
        using var response = await channel.SendAsync(request, limit.Token);
        if ((int)response.StatusCode != 200)
        {
            return [];
        }
        await response.Content.LoadIntoBufferAsync(Limits.MaxAppAnswerBytes, limit.Token);
        var body = await response.Content.ReadAsByteArrayAsync(limit.Token);
        try
        {
            using var document = JsonDocument.Parse(body);
            return [.. document.RootElement.EnumerateArray().Select(Read)];
        }
        catch (Exception problem) when (problem is JsonException or InvalidOperationException)
        {
            log.Unexpected("reading the answer of /dapr/subscribe", problem);
            return [];
        }
    }

    private static SubscriptionSpec Read(JsonElement item)
    {
        List<RouteRule> rules = [];
        if (item.TryGetMember("routes", out var routes) && routes.ValueKind == JsonValueKind.Object)
        {
            var list =
                routes.TryGetMember("rules", out var items) && items.ValueKind == JsonValueKind.Array
                    ? items.EnumerateArray().Select(r => new RouteRule(Text(r, "match"), Text(r, "path")))
                    : [];
            rules = SubscriptionSpec.Routes(list, Text(routes, "default"));
        }
        if (rules.Count == 0 && Text(item, "route") is { Length: > 0 } route)
        {
            rules = [new RouteRule("", route)];
        }
        return new SubscriptionSpec
        {
            PubSub = Text(item, "pubsubname"),
            Topic = Text(item, "topic"),
            Kind = SubscriptionKind.Programmatic,
            Rules = rules,
            DeadLetterTopic = Text(item, "deadLetterTopic"),
            Metadata =
                item.TryGetMember("metadata", out var metadata) && metadata.ValueKind == JsonValueKind.Object
                    ? metadata
                        .EnumerateObject()
                        .ToDictionary(p => p.Name, p => p.Value.ToString(), StringComparer.Ordinal)
                    : new Dictionary<string, string>(StringComparer.Ordinal),
            Bulk =
                item.TryGetMember("bulkSubscribe", out var bulk)
                && bulk.ValueKind == JsonValueKind.Object
                && bulk.TryGetMember("enabled", out var on)
                && on.ValueKind == JsonValueKind.True
                    ? SubscriptionSpec.MakeBulk(Number(bulk, "maxMessagesCount"), Number(bulk, "maxAwaitDurationMs"))
                    : null,
        };
    }

    private static string Text(JsonElement item, string name) =>
        item.TryGetMember(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString()! : "";

    private static int Number(JsonElement item, string name) =>
        item.TryGetMember(name, out var value)
        && value.ValueKind == JsonValueKind.Number
        && value.TryGetInt32(out var number)
            ? number
            : 0;
}
