using Dapr.Client.Autogen.Grpc.v1;
using LocalPlus.Sidecar.Cli;
using LocalPlus.Sidecar.Resources;
using LocalPlus.Sidecar.Runtime;

namespace LocalPlus.Sidecar.Api.Grpc;

/// <summary>The metadata as a message.</summary>
internal static class GrpcMetadata
{
    public static GetMetadataResponse From(RuntimeMetadata metadata)
    {
        var connection = metadata.Connection;
        var response = new GetMetadataResponse
        {
            Id = metadata.Id,
            RuntimeVersion = SidecarOptions.RuntimeVersion,
            AppConnectionProperties = new AppConnectionProperties
            {
                Port = connection.Port,
                Protocol = connection.Protocol,
                ChannelAddress = connection.Address,
                MaxConcurrency = Math.Max(0, connection.MaxConcurrency),
            },
            ActorRuntime = new ActorRuntime
            {
                RuntimeStatus = metadata.Parts.ActorsRunning
                    ? ActorRuntime.Types.ActorRuntimeStatus.Running
                    : ActorRuntime.Types.ActorRuntimeStatus.Disabled,
                HostReady = metadata.Parts.ActorsRunning,
                Placement = metadata.Parts.ActorsRunning ? "placement: connected" : "placement: disconnected",
            },
            Workflows = new MetadataWorkflows { ConnectedWorkers = metadata.Parts.ConnectedWorkers },
        };
        if (connection.Health is { } health)
        {
            response.AppConnectionProperties.Health = new AppConnectionHealthProperties
            {
                HealthCheckPath = health.Path,
                HealthProbeInterval = health.Interval,
                HealthProbeTimeout = health.Timeout,
                HealthThreshold = health.Threshold,
            };
        }
        response.EnabledFeatures.AddRange(metadata.EnabledFeatures);
        response.ExtendedMetadata.Add(metadata.Extended.ToDictionary());
        foreach (var (type, count) in metadata.Parts.ActiveActors)
        {
            response.ActorRuntime.ActiveActors.Add(new ActiveActorsCount { Type = type, Count = count });
        }
        response.RegisteredComponents.AddRange(metadata.Components.Select(Component));
        response.Subscriptions.AddRange(metadata.Subscriptions.Select(Subscription));
        return response;
    }

    private static RegisteredComponents Component(LoadedComponent component)
    {
        var result = new RegisteredComponents
        {
            Name = component.Name,
            Type = component.Type,
            Version = component.Version,
        };
        result.Capabilities.AddRange(component.Capabilities);
        return result;
    }

    private static PubsubSubscription Subscription(SubscriptionSpec spec)
    {
        var result = new PubsubSubscription
        {
            PubsubName = spec.PubSub,
            Topic = spec.Topic,
            DeadLetterTopic = spec.DeadLetterTopic,
            Rules = new PubsubSubscriptionRules(),
            Type = spec.Kind switch
            {
                SubscriptionKind.Declarative => PubsubSubscriptionType.Declarative,
                SubscriptionKind.Programmatic => PubsubSubscriptionType.Programmatic,
                _ => PubsubSubscriptionType.Streaming,
            },
        };
        result.Metadata.Add(spec.Metadata.ToDictionary());
        result.Rules.Rules.AddRange(
            spec.Rules.Select(r => new PubsubSubscriptionRule { Match = r.Match, Path = r.Path })
        );
        return result;
    }
}
