using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;

namespace LocalPlus.Servers;

/// <summary>The port was free when it was chosen and taken when the server wanted it.</summary>
internal sealed class PortTakenException(string message) : InvalidOperationException(message);

/// <summary>Signals by the names that commands know them by, with the kernel's numbers.</summary>
internal enum Signal
{
    Int = 2,
    Quit = 3,
    Kill = 9,
    Term = 15,
    Cont = 18,
    Stop = 19,
}

/// <summary>A server in the foreground of a process of its own, which the kernel ends when this process ends.</summary>
internal sealed class ServerProcess : IDisposable
{
    private const int RememberedLines = 30;

    private static readonly TimeSpan StartLimit = TimeSpan.FromMinutes(2);
    private static readonly TimeSpan Pulse = TimeSpan.FromMilliseconds(20);

    // The kernel watches the thread that started a process, not the process, so that thread must last.
    private static readonly BlockingCollection<Action> Starts = [];

    private readonly ConcurrentQueue<string> output = new();
    private readonly Process process;

    static ServerProcess() =>
        new Thread(() =>
        {
            foreach (var start in Starts.GetConsumingEnumerable())
            {
                start();
            }
        })
        {
            IsBackground = true,
            Name = "servers",
        }.Start();

    private ServerProcess(Process process) => this.process = process;

    /// <summary>CPU time of the server and its children that are alive.</summary>
    public TimeSpan Cpu => TimeSpan.FromTicks(Tree().Sum(CpuTicksOf));

    /// <summary>Starts a server and waits until it is ready.</summary>
    /// <param name="command">The executable and its arguments; it runs as the account of the servers.</param>
    /// <param name="folder">Its working folder.</param>
    /// <param name="signalOfDeath">What ends it quickly and orderly when this process ends.</param>
    public static async Task<ServerProcess> StartAsync(
        string[] command,
        string folder,
        Signal signalOfDeath,
        Func<CancellationToken, Task<bool>> isReady,
        CancellationToken cancel
    )
    {
        var started = new TaskCompletionSource<Process>(TaskCreationOptions.RunContinuationsAsynchronously);
        var info = ServerAccount.StartInfo(signalOfDeath.ToString().ToUpperInvariant(), command, folder);
        Starts.Add(
            () =>
            {
                try
                {
                    started.SetResult(Process.Start(info)!);
                }
                catch (Exception e)
                {
                    started.SetException(e);
                }
            },
            cancel
        );
        var server = new ServerProcess(await started.Task);
        server.Listen();
        try
        {
            await server.WaitUntilReadyAsync(command[0], isReady, cancel);
            return server;
        }
        catch
        {
            await server.EndAsync(Signal.Kill);
            server.Dispose();
            throw;
        }
    }

    /// <summary>Sends a signal to the server alone, and waits until it and its children are gone.</summary>
    public async Task StopAsync(Signal signal)
    {
        var all = Tree();
        Send(process.Id, signal);
        await GoneAsync(all);
    }

    /// <summary>Sends a signal to the server and its children at once, and waits until they are gone.</summary>
    public async Task EndAsync(Signal signal)
    {
        var all = Tree();
        SignalAll(signal);
        await GoneAsync(all);
    }

    public void SignalAll(Signal signal)
    {
        foreach (var pid in Tree())
        {
            Send(pid, signal);
        }
    }

    public void Dispose() => process.Dispose();

    // A child holds its server's shared memory until it is gone, and a new server refuses to start beside it.
    private async Task GoneAsync(int[] pids)
    {
        await process.WaitForExitAsync();
        using var pulse = new PeriodicTimer(Pulse);
        while (Array.Exists(pids, pid => Directory.Exists($"/proc/{pid}")))
        {
            await pulse.WaitForNextTickAsync();
        }
    }

    private int[] Tree()
    {
        if (process.HasExited)
        {
            return [];
        }

        var children = File.ReadAllText($"/proc/{process.Id}/task/{process.Id}/children");
        return
        [
            process.Id,
            .. children
                .Split(' ', StringSplitOptions.RemoveEmptyEntries)
                .Select(pid => int.Parse(pid, CultureInfo.InvariantCulture)),
        ];
    }

    private void Send(int pid, Signal signal)
    {
        if (!process.HasExited)
        {
            // It fails for a child that has ended meanwhile, which needs no signal.
            _ = Kill(pid, (int)signal);
        }
    }

    private static long CpuTicksOf(int pid)
    {
        try
        {
            using var one = Process.GetProcessById(pid);
            return one.TotalProcessorTime.Ticks;
        }
        catch (Exception ended) when (ended is ArgumentException or InvalidOperationException)
        {
            return 0;
        }
    }

    private void Listen()
    {
        process.StandardInput.Close();
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
        string name,
        Func<CancellationToken, Task<bool>> isReady,
        CancellationToken cancel
    )
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        limit.CancelAfter(StartLimit);
        using var timer = new PeriodicTimer(Pulse);
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

    [DllImport("libc", EntryPoint = "kill", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Kill(int pid, int signal);
}
