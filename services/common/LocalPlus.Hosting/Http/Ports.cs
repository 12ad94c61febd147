using System.Net;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Primitives;

namespace LocalPlus.Hosting;

/// <summary>Which of a service's two ports serves an endpoint.</summary>
public enum Port
{
    /// <summary>HTTP/1.1 for the gateway, probes and scrapers.</summary>
    Public,

    /// <summary>HTTP/2 cleartext for the sidecar alone: events, invocations and gRPC.</summary>
    App,
}

/// <summary>
/// Two ports a service (ADR 0005), and a third for Prometheus where LP_METRICS_PORT names one. An endpoint answers on
/// the port it asks for and is not found on the other; whatever
/// comes to the app port must carry the sidecar's token, health probes excepted.
/// </summary>
public sealed class Ports
{
    public const long MaxRequestBodyBytes = 1024 * 1024;
    public const int MaxRequestHeadersBytes = 32 * 1024;
    private const int DefaultPublicPort = 8080;
    private const int DefaultAppPort = 8081;
    private readonly RequestDelegate next;
    private readonly int publicPort;
    private volatile byte[][] tokens;

    public Ports(RequestDelegate next, IConfiguration configuration)
    {
        this.next = next;
        publicPort = PublicPort(configuration);
        tokens = Tokens(configuration);
        ChangeToken.OnChange(configuration.GetReloadToken, () => tokens = Tokens(configuration));
    }

    /// <summary>
    /// What the sidecar may show: APP_API_TOKEN, and in the secret app_tokens, separated by commas, those that a
    /// sidecar which is replaced has or will have.
    /// </summary>
    private static byte[][] Tokens(IConfiguration configuration) =>
        [
            .. $"{configuration["APP_API_TOKEN"]},{configuration["Secrets:app_tokens"]}"
                .Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
                .Select(Encoding.UTF8.GetBytes),
        ];

    internal static int PublicPort(IConfiguration configuration) =>
        configuration.GetValue("LP_PUBLIC_PORT", DefaultPublicPort);

    /// <summary>Where Prometheus finds /metrics and nothing else; null: nowhere.</summary>
    internal static int? MetricsPort(IConfiguration configuration) =>
        configuration.GetValue<int?>("LP_METRICS_PORT") is > 0 and { } port ? port : null;

    internal static void Configure(WebApplicationBuilder builder)
    {
        if (builder.Environment.IsProduction() && string.IsNullOrEmpty(builder.Configuration["APP_API_TOKEN"]))
        {
            throw new InvalidOperationException(
                "APP_API_TOKEN is not set: in production only the sidecar may reach the app port."
            );
        }

        // In a container the pod's network is the boundary; on a developer's machine it is the loopback interface.
        var address = builder.Configuration.GetValue("DOTNET_RUNNING_IN_CONTAINER", false)
            ? IPAddress.Any
            : IPAddress.Loopback;
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = MaxRequestBodyBytes;
            kestrel.Limits.MaxRequestHeadersTotalSize = MaxRequestHeadersBytes;
            kestrel.Listen(
                address,
                PublicPort(builder.Configuration),
                listen => listen.Protocols = HttpProtocols.Http1
            );
            kestrel.Listen(
                address,
                builder.Configuration.GetValue("APP_PORT", DefaultAppPort),
                listen => listen.Protocols = HttpProtocols.Http2
            );
            if (MetricsPort(builder.Configuration) is { } metricsPort)
            {
                kestrel.Listen(address, metricsPort, listen => listen.Protocols = HttpProtocols.Http1);
            }
        });
    }

    public Task InvokeAsync(HttpContext http)
    {
        var endpoint = http.GetEndpoint();
        var reached = http.Connection.LocalPort == publicPort ? Port.Public : Port.App;
        if (endpoint?.Metadata.GetMetadata<PortRequirement>() is { } required && required.Port != reached)
        {
            http.SetEndpoint(null);
            http.Response.StatusCode = StatusCodes.Status404NotFound;
            return Task.CompletedTask;
        }

        if (
            reached == Port.App
            && endpoint?.Metadata.GetMetadata<HealthEndpoint>() is null
            && !IsSidecar(http.Request.Headers["dapr-api-token"].ToString())
        )
        {
            http.SetEndpoint(null);
            http.Response.StatusCode = StatusCodes.Status401Unauthorized;
            return Task.CompletedTask;
        }

        return next(http);
    }

    private bool IsSidecar(string shown)
    {
        var accepted = tokens;
        var bytes = Encoding.UTF8.GetBytes(shown);
        return accepted.Length == 0
            || Array.Exists(accepted, token => CryptographicOperations.FixedTimeEquals(bytes, token));
    }
}

internal sealed record PortRequirement(Port Port);

/// <summary>Says on which of the two ports endpoints are found.</summary>
public static class PortConventions
{
    /// <summary>Binds the endpoints to one port; on the other they are not found.</summary>
    public static TBuilder RequirePort<TBuilder>(this TBuilder builder, Port port)
        where TBuilder : IEndpointConventionBuilder => builder.WithMetadata(new PortRequirement(port));
}
