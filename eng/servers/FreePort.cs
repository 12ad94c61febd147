using System.Net;
using System.Net.Sockets;

namespace LocalPlus.Servers;

/// <summary>Loopback ports for processes that are started, killed and started again where they were.</summary>
public static class FreePort
{
    // Below the range that outgoing connections take theirs from (32768 and up on Linux): a port from there may be gone
    // before the process it is meant for listens on it.
    private const int First = 20_000;
    private const int Count = 12_000;
    private static int next = Environment.ProcessId * 97 % Count;

    /// <summary>A port that nobody listens on, handed out once by this process.</summary>
    public static int Next()
    {
        for (var tries = 0; tries < Count; tries++)
        {
            var port = First + (Interlocked.Increment(ref next) % Count);
            using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            try
            {
                socket.Bind(new IPEndPoint(IPAddress.Loopback, port));
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
