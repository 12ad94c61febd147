using System.Net;
using System.Net.Sockets;

namespace LocalPlus.Notification.Webhooks;

/// <summary>
/// Addresses of the internet: what is left when the registries of special addresses (RFC 6890 and its successors) are
/// taken away. Of IPv6 that is what is handed out for hosts; addresses that carry one of IPv4 in them (mapped, 6to4,
/// Teredo, NAT64) are none.
/// </summary>
internal static class PublicAddress
{
    private static readonly IPNetwork Global = IPNetwork.Parse("2000::/3");

    private static readonly IPNetwork[] Special =
    [
        .. new[]
        {
            "0.0.0.0/8",
            "10.0.0.0/8",
            // Shared by a provider's customers.
            "100.64.0.0/10",
            "127.0.0.0/8",
            // A cloud's own, where Azure answers about a machine.
            "168.63.129.16/32",
            // Link-local; where most clouds do.
            "169.254.0.0/16",
            "172.16.0.0/12",
            "192.0.0.0/24",
            "192.0.2.0/24",
            "192.31.196.0/24",
            "192.52.193.0/24",
            "192.88.99.0/24",
            "192.168.0.0/16",
            "192.175.48.0/24",
            "198.18.0.0/15",
            "198.51.100.0/24",
            "203.0.113.0/24",
            "224.0.0.0/4",
            "240.0.0.0/4",
            // Teredo and others of the IETF.
            "2001::/23",
            "2001:db8::/32",
            // 6to4.
            "2002::/16",
            "2620:4f:8000::/48",
            "3fff::/20",
        }.Select(IPNetwork.Parse),
    ];

    public static bool Is(IPAddress address) =>
        !address.IsIPv4MappedToIPv6
        && (address.AddressFamily == AddressFamily.InterNetwork || Global.Contains(address))
        && !Special.Any(network => network.Contains(address));
}
