using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using LocalPlus.Servers;

namespace LocalPlus.Tests.Integration.Support;

/// <summary>A way to a server on loopback that a test can cut and mend.</summary>
public sealed class TcpProxy : IAsyncDisposable
{
    private readonly int target;
    private readonly CancellationTokenSource stop = new();
    private readonly ConcurrentDictionary<Socket, bool> open = new();
    private readonly TcpListener listener;
    private readonly Task accepting;
    private volatile bool isUp = true;

    public TcpProxy(int target)
    {
        this.target = target;
        Port = FreePort.Next();
        listener = new TcpListener(IPAddress.Loopback, Port);
        listener.Start();
        accepting = AcceptAsync();
    }

    public int Port { get; }

    /// <summary>Ends what is connected and refuses what comes.</summary>
    public void Cut()
    {
        isUp = false;
        foreach (var socket in open.Keys)
        {
            socket.Dispose();
        }
    }

    public void Mend() => isUp = true;

    public async ValueTask DisposeAsync()
    {
        Cut();
        await stop.CancelAsync();
        listener.Dispose();
        await accepting.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        while (!stop.IsCancellationRequested)
        {
            var client = await listener.AcceptSocketAsync(stop.Token);
            if (isUp)
            {
                _ = ForwardAsync(client);
            }
            else
            {
                client.Dispose();
            }
        }
    }

    private async Task ForwardAsync(Socket client)
    {
        using var server = new Socket(SocketType.Stream, ProtocolType.Tcp);
        (open[client], open[server]) = (true, true);
        try
        {
            await server.ConnectAsync(IPAddress.Loopback, target, stop.Token);
            using var here = new NetworkStream(client);
            using var there = new NetworkStream(server);
            await await Task.WhenAny(here.CopyToAsync(there, stop.Token), there.CopyToAsync(here, stop.Token));
        }
        catch (Exception exception)
            when (exception is IOException or SocketException or ObjectDisposedException or OperationCanceledException)
        {
            // Cut, or one side has gone: the other goes too.
        }
        finally
        {
            client.Dispose();
            open.TryRemove(client, out _);
            open.TryRemove(server, out _);
        }
    }
}
