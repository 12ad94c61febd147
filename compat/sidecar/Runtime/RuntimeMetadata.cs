using LocalPlus.Sidecar.Cli;
using LocalPlus.Sidecar.Resources;

namespace LocalPlus.Sidecar.Runtime;

/// <summary>A component as metadata shows it.</summary>
public sealed record LoadedComponent(string Name, string Type, string Version, IReadOnlyList<string> Capabilities);

/// <summary>App health checks as metadata shows them.</summary>
public sealed record AppHealthSettings(string Path, string Interval, string Timeout, int Threshold);

/// <summary>How the application is reached, as metadata shows it.</summary>
public sealed record AppConnection(
    int Port,
    string Protocol,
    string Address,
    int MaxConcurrency,
    AppHealthSettings? Health
)
{
    internal static AppConnection From(SidecarOptions options) =>
        new(
            options.AppPort,
            options.AppProtocol,
            options.AppChannelAddress,
            options.AppMaxConcurrency,
            options.AppHealthCheck
                ? new AppHealthSettings(
                    options.AppHealthPath,
                    Quantities.Print(options.AppHealthInterval),
                    Quantities.Print(options.AppHealthTimeout),
                    options.AppHealthThreshold
                )
                : null
        );
}

/// <summary>The answer of the metadata API, before it is written as JSON or as a message.</summary>
public sealed record RuntimeMetadata(
    string Id,
    IReadOnlyList<string> EnabledFeatures,
    IReadOnlyList<LoadedComponent> Components,
    IReadOnlyDictionary<string, string> Extended,
    IReadOnlyList<SubscriptionSpec> Subscriptions,
    AppConnection Connection,
    PartMetadata Parts
);
