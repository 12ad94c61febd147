using System.Globalization;
using Microsoft.Extensions.Configuration;

namespace Dapr;

/// <summary>Where the sidecar is and what it is told: from configuration, else from the environment.</summary>
public static class DaprDefaults
{
    public const string DaprApiTokenEnvironmentVariableName = "DAPR_API_TOKEN";
    public const string AppApiTokenEnvironmentVariableName = "APP_API_TOKEN";
    public const string DaprHttpEndpointEnvironmentVariableName = "DAPR_HTTP_ENDPOINT";
    public const string DaprHttpPortEnvironmentVariableName = "DAPR_HTTP_PORT";
    public const string DaprGrpcEndpointEnvironmentVariableName = "DAPR_GRPC_ENDPOINT";
    public const string DaprGrpcPortEnvironmentVariableName = "DAPR_GRPC_PORT";
    public const string DefaultDaprScheme = "http";
    public const string DefaultDaprHost = "localhost";
    public const int DefaultHttpPort = 3500;
    public const int DefaultGrpcPort = 50001;

    public static string GetDefaultDaprApiToken(IConfiguration? configuration) =>
        Value(configuration, DaprApiTokenEnvironmentVariableName) ?? "";

    public static string GetDefaultAppApiToken(IConfiguration? configuration) =>
        Value(configuration, AppApiTokenEnvironmentVariableName) ?? "";

    public static string GetDefaultHttpEndpoint(IConfiguration? configuration = null) =>
        Endpoint(
            configuration, DaprHttpEndpointEnvironmentVariableName, DaprHttpPortEnvironmentVariableName, DefaultHttpPort);

    public static string GetDefaultGrpcEndpoint(IConfiguration? configuration = null) =>
        Endpoint(
            configuration, DaprGrpcEndpointEnvironmentVariableName, DaprGrpcPortEnvironmentVariableName, DefaultGrpcPort);

    // An endpoint beats a port; one without a port is on the default port of its scheme.
    private static string Endpoint(IConfiguration? configuration, string endpointName, string portName, int defaultPort)
    {
        if (Value(configuration, endpointName) is { } endpoint)
        {
            return new UriBuilder(endpoint).ToString();
        }

        var port = Value(configuration, portName) is { } value
            ? int.Parse(value, NumberStyles.None, CultureInfo.InvariantCulture)
            : defaultPort;
        return new UriBuilder(DefaultDaprScheme, DefaultDaprHost, port).ToString();
    }

    private static string? Value(IConfiguration? configuration, string name)
    {
        var value = configuration?[name];
        value = string.IsNullOrWhiteSpace(value) ? Environment.GetEnvironmentVariable(name) : value;
        return string.IsNullOrWhiteSpace(value) ? null : value;
    }
}
