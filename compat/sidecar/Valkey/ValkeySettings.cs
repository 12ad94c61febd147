using System.Globalization;
using LocalPlus.Sidecar.Resources;

namespace LocalPlus.Sidecar.Valkey;

/// <summary>Where a component's Valkey is.</summary>
internal sealed record ValkeySettings(string Host, int Port, string? Username, string? Password, int Database, bool Tls)
{
    private const int DefaultPort = 6379;

    public static ValkeySettings From(Component component)
    {
        if (component.Get("redisType") is { } type && !type.Equals("node", StringComparison.OrdinalIgnoreCase))
        {
            throw new ComponentException($"redisType {type} is not available in the stand-in");
        }
        if (component.Flag("failover"))
        {
            throw new ComponentException("failover (Sentinel) is not available in the stand-in");
        }
        var address = component.Get("redisHost") ?? throw new ComponentException("redis: host is not specified");
        // A list means a cluster to daprd; a single server is its first entry.
        address = address.Split(',')[0].Trim();
        var colon = address.LastIndexOf(':');
        var bracket = address.LastIndexOf(']');
        var port = component.Int("redisPort", DefaultPort);
        var host = address;
        if (
            colon > bracket
            && int.TryParse(address.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var own)
        )
        {
            (host, port) = (address[..colon], own);
        }
        return new ValkeySettings(
            host.Trim('[', ']'),
            port,
            component.Get("redisUsername"),
            component.Get("redisPassword"),
            component.Int("redisDB", 0),
            component.Flag("enableTLS")
        );
    }

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Host}:{Port}");
}
