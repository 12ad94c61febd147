using Microsoft.Extensions.Configuration;

namespace LocalPlus.Hosting;

/// <summary>Where this service's sidecar listens, by the names that Dapr gives it.</summary>
internal static class SidecarAddress
{
    private const string HttpPort = "3500";
    private const string GrpcPort = "50001";

    public static Uri Of(IConfiguration configuration) => Of(configuration, "HTTP", HttpPort);

    public static Uri GrpcOf(IConfiguration configuration) => Of(configuration, "GRPC", GrpcPort);

    private static Uri Of(IConfiguration configuration, string protocol, string usual) =>
        new(
            configuration[$"DAPR_{protocol}_ENDPOINT"]
                ?? $"http://127.0.0.1:{configuration[$"DAPR_{protocol}_PORT"] ?? usual}"
        );
}
