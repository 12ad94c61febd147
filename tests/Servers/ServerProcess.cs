using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace LocalPlus.Tests.Servers;

/// <summary>The port was free when it was chosen and taken when the server wanted it.</summary>
internal sealed class PortTakenException(string message) : InvalidOperationException(message);

internal static class Ports
{
    public static int Free()
    {
        using var probe = new TcpListener(IPAddress.Loopback, 0);
        probe.Start();
        return ((IPEndPoint)probe.LocalEndpoint).Port;
    }
}

/// <summary>A server in the foreground of a process of its own, which the kernel ends when this process ends.</summary>
internal sealed class ServerProcess
{
    private const int RememberedLines = 30;

    private static readonly TimeSpan StartTimeout = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan StopTimeout = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan ReadyPollInterval = TimeSpan.FromMilliseconds(20);

    // The kernel watches the thread that started a process, not the process, so that thread must last.
    private static readonly BlockingCollection<Action> Starts = [];

    private readonly ConcurrentQueue<string> output = new();
    private readonly Process process;
    private readonly string folder;
    private readonly string stopSignal;

    static ServerProcess() =>
        new Thread(() =>
        {
            foreach (var start in Starts.GetConsumingEnumerable())
            {
                start();
            }
        })
        { IsBackground = true, Name = "test servers" }.Start();

    private ServerProcess(Process process, int port, string folder, string stopSignal)
    {
        this.process = process;
        this.folder = folder;
        this.stopSignal = stopSignal;
        Port = port;
    }

    public int Port { get; }

    /// <summary>Starts a server and waits until it is ready.</summary>
    /// <param name="command">The executable and its arguments, as the account of the test servers.</param>
    /// <param name="folder">The server's data; deleted when it stops.</param>
    /// <param name="stopSignal">What ends it quickly and orderly.</param>
    public static async Task<ServerProcess> StartAsync(
        string[] command, int port, string folder, string stopSignal, Func<CancellationToken, Task<bool>> isReady,
        CancellationToken cancel)
    {
        var started = new TaskCompletionSource<Process>(TaskCreationOptions.RunContinuationsAsynchronously);
        var info = ServerAccount.StartInfo(["--pdeathsig", stopSignal], command, folder);
        Starts.Add(() =>
        {
            try
            {
                started.SetResult(Process.Start(info)!);
            }
            catch (Exception e)
            {
                started.SetException(e);
            }
        }, cancel);
        var server = new ServerProcess(await started.Task, port, folder, stopSignal);
        server.Listen();
        try
        {
            await server.WaitUntilReadyAsync(command[0], isReady, cancel);
            return server;
        }
        catch
        {
            await server.StopAsync(CancellationToken.None);
            throw;
        }
    }

    public async Task StopAsync(CancellationToken cancel)
    {
        if (!process.HasExited)
        {
            await ServerAccount.RunAsync(["kill", $"-{stopSignal}", $"{process.Id}"], "/", null, cancel);
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancel);
            limit.CancelAfter(StopTimeout);
            await process.WaitForExitAsync(limit.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (!process.HasExited)
            {
                process.Kill(entireProcessTree: true);
            }
        }

        process.Dispose();
        await ServerAccount.RunAsync(["rm", "-rf", folder], "/", null, CancellationToken.None);
    }

    private void Listen()
    {
        process.OutputDataReceived += Remember;
        process.ErrorDataReceived += Remember;
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    private void Remember(object sender, DataReceivedEventArgs line)
    {
        if (line.Data is not null)
        {
            output.Enqueue(line.Data);
            if (output.Count > RememberedLines)
            {
                output.TryDequeue(out _);
            }
        }
    }

    private async Task WaitUntilReadyAsync(
        string name, Func<CancellationToken, Task<bool>> isReady, CancellationToken cancel)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        limit.CancelAfter(StartTimeout);
        using var timer = new PeriodicTimer(ReadyPollInterval);
        while (!await isReady(limit.Token))
        {
            if (process.HasExited)
            {
                await process.WaitForExitAsync(limit.Token); // its last words
                var text = string.Join('\n', output);
                throw text.Contains("ddress already in use", StringComparison.Ordinal)
                    ? new PortTakenException(text)
                    : new InvalidOperationException($"{name} ended with exit code {process.ExitCode}:\n{text}");
            }

            await timer.WaitForNextTickAsync(limit.Token);
        }
    }
}
