using System.Text.Json;
using Grpc.Net.Client;
using Microsoft.Extensions.Configuration;
using Sidecar = LocalPlus.Compat.Protos.Dapr;

namespace Dapr.Client;

/// <summary>Makes clients; what is not set comes from the environment.</summary>
public sealed class DaprClientBuilder
{
    private string httpEndpoint;
    private string grpcEndpoint;
    private string apiToken;
    private JsonSerializerOptions json = new(JsonSerializerDefaults.Web);
    private GrpcChannelOptions channelOptions = new() { ThrowOperationCanceledOnCancellation = true };
    private TimeSpan? timeout;

    public DaprClientBuilder()
        : this(null)
    {
    }

    internal DaprClientBuilder(IConfiguration? configuration)
    {
        httpEndpoint = DaprDefaults.GetDefaultHttpEndpoint(configuration);
        grpcEndpoint = DaprDefaults.GetDefaultGrpcEndpoint(configuration);
        apiToken = DaprDefaults.GetDefaultDaprApiToken(configuration);
    }

    public DaprClientBuilder UseHttpEndpoint(string httpEndpoint)
    {
        ArgumentException.ThrowIfNullOrEmpty(httpEndpoint);
        this.httpEndpoint = httpEndpoint;
        return this;
    }

    public DaprClientBuilder UseGrpcEndpoint(string grpcEndpoint)
    {
        ArgumentException.ThrowIfNullOrEmpty(grpcEndpoint);
        this.grpcEndpoint = grpcEndpoint;
        return this;
    }

    public DaprClientBuilder UseJsonSerializationOptions(JsonSerializerOptions options)
    {
        json = options;
        return this;
    }

    public DaprClientBuilder UseGrpcChannelOptions(GrpcChannelOptions grpcChannelOptions)
    {
        channelOptions = grpcChannelOptions;
        return this;
    }

    public DaprClientBuilder UseDaprApiToken(string apiToken)
    {
        this.apiToken = apiToken;
        return this;
    }

    /// <summary>For HTTP: health checks. Calls over gRPC end with their own token.</summary>
    public DaprClientBuilder UseTimeout(TimeSpan timeout)
    {
        this.timeout = timeout;
        return this;
    }

    public DaprClient Build()
    {
        var grpc = Http(grpcEndpoint, "gRPC");
        var http = Http(httpEndpoint, "HTTP");
        var channel = GrpcChannel.ForAddress(grpc, channelOptions);
        var httpClient = new HttpClient(new SocketsHttpHandler { UseProxy = false });
        if (timeout is { } limit)
        {
            httpClient.Timeout = limit;
        }

        return new DaprClientGrpc(channel, new Sidecar.DaprClient(channel), httpClient, http, json, apiToken);
    }

    private static Uri Http(string endpoint, string kind) =>
        Uri.TryCreate(endpoint, UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https"
            ? uri
            : throw new InvalidOperationException($"The {kind} endpoint must use http or https.");
}
