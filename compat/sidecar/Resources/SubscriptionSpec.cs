namespace LocalPlus.Sidecar.Resources;

/// <summary>One routing rule: an expression over the event, and the path it leads to.</summary>
public sealed record RouteRule(string Match, string Path);

/// <summary>How a subscription asks for batches.</summary>
public sealed record BulkSubscribe(bool Enabled, int MaxMessages, TimeSpan MaxAwait);

/// <summary>Where a subscription came from; the later kinds win over the earlier ones for one topic.</summary>
public enum SubscriptionKind
{
    Declarative,
    Programmatic,
    Streaming,
}

/// <summary>What an application wants of a topic, whichever way it said so.</summary>
public sealed record SubscriptionSpec
{
    public required string PubSub { get; init; }

    public required string Topic { get; init; }

    public required SubscriptionKind Kind { get; init; }

    /// <summary>In order; the default route, if any, comes last with an empty match.</summary>
    public IReadOnlyList<RouteRule> Rules { get; init; } = [];

    public string DeadLetterTopic { get; init; } = "";

    public IReadOnlyDictionary<string, string> Metadata { get; init; } = new Dictionary<string, string>();

    public BulkSubscribe? Bulk { get; init; }

    public IReadOnlyList<string> Scopes { get; init; } = [];

    public bool RawPayload =>
        Metadata.TryGetValue("rawPayload", out var raw)
        && raw.ToLowerInvariant() is "true" or "1" or "t" or "y" or "yes";

    internal static SubscriptionSpec From(YamlNode document)
    {
        var spec = document["spec"];
        var old = document["apiVersion"].Text is "dapr.io/v1alpha1";
        var rules = old
            ? [new RouteRule("", spec["route"].Text ?? "")]
            : Routes(
                spec["routes"]["rules"].Items.Select(r => new RouteRule(r["match"].Text ?? "", r["path"].Text ?? "")),
                spec["routes"]["default"].Text
            );
        var bulk = spec["bulkSubscribe"];
        return new SubscriptionSpec
        {
            PubSub = spec["pubsubname"].Text ?? "",
            Topic = spec["topic"].Text ?? "",
            Kind = SubscriptionKind.Declarative,
            Rules = rules,
            DeadLetterTopic = spec["deadLetterTopic"].Text ?? "",
            Metadata = spec["metadata"].ToDictionary(),
            Bulk = bulk["enabled"].Text is "true"
                ? MakeBulk(Number(bulk["maxMessagesCount"]), Number(bulk["maxAwaitDurationMs"]))
                : null,
            Scopes = [.. document["scopes"].Items.Select(s => s.Text ?? "")],
        };
    }

    internal static BulkSubscribe MakeBulk(int messages, int awaitMilliseconds) =>
        new(
            true,
            messages > 0 ? messages : 100,
            TimeSpan.FromMilliseconds(awaitMilliseconds > 0 ? awaitMilliseconds : 1000)
        );

    internal static List<RouteRule> Routes(IEnumerable<RouteRule> rules, string? fallback)
    {
        var all = rules.ToList();
        if (!string.IsNullOrEmpty(fallback))
        {
            all.Add(new RouteRule("", fallback));
        }
        return all;
    }

    private static int Number(YamlNode node) => int.TryParse(node.Text, out var value) ? value : 0;
}
