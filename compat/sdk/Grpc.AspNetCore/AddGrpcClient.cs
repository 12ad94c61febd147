using Grpc.Net.Client;
using Grpc.Net.ClientFactory;
using Microsoft.Extensions.Options;

namespace Microsoft.Extensions.DependencyInjection
{
    /// <summary>Adds generated clients to the container.</summary>
    public static class GrpcClientServiceExtensions
    {
        public static IHttpClientBuilder AddGrpcClient<TClient>(
            this IServiceCollection services, Action<GrpcClientFactoryOptions> configureClient)
            where TClient : class => services.AddGrpcClient<TClient>(typeof(TClient).Name, configureClient);

        public static IHttpClientBuilder AddGrpcClient<TClient>(
            this IServiceCollection services, Action<IServiceProvider, GrpcClientFactoryOptions> configureClient)
            where TClient : class => services.AddGrpcClient<TClient>(typeof(TClient).Name, configureClient);

        public static IHttpClientBuilder AddGrpcClient<TClient>(
            this IServiceCollection services, string name, Action<GrpcClientFactoryOptions> configureClient)
            where TClient : class =>
            services.AddGrpcClient<TClient>(name, (IServiceProvider _, GrpcClientFactoryOptions options) => configureClient(options));

        /// <summary>The channel lives as long as the container; the client is made when it is asked for.</summary>
        public static IHttpClientBuilder AddGrpcClient<TClient>(
            this IServiceCollection services, string name, Action<IServiceProvider, GrpcClientFactoryOptions> configureClient)
            where TClient : class
        {
            services.AddOptions<GrpcClientFactoryOptions>(name)
                .Configure<IServiceProvider>((options, provider) => configureClient(provider, options));
            services.AddKeyedSingleton(name, (provider, _) => Channel(provider, name));
            services.AddTransient(provider => ActivatorUtilities.CreateInstance<TClient>(
                provider, provider.GetRequiredKeyedService<GrpcChannel>(name).CreateCallInvoker()));
            return services.AddHttpClient(name);
        }

        private static GrpcChannel Channel(IServiceProvider provider, string name)
        {
            var options = provider.GetRequiredService<IOptionsMonitor<GrpcClientFactoryOptions>>().Get(name);
            var channelOptions = new GrpcChannelOptions
            {
                HttpHandler = provider.GetRequiredService<IHttpMessageHandlerFactory>().CreateHandler(name),
            };
            foreach (var configure in options.ChannelOptionsActions)
            {
                configure(channelOptions);
            }

            return GrpcChannel.ForAddress(
                options.Address ?? throw new InvalidOperationException($"No address is configured for the gRPC client '{name}'."),
                channelOptions);
        }
    }
}

namespace Grpc.Net.ClientFactory
{
    /// <summary>Where a generated client's calls go.</summary>
    public class GrpcClientFactoryOptions
    {
        public Uri? Address { get; set; }

        public IList<Action<GrpcChannelOptions>> ChannelOptionsActions { get; } = [];
    }
}
