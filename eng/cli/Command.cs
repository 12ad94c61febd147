using System.ComponentModel;
using System.Diagnostics;

namespace LocalPlus.Cli;

/// <summary>How a program ended and the last lines that it printed on both streams.</summary>
internal sealed record CommandResult(int ExitCode, IReadOnlyList<string> Lines)
{
    public string Output => string.Join('\n', Lines);

    public string Tail(int lines) => string.Join('\n', Lines.TakeLast(lines));
}

/// <summary>Runs a program to its end.</summary>
internal sealed record Command(string File, params string[] Arguments)
{
    private const int KeptLines = 4000;

    public string? WorkingDirectory { get; init; }

    public Dictionary<string, string?> Environment { get; init; } = [];

    /// <summary>Called with each line as it appears.</summary>
    public Action<string>? OnLine { get; init; }

    public string? Input { get; init; }

    /// <summary>After this long the program is killed and the command counts as failed.</summary>
    public TimeSpan Limit { get; init; } = TimeSpan.FromMinutes(30);

    /// <summary>Runs it; a program that does not exist counts as exit code 127, as in a shell.</summary>
    public async Task<CommandResult> RunAsync(CancellationToken cancel)
    {
        using var limited = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        limited.CancelAfter(Limit);
        using var process = new Process { StartInfo = StartInfo() };
        try
        {
            process.Start();
        }
        catch (Win32Exception notThere)
        {
            return new CommandResult(127, [$"{File}: {notThere.Message}"]);
        }

        var lines = new Queue<string>();
        try
        {
            var reading = Task.WhenAll(
                ReadAsync(process.StandardOutput, lines, limited.Token), ReadAsync(process.StandardError, lines, limited.Token));
            await process.StandardInput.WriteAsync((Input ?? "").AsMemory(), limited.Token);
            process.StandardInput.Close();
            await reading;
            await process.WaitForExitAsync(limited.Token);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            cancel.ThrowIfCancellationRequested();
            return new CommandResult(124, [.. lines, $"{File}: no end after {Limit.TotalSeconds:0} s"]);
        }
        catch (IOException)
        {
            // It went away before it had read its input; its exit code tells.
            await process.WaitForExitAsync(limited.Token);
        }

        return new CommandResult(process.ExitCode, [.. lines]);
    }

    private ProcessStartInfo StartInfo()
    {
        var info = new ProcessStartInfo(File, Arguments)
        {
            WorkingDirectory = WorkingDirectory ?? "",
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var (name, value) in Environment)
        {
            info.Environment[name] = value;
        }

        return info;
    }

    private async Task ReadAsync(StreamReader reader, Queue<string> lines, CancellationToken cancel)
    {
        while (await reader.ReadLineAsync(cancel) is { } line)
        {
            lock (lines)
            {
                lines.Enqueue(line);
                if (lines.Count > KeptLines)
                {
                    lines.Dequeue();
                }

                OnLine?.Invoke(line);
            }
        }
    }
}
