using System.Net;
using System.Net.Sockets;

namespace LocalPlus.Tests.Integration.Support;

internal static class FreePort
{
    // Below the range that outgoing connections take theirs from (32768 and up on Linux): a port from there may be gone
    // before the process it is meant for listens on it.
    private const int First = 20_000;
    private const int Count = 12_000;
    private static int next = Environment.ProcessId * 97 % Count;

    /// <summary>A loopback port that nobody listens on, handed out once in this run.</summary>
    public static int Next()
    {
        for (var tries = 0; tries < Count; tries++)
        {
            var port = First + (Interlocked.Increment(ref next) % Count);
            try
            {
                using var listener = new TcpListener(IPAddress.Loopback, port);
                listener.Start();
                return port;
            }
            catch (SocketException taken) when (taken.SocketErrorCode == SocketError.AddressAlreadyInUse)
            {
                continue;
            }
        }

        throw new InvalidOperationException("No loopback port is free.");
    }
}
