using System.Reflection;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Grpc.AspNetCore.Server.Model;
using Grpc.Core;
using Microsoft.Extensions.DependencyInjection;
using ServiceDescriptor = Google.Protobuf.Reflection.ServiceDescriptor;

namespace LocalPlus.Compat.Protos;

/// <summary>
/// Serves Dapr's own gRPC services, whose official packages hold messages and descriptions but nothing to serve them
/// by.
/// </summary>
public static class OfficialService
{
    /// <summary>
    /// A public method of <typeparamref name="TService"/> that bears an RPC's name answers it; all other RPCs of
    /// <paramref name="service"/> are unimplemented.
    /// </summary>
    public static IServiceCollection AddOfficialGrpc<TService>(
        this IServiceCollection services,
        ServiceDescriptor service
    )
        where TService : class
    {
        services.AddGrpc();
        return services.AddSingleton<IServiceMethodProvider<TService>>(new Methods<TService>(service));
    }

    private sealed class Methods<TService>(ServiceDescriptor service) : IServiceMethodProvider<TService>
        where TService : class
    {
        public void OnServiceMethodDiscovery(ServiceMethodProviderContext<TService> context)
        {
            var add = typeof(Methods<TService>).GetMethod(nameof(Add), BindingFlags.NonPublic | BindingFlags.Static)!;
            foreach (var rpc in service.Methods)
            {
                add.MakeGenericMethod(rpc.InputType.ClrType, rpc.OutputType.ClrType).Invoke(null, [context, rpc]);
            }
        }

        private static void Add<TRequest, TResponse>(
            ServiceMethodProviderContext<TService> context,
            MethodDescriptor rpc
        )
            where TRequest : class, IMessage<TRequest>, new()
            where TResponse : class, IMessage<TResponse>, new()
        {
            switch (rpc.IsClientStreaming, rpc.IsServerStreaming)
            {
                case (false, false):
                    context.AddUnaryMethod(
                        Describe<TRequest, TResponse>(MethodType.Unary, rpc),
                        [],
                        Find<UnaryServerMethod<TService, TRequest, TResponse>>(rpc)
                            ?? ((_, _, _) => throw Unimplemented(rpc))
                    );
                    break;
                case (false, true):
                    context.AddServerStreamingMethod(
                        Describe<TRequest, TResponse>(MethodType.ServerStreaming, rpc),
                        [],
                        Find<ServerStreamingServerMethod<TService, TRequest, TResponse>>(rpc)
                            ?? ((_, _, _, _) => throw Unimplemented(rpc))
                    );
                    break;
                case (true, false):
                    context.AddClientStreamingMethod(
                        Describe<TRequest, TResponse>(MethodType.ClientStreaming, rpc),
                        [],
                        Find<ClientStreamingServerMethod<TService, TRequest, TResponse>>(rpc)
                            ?? ((_, _, _) => throw Unimplemented(rpc))
                    );
                    break;
                case (true, true):
                    context.AddDuplexStreamingMethod(
                        Describe<TRequest, TResponse>(MethodType.DuplexStreaming, rpc),
                        [],
                        Find<DuplexStreamingServerMethod<TService, TRequest, TResponse>>(rpc)
                            ?? ((_, _, _, _) => throw Unimplemented(rpc))
                    );
                    break;
            }
        }

        private static Method<TRequest, TResponse> Describe<TRequest, TResponse>(MethodType type, MethodDescriptor rpc)
            where TRequest : class, IMessage<TRequest>, new()
            where TResponse : class, IMessage<TResponse>, new() =>
            new(type, rpc.Service.FullName, rpc.Name, Marshal<TRequest>(), Marshal<TResponse>());

        // As generated code does it: straight into and out of the transport's buffers.
        private static Marshaller<T> Marshal<T>()
            where T : class, IMessage<T>, new()
        {
            var parser = new MessageParser<T>(() => new T());
            return new Marshaller<T>(
                (message, context) =>
                {
                    context.SetPayloadLength(message.CalculateSize());
                    message.WriteTo(context.GetBufferWriter());
                    context.Complete();
                },
                context => parser.ParseFrom(context.PayloadAsReadOnlySequence())
            );
        }

        private static TDelegate? Find<TDelegate>(MethodDescriptor rpc)
            where TDelegate : Delegate => typeof(TService).GetMethod(rpc.Name)?.CreateDelegate<TDelegate>();

        private static RpcException Unimplemented(MethodDescriptor rpc) =>
            new(new Status(StatusCode.Unimplemented, $"method {rpc.Name} is not implemented"));
    }
}
