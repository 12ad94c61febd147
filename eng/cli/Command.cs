using System.ComponentModel;
using CliWrap;

namespace LocalPlus.Cli;

/// <summary>How a program ended and the last lines that it printed on both streams.</summary>
internal sealed record CommandResult(int ExitCode, IReadOnlyList<string> Lines)
{
    public string Output => string.Join('\n', Lines);

    /// <summary>The last lines, without those of a stack: they would hide what happened.</summary>
    public string Tail(int lines) => string.Join('\n', Lines.Where(line => !IsOfStack(line)).TakeLast(lines));

    private static bool IsOfStack(string line) => line.StartsWith("   at ", StringComparison.Ordinal);
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
        var lines = new Queue<string>();
        var output = PipeTarget.ToDelegate(line => Keep(lines, line));
        var command = CliWrap
            .Cli.Wrap(File)
            .WithArguments(Arguments)
            .WithWorkingDirectory(WorkingDirectory ?? "")
            .WithEnvironmentVariables(Environment)
            .WithStandardInputPipe(PipeSource.FromString(Input ?? ""))
            .WithStandardOutputPipe(output)
            .WithStandardErrorPipe(output)
            .WithValidation(CommandResultValidation.None);
        try
        {
            var ended = await command.ExecuteAsync(limited.Token);
            return new CommandResult(ended.ExitCode, [.. lines]);
        }
        catch (Win32Exception notThere)
        {
            return new CommandResult(127, [$"{File}: {notThere.Message}"]);
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            return new CommandResult(124, [.. lines, $"{File}: no end after {Limit.TotalSeconds:0} s"]);
        }
    }

    /// <summary>Lines of both streams come at once.</summary>
    private void Keep(Queue<string> lines, string line)
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
