using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.HttpOverrides;
using Microsoft.Extensions.DependencyInjection;
using IPNetwork = System.Net.IPNetwork;

namespace LocalPlus.Hosting;

/// <summary>
/// Where a caller is: the last address in X-Forwarded-For that is none of our proxies'. Only what a proxy says counts,
/// so whoever writes the header itself gains nothing. LP_TRUSTED_PROXIES lists the networks of the proxies; loopback is
/// always one of them.
/// </summary>
public static class ClientAddress
{
    /// <summary>How one service tells another whose key it asks about.</summary>
    public const string Header = "localplus-client-address";

    private const string ProxiesVariable = "LP_TRUSTED_PROXIES";

    /// <summary>The caller's address; null where there is no connection.</summary>
    public static IPAddress? Of(HttpContext http) => Plain(http.Connection.RemoteIpAddress);

    /// <summary>The address that another service asks for; null where it says none.</summary>
    public static IPAddress? ToldBy(HttpContext http) =>
        IPAddress.TryParse(http.Request.Headers[Header].ToString(), out var address) ? Plain(address) : null;

    /// <summary>Throws where the setting has something that is no network.</summary>
    internal static void Configure(WebApplicationBuilder builder)
    {
        IPNetwork[] proxies =
        [
            .. (builder.Configuration[ProxiesVariable] ?? "")
                .Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
                .Select(network => IPNetwork.Parse(network)),
        ];
        builder.Services.Configure<ForwardedHeadersOptions>(forwarded =>
        {
            forwarded.ForwardedHeaders = ForwardedHeaders.XForwardedFor;
            forwarded.ForwardLimit = null;
            foreach (var proxy in proxies)
            {
                forwarded.KnownIPNetworks.Add(proxy);
            }
        });
    }

    private static IPAddress? Plain(IPAddress? address) =>
        address is { IsIPv4MappedToIPv6: true } ? address.MapToIPv4() : address;
}
