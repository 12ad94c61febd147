using System.Net;
using System.Net.Sockets;

namespace LocalPlus.Notification.Webhooks;

/// <summary>A host to which nothing may be sent, or that there is not; the code is for merchants.</summary>
internal sealed class HostRefusedException(string code) : IOException($"The host is refused: {code}.")
{
    public string Code { get; } = code;
}

/// <summary>
/// Where webhooks may go: over HTTPS to public addresses, at the ports that the network lets through. Asked when an
/// endpoint is saved and again with each connection, which goes to the very address that was looked at: a name that
/// means something else by then is refused, too. With the setting LP_WEBHOOK_LOOPBACK=allow, which a service in
/// production does not start with, also to this machine, in the clear and at any port.
/// </summary>
internal sealed class WebhookHosts(bool allowsLoopback, Func<string, CancellationToken, Task<IPAddress[]>> resolve)
{
    private const string LoopbackSetting = "LP_WEBHOOK_LOOPBACK";

    /// <summary>charts/localplus opens these, and no others.</summary>
    public static readonly IReadOnlyList<int> Ports = [443, 8443];

    public static WebhookHosts Of(IConfiguration configuration, IHostEnvironment environment)
    {
        var allowsLoopback = configuration[LoopbackSetting] == "allow";
        return allowsLoopback && environment.IsProduction()
            ? throw new InvalidOperationException(
                $"{LoopbackSetting} is set: a service in production sends nothing to its own machine."
            )
            : new WebhookHosts(allowsLoopback, Dns.GetHostAddressesAsync);
    }

    /// <summary>What is wrong with a URL by itself, as a code for its field; else null.</summary>
    public string? Problem(string url) =>
        !Uri.TryCreate(url, UriKind.Absolute, out var uri)
        || uri.Scheme is not ("https" or "http")
        || uri.HostNameType is UriHostNameType.Unknown or UriHostNameType.Basic
        || uri.UserInfo.Length > 0
        || uri.Fragment.Length > 0
            ? "invalid"
        : allowsLoopback ? null
        : uri.Scheme != "https" ? "not_https"
        : Ports.Contains(uri.Port) ? null
        : "port_not_allowed";

    /// <summary>The addresses to which a request for that URL may go.</summary>
    /// <exception cref="HostRefusedException">One of the host's addresses is not allowed, or it has none.</exception>
    public async Task<IPAddress[]> AddressesAsync(Uri url, CancellationToken cancel)
    {
        IPAddress[] addresses;
        try
        {
            addresses = IPAddress.TryParse(url.IdnHost, out var literal)
                ? [literal]
                : await resolve(url.IdnHost, cancel);
        }
        catch (SocketException)
        {
            throw new HostRefusedException("host_unknown");
        }

        var isPublicDoor = url.Scheme == "https" && Ports.Contains(url.Port);
        return addresses.Length == 0 ? throw new HostRefusedException("host_unknown")
            : addresses.All(address =>
                (isPublicDoor && PublicAddress.Is(address)) || (allowsLoopback && IPAddress.IsLoopback(address))
            )
                ? addresses
            : throw new HostRefusedException("address_not_public");
    }

    /// <summary>Connects to one of the allowed addresses of the host, whatever its name means later.</summary>
    public async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancel)
    {
        var addresses = await AddressesAsync(context.InitialRequestMessage.RequestUri!, cancel);
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(addresses, context.DnsEndPoint.Port, cancel);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
