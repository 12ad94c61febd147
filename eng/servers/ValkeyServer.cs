using System.Net;
using System.Net.Sockets;
using System.Text;

namespace LocalPlus.Servers;

/// <summary>How a server is started.</summary>
public sealed record ValkeyServerSettings
{
    /// <summary>Whether it keeps what it acknowledged when it is killed.</summary>
    public bool IsDurable { get; init; }

    public string? Password { get; init; }
}

/// <summary>A private Valkey on loopback that ends with this process: it may be killed, frozen and started
/// again.</summary>
public sealed class ValkeyServer : IAsyncDisposable
{
    private const int LongestAnswer = 256;

    private readonly ValkeyServerSettings settings;
    private readonly string folder;
    private ServerProcess? process;

    private ValkeyServer(ValkeyServerSettings settings, string folder) =>
        (this.settings, this.folder) = (settings, folder);

    /// <summary>The same for all of its lives.</summary>
    public int Port { get; } = FreePort.Next();

    /// <summary>The host and port as a Dapr component and most clients want them.</summary>
    public string Address => $"127.0.0.1:{Port}";

    /// <summary>Starts one without data and waits until it serves.</summary>
    public static async Task<ValkeyServer> StartAsync(
        ValkeyServerSettings? settings = null,
        CancellationToken cancel = default
    )
    {
        var server = new ValkeyServer(
            settings ?? new ValkeyServerSettings(),
            await ServerAccount.NewFolderAsync(cancel)
        );
        try
        {
            await server.StartAgainAsync(cancel);
            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    /// <summary>Starts it on the files it has, and waits until it has read them and serves.</summary>
    public async Task StartAgainAsync(CancellationToken cancel = default)
    {
        string[] durability = settings.IsDurable ? ["--appendonly", "yes", "--appendfsync", "always"] : [];
        string[] password = settings.Password is { } secret ? ["--requirepass", secret] : [];
        string[] command =
        [
            "valkey-server",
            "--port",
            $"{Port}",
            "--bind",
            "127.0.0.1",
            "--dir",
            folder,
            "--save",
            "",
            .. durability,
            .. password,
        ];
        process = await ServerProcess.StartAsync(command, folder, Signal.Term, IsReadyAsync, cancel);
    }

    public async Task KillAsync()
    {
        if (process is { } server)
        {
            process = null;
            await server.EndAsync(Signal.Kill);
            server.Dispose();
        }
    }

    /// <summary>Stops its clock: connections stay open and say nothing.</summary>
    public void Freeze() => process?.SignalAll(Signal.Stop);

    public void Thaw() => process?.SignalAll(Signal.Cont);

    public async ValueTask DisposeAsync()
    {
        await KillAsync();
        await ServerAccount.RunAsync(["rm", "-rf", folder], CancellationToken.None);
    }

    private async Task<bool> IsReadyAsync(CancellationToken cancel)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            await socket.ConnectAsync(IPAddress.Loopback, Port, cancel);
            var question = settings.Password is { } secret ? $"AUTH {secret}\r\nPING\r\n" : "PING\r\n";
            await socket.SendAsync(Encoding.ASCII.GetBytes(question), cancel);
            return await HearsPongAsync(socket, cancel);
        }
        catch (SocketException)
        {
            return false;
        }
    }

    private static async Task<bool> HearsPongAsync(Socket socket, CancellationToken cancel)
    {
        var (heard, buffer) = (new StringBuilder(), new byte[LongestAnswer]);
        while (heard.Length < LongestAnswer)
        {
            var count = await socket.ReceiveAsync(buffer, cancel);
            heard.Append(Encoding.ASCII.GetString(buffer, 0, count));
            var text = heard.ToString();
            if (
                count == 0
                || text.Contains("-LOADING", StringComparison.Ordinal)
                || text.Contains("+PONG\r\n", StringComparison.Ordinal)
            )
            {
                return text.Contains("+PONG\r\n", StringComparison.Ordinal);
            }
        }

        return false;
    }
}
