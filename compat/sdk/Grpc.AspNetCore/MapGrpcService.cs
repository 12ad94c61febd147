using System.Reflection;
using Grpc.AspNetCore.Server;
using Grpc.Core;
using Grpc.Core.Wire;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Routing.Patterns;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Microsoft.AspNetCore.Builder;

/// <summary>Maps gRPC services to endpoints.</summary>
public static class GrpcEndpointRouteBuilderExtensions
{
    /// <summary>
    /// Maps each method of the service as POST <c>/{service}/{method}</c>. An instance comes from the container for each
    /// call, or is made for it and disposed after it.
    /// </summary>
    public static GrpcServiceEndpointConventionBuilder MapGrpcService<TService>(this IEndpointRouteBuilder builder)
        where TService : class
    {
        var unknownServices = builder.ServiceProvider.GetService<UnknownServices>()
            ?? throw new InvalidOperationException(
                "Unable to find the required services. Please add all the required services by calling "
                + "'IServiceCollection.AddGrpc' in the application startup code.");
        var options = builder.ServiceProvider.GetRequiredService<IOptions<GrpcServiceOptions>>().Value;
        var log = builder.ServiceProvider.GetRequiredService<ILoggerFactory>()
            .CreateLogger("Grpc.AspNetCore.Server.ServerCallHandler");
        var binder = new EndpointBinder<TService>(builder, options, log);
        Bind<TService>(binder);
        if (options.IgnoreUnknownServices != true)
        {
            MapUnimplemented(builder, binder.ServiceNames, unknownServices);
        }

        return new GrpcServiceEndpointConventionBuilder(binder.Endpoints);
    }

    private static void Bind<TService>(ServiceBinderBase binder)
    {
        for (var type = typeof(TService); type is not null; type = type.BaseType)
        {
            if (type.GetCustomAttribute<BindServiceMethodAttribute>(inherit: false) is { } bind)
            {
                var method = bind.BindType.GetMethod(
                    bind.BindMethodName, BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Static,
                    [typeof(ServiceBinderBase), type])
                    ?? throw new InvalidOperationException($"No {bind.BindType}.{bind.BindMethodName}(ServiceBinderBase, {type}).");
                method.Invoke(null, [binder, null]);
                return;
            }
        }

        throw new InvalidOperationException($"{typeof(TService).Name} has no base class with a BindServiceMethodAttribute.");
    }

    private static void MapUnimplemented(
        IEndpointRouteBuilder builder, IReadOnlyCollection<string> services, UnknownServices unknownServices)
    {
        foreach (var service in services)
        {
            builder.MapPost(
                $"{service}/{{unimplementedMethod}}", http => GrpcRequest.Unimplemented(http, "Method is unimplemented."));
        }

        if (!unknownServices.Mapped)
        {
            unknownServices.Mapped = true;
            var anyMethod = RoutePatternFactory.Parse(
                "{unimplementedService}/{unimplementedMethod}", defaults: null,
                parameterPolicies: new { unimplementedMethod = new OnlyGrpc() });
            builder.Map(anyMethod, http => GrpcRequest.Unimplemented(http, "Service is unimplemented."));
        }
    }

    /// <summary>Leaves other requests of the same shape to other endpoints.</summary>
    private sealed class OnlyGrpc : IRouteConstraint
    {
        public bool Match(
            HttpContext? httpContext, IRouter? route, string routeKey, RouteValueDictionary values,
            RouteDirection routeDirection) =>
            httpContext is not null && Headers.IsGrpc(httpContext.Request.ContentType);
    }
}

/// <summary>Adds conventions to all methods of a mapped service.</summary>
public sealed class GrpcServiceEndpointConventionBuilder : IEndpointConventionBuilder
{
    private readonly IReadOnlyList<IEndpointConventionBuilder> endpoints;

    internal GrpcServiceEndpointConventionBuilder(IReadOnlyList<IEndpointConventionBuilder> endpoints) =>
        this.endpoints = endpoints;

    public void Add(Action<EndpointBuilder> convention)
    {
        foreach (var endpoint in endpoints)
        {
            endpoint.Add(convention);
        }
    }

    public void Finally(Action<EndpointBuilder> finallyConvention)
    {
        foreach (var endpoint in endpoints)
        {
            endpoint.Finally(finallyConvention);
        }
    }
}
