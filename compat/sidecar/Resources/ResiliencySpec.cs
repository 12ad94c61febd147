using System.Globalization;
using LocalPlus.Sidecar.Cli;

namespace LocalPlus.Sidecar.Resources;

/// <summary>A retry policy. <see cref="MaxRetries"/> -1 = for ever.</summary>
public sealed record RetrySpec(
    bool Exponential,
    TimeSpan Duration,
    TimeSpan MaxInterval,
    int MaxRetries,
    string? HttpCodes,
    string? GrpcCodes
);

/// <summary>A circuit breaker: trips when <see cref="Trip"/> says so, half-opens after <see cref="Timeout"/>.</summary>
public sealed record BreakerSpec(int MaxRequests, TimeSpan Interval, TimeSpan Timeout, string Trip);

/// <summary>Names of the policies that one target uses; null = none named.</summary>
public sealed record PolicyNames(string? Timeout, string? Retry, string? Breaker);

/// <summary>A Resiliency resource.</summary>
public sealed record ResiliencySpec
{
    public IReadOnlyDictionary<string, TimeSpan> Timeouts { get; init; } = new Dictionary<string, TimeSpan>();

    public IReadOnlyDictionary<string, RetrySpec> Retries { get; init; } = new Dictionary<string, RetrySpec>();

    public IReadOnlyDictionary<string, BreakerSpec> Breakers { get; init; } = new Dictionary<string, BreakerSpec>();

    public IReadOnlyDictionary<string, PolicyNames> Apps { get; init; } = new Dictionary<string, PolicyNames>();

    public IReadOnlyDictionary<string, PolicyNames> Inbound { get; init; } = new Dictionary<string, PolicyNames>();

    public IReadOnlyDictionary<string, PolicyNames> Outbound { get; init; } = new Dictionary<string, PolicyNames>();

    public IReadOnlyList<string> Scopes { get; init; } = [];

    internal static ResiliencySpec From(YamlNode document)
    {
        var policies = document["spec"]["policies"];
        var targets = document["spec"]["targets"];
        return new ResiliencySpec
        {
            Timeouts = policies["timeouts"]
                .Entries.ToDictionary(e => e.Key, e => Quantities.Duration(e.Value.Text ?? ""), StringComparer.Ordinal),
            Retries = policies["retries"].Entries.ToDictionary(e => e.Key, e => Retry(e.Value), StringComparer.Ordinal),
            Breakers = policies["circuitBreakers"]
                .Entries.ToDictionary(e => e.Key, e => Breaker(e.Value), StringComparer.Ordinal),
            Apps = targets["apps"].Entries.ToDictionary(e => e.Key, e => Names(e.Value), StringComparer.Ordinal),
            Inbound = targets["components"]
                .Entries.Where(e => e.Value["inbound"].Exists)
                .ToDictionary(e => e.Key, e => Names(e.Value["inbound"]), StringComparer.Ordinal),
            Outbound = targets["components"]
                .Entries.Where(e => e.Value["outbound"].Exists)
                .ToDictionary(e => e.Key, e => Names(e.Value["outbound"]), StringComparer.Ordinal),
            Scopes = [.. document["scopes"].Items.Select(s => s.Text ?? "")],
        };
    }

    private static PolicyNames Names(YamlNode node) =>
        new(node["timeout"].Text, node["retry"].Text, node["circuitBreaker"].Text);

    private static RetrySpec Retry(YamlNode node) =>
        new(
            string.Equals(node["policy"].Text, "exponential", StringComparison.OrdinalIgnoreCase),
            Duration(node["duration"], TimeSpan.FromSeconds(5)),
            Duration(node["maxInterval"], TimeSpan.FromSeconds(60)),
            Number(node["maxRetries"], -1),
            node["matching"]["httpStatusCodes"].Text,
            node["matching"]["gRPCStatusCodes"].Text
        );

    private static BreakerSpec Breaker(YamlNode node) =>
        new(
            Number(node["maxRequests"], 1),
            Duration(node["interval"], TimeSpan.Zero),
            Duration(node["timeout"], TimeSpan.FromSeconds(60)),
            node["trip"].Text ?? "consecutiveFailures > 5"
        );

    private static TimeSpan Duration(YamlNode node, TimeSpan fallback) =>
        node.Text is { } text ? Quantities.Duration(text) : fallback;

    private static int Number(YamlNode node, int fallback) =>
        int.TryParse(node.Text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value)
            ? value
            : fallback;
}
