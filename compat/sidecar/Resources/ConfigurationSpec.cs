using System.Globalization;

namespace LocalPlus.Sidecar.Resources;

/// <summary>Which secrets of one store an application may read.</summary>
public sealed record SecretScope(
    string Store,
    bool AllowByDefault,
    IReadOnlySet<string> Allowed,
    IReadOnlySet<string> Denied
);

/// <summary>One line of the API allow or deny list.</summary>
public sealed record ApiRule(string Name, string Version, string Protocol);

/// <summary>A Configuration resource: what of it concerns a sidecar without mTLS and middleware.</summary>
public sealed record ConfigurationSpec
{
    public string Name { get; init; } = "";

    /// <summary>0 to 1; null = tracing is not configured and trace context only passes through.</summary>
    public double? SamplingRate { get; init; }

    public bool TraceToStdout { get; init; }

    public string? OtlpEndpoint { get; init; }

    public string OtlpProtocol { get; init; } = "grpc";

    public bool OtlpSecure { get; init; } = true;

    public string? OtlpHeaders { get; init; }

    public IReadOnlyList<SecretScope> SecretScopes { get; init; } = [];

    /// <summary>Who may call the application; null = everybody.</summary>
    public AccessSpec? Access { get; init; }

    public IReadOnlyList<ApiRule> AllowedApis { get; init; } = [];

    public IReadOnlyList<ApiRule> DeniedApis { get; init; } = [];

    /// <summary>
    /// Where the name resolution component keeps its table; sidecars with the same text find each other.
    /// </summary>
    public string NameTable { get; init; } = "";

    /// <summary>Features switched on by the document, beside those that 1.18 has on.</summary>
    public IReadOnlyList<string> Features { get; init; } = [];

    /// <summary>Log every API call; the flag may say otherwise.</summary>
    public bool LogsApi { get; init; }

    /// <summary>Leave health checks out of that.</summary>
    public bool OmitsHealthChecks { get; init; }

    public int? MaxConcurrentWorkflows { get; init; }

    public int? MaxConcurrentActivities { get; init; }

    /// <summary>Go durations by terminal state (anyTerminal, completed, failed, terminated).</summary>
    public IReadOnlyDictionary<string, string> WorkflowRetention { get; init; } = new Dictionary<string, string>();

    internal static ConfigurationSpec From(YamlNode document)
    {
        var spec = document["spec"];
        var tracing = spec["tracing"];
        var otel = tracing["otel"];
        var secrets = spec["secrets"]["scopes"].Items.Select(Scope).ToList();
        return new ConfigurationSpec
        {
            Name = document["metadata"]["name"].Text ?? "",
            SamplingRate = double.TryParse(
                tracing["samplingRate"].Text,
                NumberStyles.Float,
                CultureInfo.InvariantCulture,
                out var rate
            )
                ? Math.Clamp(rate, 0, 1)
                : null,
            TraceToStdout = tracing["stdout"].Text is "true",
            OtlpEndpoint = otel["endpointAddress"].Text,
            OtlpProtocol = otel["protocol"].Text ?? "grpc",
            OtlpSecure = otel["isSecure"].Text is not "false",
            OtlpHeaders = otel["headers"].Text,
            SecretScopes = secrets,
            Access = AccessSpec.From(spec["accessControl"]),
            AllowedApis = [.. spec["api"]["allowed"].Items.Select(Rule)],
            DeniedApis = [.. spec["api"]["denied"].Items.Select(Rule)],
            NameTable = spec["nameResolution"]["configuration"]["connectionString"].Text ?? "",
            Features =
            [
                .. spec["features"].Items.Where(f => f["enabled"].Text is "true").Select(f => f["name"].Text ?? ""),
            ],
            LogsApi = spec["logging"]["apiLogging"]["enabled"].Text is "true",
            OmitsHealthChecks = spec["logging"]["apiLogging"]["omitHealthChecks"].Text is "true",
            MaxConcurrentWorkflows = Number(spec["workflow"]["maxConcurrentWorkflowInvocations"]),
            MaxConcurrentActivities = Number(spec["workflow"]["maxConcurrentActivityInvocations"]),
            WorkflowRetention = spec["workflow"]["stateRetentionPolicy"].ToDictionary(),
        };
    }

    private static SecretScope Scope(YamlNode scope) =>
        new(
            scope["storeName"].Text ?? "",
            scope["defaultAccess"].Text is not "deny",
            scope["allowedSecrets"].Items.Select(i => i.Text ?? "").ToHashSet(StringComparer.Ordinal),
            scope["deniedSecrets"].Items.Select(i => i.Text ?? "").ToHashSet(StringComparer.Ordinal)
        );

    private static ApiRule Rule(YamlNode rule) =>
        new(rule["name"].Text ?? "", rule["version"].Text ?? "", rule["protocol"].Text ?? "");

    private static int? Number(YamlNode node) => int.TryParse(node.Text, out var value) ? value : null;
}
