using System.Diagnostics;

namespace LocalPlus.Cli;

/// <summary>Everything people read: data on standard output, failures on standard error, long steps with progress.</summary>
internal static class Terminal
{
    private static readonly TimeSpan TickOnTerminal = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan TickInLog = TimeSpan.FromSeconds(15);

    private static bool Live => !Console.IsOutputRedirected;

    private static bool Coloured => Live && Environment.GetEnvironmentVariable("NO_COLOR") is null or "";

    public static void Say(string line) => Console.WriteLine(line);

    public static void Good(string line) => Say($"{Paint("✓", "32")} {line}");

    public static void Bad(string line) => Say($"{Paint("✗", "31")} {line}");

    public static void Failure(string message, string next)
    {
        Console.Error.WriteLine($"failed: {message}");
        Console.Error.WriteLine($"next:   {next}");
    }

    public static string Paint(string text, string colour) => Coloured ? $"\e[{colour}m{text}\e[0m" : text;

    /// <summary>Shows a step while it runs: one living line on a terminal, a line every now and then in a log.</summary>
    public static async Task<T> StepAsync<T>(string title, Func<StepProgress, Task<T>> work, CancellationToken cancel)
    {
        var progress = new StepProgress();
        var clock = Stopwatch.StartNew();
        if (!Live)
        {
            Say($"· {title}");
        }

        var task = work(progress);
        while (await Task.WhenAny(task, Task.Delay(Live ? TickOnTerminal : TickInLog, cancel)) != task && !cancel.IsCancellationRequested)
        {
            var detail = progress.Detail is { Length: > 0 } text ? $": {text}" : "";
            var line = $"· {title} ({clock.Elapsed.TotalSeconds:0} s){detail}";
            if (Live)
            {
                Console.Write($"\r\e[K{line[..Math.Min(line.Length, Math.Max(20, Console.WindowWidth - 1))]}");
            }
            else
            {
                Say($"  … {clock.Elapsed.TotalSeconds:0} s{detail}");
            }
        }

        try
        {
            var result = await task;
            Clear();
            Good($"{title} ({Seconds(clock.Elapsed)}){(progress.Outcome is { } outcome ? $": {outcome}" : "")}");
            return result;
        }
        catch
        {
            Clear();
            Bad($"{title} ({Seconds(clock.Elapsed)})");
            throw;
        }
    }

    public static Task StepAsync(string title, Func<StepProgress, Task> work, CancellationToken cancel) =>
        StepAsync(title, async progress => { await work(progress); return true; }, cancel);

    /// <summary>Columns as wide as their widest cell; the first row is the head.</summary>
    public static void Table(IReadOnlyList<string[]> rows)
    {
        var widths = Enumerable.Range(0, rows[0].Length).Select(c => rows.Max(r => r[c].Length)).ToArray();
        foreach (var row in rows)
        {
            Say(string.Join("  ", row.Select((cell, c) => cell.PadRight(widths[c]))).TrimEnd());
        }
    }

    public static string Seconds(TimeSpan time) =>
        time.TotalSeconds < 10 ? $"{time.TotalSeconds:0.0} s" : $"{time.TotalSeconds:0} s";

    private static void Clear()
    {
        if (Live)
        {
            Console.Write("\r\e[K");
        }
    }
}

/// <summary>What a running step says about itself.</summary>
internal sealed class StepProgress
{
    /// <summary>What it is doing now.</summary>
    public string Detail { get; set; } = "";

    /// <summary>What came out, shown behind the finished step.</summary>
    public string? Outcome { get; set; }
}
