using System.Reflection;
using Grpc.Core;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Logging;

namespace Grpc.AspNetCore.Server;

/// <summary>Hears of a service's methods from its generated code and maps an endpoint for each.</summary>
/// <remarks>Generated code binds no instance, so the methods are found on the type, by their names and parameters.</remarks>
internal sealed class EndpointBinder<TService>(IEndpointRouteBuilder builder, GrpcServiceOptions options, ILogger log)
    : ServiceBinderBase
    where TService : class
{
    private readonly List<IEndpointConventionBuilder> endpoints = [];
    private readonly HashSet<string> serviceNames = new(StringComparer.Ordinal);

    public IReadOnlyList<IEndpointConventionBuilder> Endpoints => endpoints;

    public IReadOnlyCollection<string> ServiceNames => serviceNames;

    public override void AddMethod<TRequest, TResponse>(
        Method<TRequest, TResponse> method, UnaryServerMethod<TRequest, TResponse>? handler) =>
        Map(method, new UnaryEndpoint<TService, TRequest, TResponse>(
            method, options, log,
            Handler<Func<TService, TRequest, ServerCallContext, Task<TResponse>>>(method)).HandleAsync);

    public override void AddMethod<TRequest, TResponse>(
        Method<TRequest, TResponse> method, ClientStreamingServerMethod<TRequest, TResponse>? handler) =>
        Map(method, new ClientStreamingEndpoint<TService, TRequest, TResponse>(
            method, options, log,
            Handler<Func<TService, IAsyncStreamReader<TRequest>, ServerCallContext, Task<TResponse>>>(method)).HandleAsync);

    public override void AddMethod<TRequest, TResponse>(
        Method<TRequest, TResponse> method, ServerStreamingServerMethod<TRequest, TResponse>? handler) =>
        Map(method, new ServerStreamingEndpoint<TService, TRequest, TResponse>(
            method, options, log,
            Handler<Func<TService, TRequest, IServerStreamWriter<TResponse>, ServerCallContext, Task>>(method)).HandleAsync);

    public override void AddMethod<TRequest, TResponse>(
        Method<TRequest, TResponse> method, DuplexStreamingServerMethod<TRequest, TResponse>? handler) =>
        Map(method, new DuplexStreamingEndpoint<TService, TRequest, TResponse>(
            method, options, log,
            Handler<Func<TService, IAsyncStreamReader<TRequest>, IServerStreamWriter<TResponse>, ServerCallContext, Task>>(
                method)).HandleAsync);

    private static TDelegate Handler<TDelegate>(IMethod method)
        where TDelegate : Delegate
    {
        var parameters = typeof(TDelegate).GetMethod("Invoke")!.GetParameters().Skip(1).Select(p => p.ParameterType);
        var found = typeof(TService).GetMethod(method.Name, BindingFlags.Public | BindingFlags.Instance, [.. parameters])
            ?? throw new InvalidOperationException($"{typeof(TService)} has no method {method.Name} for {method.FullName}.");
        return found.CreateDelegate<TDelegate>();
    }

    private void Map(IMethod method, RequestDelegate handle)
    {
        serviceNames.Add(method.ServiceName);
        endpoints.Add(builder.MapPost(method.FullName, handle)
            .WithDisplayName($"gRPC - {method.FullName}")
            .WithMetadata(new GrpcMethodMetadata(typeof(TService), method)));
    }
}
