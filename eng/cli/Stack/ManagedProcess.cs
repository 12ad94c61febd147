using System.Diagnostics;

namespace LocalPlus.Cli;

/// <summary>
/// One process under supervision: started, its output kept, restarted when it ends, with pauses that grow from short
/// to a limit and shrink again once it has stayed up for a while. An impatient one, for tests that kill, pauses briefly
/// always.
/// </summary>
internal sealed class ManagedProcess(ProcessSpec spec, string logs, Action changed, bool impatient = false)
    : IDisposable
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Stable = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan ProbeEvery = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan StopLimit = TimeSpan.FromSeconds(15);

    private readonly CancellationTokenSource _stop = new();
    private Task _keeping = Task.CompletedTask;
    private ProcessIdentity? _identity;
    private ProcessState _state = new(spec.Name, 0, 0, 0, DateTimeOffset.UtcNow, null);

    public ProcessState State => Volatile.Read(ref _state);

    public void Start() => _keeping = Task.Run(KeepAsync, CancellationToken.None);

    /// <summary>Waits, as long as it takes, until it does its work; `up` is the one that loses patience.</summary>
    public async Task ReadyAsync(CancellationToken cancel)
    {
        while (await spec.Probe(cancel) is not null)
        {
            await Task.Delay(ProbeEvery, cancel);
        }

        if (spec.Provision is { } provision)
        {
            await provision(cancel);
        }
    }

    /// <summary>
    /// Asks it to stop, kills it when it has not within the limit, and leaves none of its group behind.
    /// </summary>
    public async Task StopAsync()
    {
        await _stop.CancelAsync();
        _identity?.Signal(spec.StopSignal);
        await Task.WhenAny(_keeping, Task.Delay(StopLimit, CancellationToken.None));
        _identity?.Signal(ProcessIdentity.SigKill);
        await _keeping;
    }

    public void Dispose() => _stop.Dispose();

    private async Task KeepAsync()
    {
        using var log = new LogFile(logs, spec.Name);
        var pause = FirstPause;
        while (!_stop.IsCancellationRequested)
        {
            var clock = Stopwatch.StartNew();
            string end;
            try
            {
                end = await RunOnceAsync(log);
            }
            catch (OperationCanceledException) when (_stop.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e)
            {
                end = e.Message;
                log.Write($"localplus: {spec.Name} does not start: {e.Message}");
            }

            Change(
                State with
                {
                    Pid = 0,
                    Started = 0,
                    Restarts = State.Restarts + 1,
                    Since = DateTimeOffset.UtcNow,
                    LastEnd = end,
                }
            );
            pause = clock.Elapsed > Stable ? FirstPause : pause;
            try
            {
                await Task.Delay(pause, _stop.Token);
            }
            catch (OperationCanceledException)
            {
                return;
            }

            pause =
                impatient ? FirstPause
                : pause * 2 < LongestPause ? pause * 2
                : LongestPause;
        }
    }

    private async Task<string> RunOnceAsync(LogFile log)
    {
        if (spec.Prepare is { } prepare)
        {
            await prepare(_stop.Token);
        }

        _stop.Token.ThrowIfCancellationRequested();
        // setsid makes it the leader of a group of its own and then becomes the program: same pid.
        var info = new ProcessStartInfo("setsid", [spec.File, .. spec.Arguments])
        {
            WorkingDirectory = spec.WorkingDirectory ?? "",
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var (name, value) in spec.Environment)
        {
            info.Environment[name] = value;
        }

        using var process = Process.Start(info)!;
        _identity = ProcessIdentity.Of(process.Id);
        Change(State with { Pid = process.Id, Started = _identity?.Started ?? 0, Since = DateTimeOffset.UtcNow });
        process.StandardInput.Close();
        process.OutputDataReceived += (_, e) => WriteLine(log, e.Data);
        process.ErrorDataReceived += (_, e) => WriteLine(log, e.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        if (_stop.IsCancellationRequested)
        {
            _identity?.Signal(spec.StopSignal);
        }

        await ExitedAsync(process);
        _identity?.KillGroup();
        return $"exit code {process.ExitCode}";
    }

    /// <summary>Not WaitForExitAsync, which also waits for the pipes: orphaned workers may hold them open.</summary>
    private static Task ExitedAsync(Process process)
    {
        var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        process.EnableRaisingEvents = true;
        process.Exited += (_, _) => ended.TrySetResult();
        return process.HasExited ? Task.CompletedTask : ended.Task;
    }

    private static void WriteLine(LogFile log, string? line)
    {
        if (line is not null)
        {
            log.Write(line);
        }
    }

    private void Change(ProcessState state)
    {
        Volatile.Write(ref _state, state);
        changed();
    }
}
