using Grpc.AspNetCore.Server;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Microsoft.Extensions.DependencyInjection
{
    /// <summary>Adds what gRPC services need.</summary>
    public static class GrpcServicesExtensions
    {
        public static IGrpcServerBuilder AddGrpc(this IServiceCollection services)
        {
            services.AddRouting();
            services.AddOptions<GrpcServiceOptions>();
            services.TryAddSingleton<UnknownServices>();
            return new Builder(services);
        }

        public static IGrpcServerBuilder AddGrpc(
            this IServiceCollection services, Action<GrpcServiceOptions> configureOptions)
        {
            services.Configure(configureOptions);
            return services.AddGrpc();
        }

        private sealed record Builder(IServiceCollection Services) : IGrpcServerBuilder;
    }
}

namespace Grpc.AspNetCore.Server
{
    using Grpc.Core.Wire;
    using Microsoft.Extensions.DependencyInjection;

    /// <summary>Whether the endpoint for unknown services exists: one an application, however many services it maps.</summary>
    internal sealed class UnknownServices
    {
        public bool Mapped { get; set; }
    }

    /// <summary>Where more can be configured.</summary>
    public interface IGrpcServerBuilder
    {
        IServiceCollection Services { get; }
    }

    /// <summary>Limits and habits of all gRPC services of an application.</summary>
    public class GrpcServiceOptions
    {
        /// <summary>Bytes; null for no limit.</summary>
        public int? MaxSendMessageSize { get; set; }

        /// <summary>Bytes; null for no limit. 4 MiB unless set.</summary>
        public int? MaxReceiveMessageSize { get; set; } = Frames.DefaultMaxReceiveSize;

        /// <summary>Whether callers see the message of an unexpected exception.</summary>
        public bool? EnableDetailedErrors { get; set; }

        /// <summary>Whether calls of unknown services are left to other endpoints instead of answered as unimplemented.</summary>
        public bool? IgnoreUnknownServices { get; set; }
    }

    /// <summary>On each endpoint of a gRPC method: which one it is.</summary>
    public sealed class GrpcMethodMetadata
    {
        public GrpcMethodMetadata(Type serviceType, Grpc.Core.IMethod method)
        {
            ServiceType = serviceType;
            Method = method;
        }

        public Type ServiceType { get; }

        public Grpc.Core.IMethod Method { get; }
    }
}
