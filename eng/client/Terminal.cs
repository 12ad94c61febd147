using System.Diagnostics;
using Spectre.Console;

namespace LocalPlus.Client;

/// <summary>
/// Everything people read: data on standard output, failures on standard error, long steps with progress.
/// </summary>
internal static class Terminal
{
    private static readonly TimeSpan TickOnTerminal = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan TickInLog = TimeSpan.FromSeconds(15);

    /// <summary>Wider than any table: what is not a terminal has no width.</summary>
    private const int NoWidth = 1000;

    /// <summary>Between two cells, at most: the border's and the padding's.</summary>
    private const int CellSpace = 4;

    /// <summary>A spinner is shown: lines have to go above it.</summary>
    private static bool _spinning;

    private static bool Live => !Console.IsOutputRedirected;

    private static bool Coloured => Live && Environment.GetEnvironmentVariable("NO_COLOR") is null or "";

    /// <summary>A line as it is, however long: it may be pasted.</summary>
    public static void Say(string line)
    {
        if (_spinning)
        {
            AnsiConsole.WriteLine(line);
        }
        else
        {
            Console.WriteLine(line);
        }
    }

    public static void Title(string line) => Marked("", $"[bold]{line.EscapeMarkup()}[/]", line);

    public static void Good(string line) => Marked("[green]✓[/] ", line.EscapeMarkup(), $"✓ {line}");

    public static void Bad(string line) => Marked("[red]✗[/] ", line.EscapeMarkup(), $"✗ {line}");

    public static void Failure(string message, string next)
    {
        Console.Error.WriteLine($"failed: {message}");
        Console.Error.WriteLine($"next:   {next}");
    }

    /// <summary>What failed, which request it was when the API refused it, and what to do.</summary>
    public static void Failure(CliFailure failure)
    {
        Console.Error.WriteLine($"failed: {failure.Message}");
        if (failure.RequestId is { } request)
        {
            Console.Error.WriteLine($"request: {request}");
        }

        Console.Error.WriteLine($"next:   {failure.Next}");
        if (failure.Page is { } page)
        {
            Console.Error.WriteLine($"page:   {page}");
        }
    }

    /// <summary>What is no data: beside it, on standard error.</summary>
    public static void Note(string line) => Console.Error.WriteLine(line);

    /// <summary>Shows a step while it runs: a spinner on a terminal, a line every now and then in a log.</summary>
    public static async Task<T> StepAsync<T>(string title, Func<StepProgress, Task<T>> work, CancellationToken cancel)
    {
        var progress = new StepProgress();
        var clock = Stopwatch.StartNew();
        try
        {
            var result = await (
                Live && !_spinning
                    ? SpinAsync(title, progress, work, clock, cancel)
                    : LogAsync(title, progress, work, clock, cancel)
            );
            Action<string> tell = progress.Failed ? Bad : Good;
            tell($"{title} ({Seconds(clock.Elapsed)}){(progress.Outcome is { } outcome ? $": {outcome}" : "")}");
            return result;
        }
        catch
        {
            Bad($"{title} ({Seconds(clock.Elapsed)})");
            throw;
        }
    }

    public static Task StepAsync(string title, Func<StepProgress, Task> work, CancellationToken cancel) =>
        StepAsync(
            title,
            async progress =>
            {
                await work(progress);
                return true;
            },
            cancel
        );

    /// <summary>
    /// A table whose rows stay lines: on a terminal, columns at the end that do not fit are left out and named. For
    /// lists, whose columns come in the order of what they are worth.
    /// </summary>
    public static void List(IReadOnlyList<string[]> rows)
    {
        var shown = Live ? Fitting(rows, AnsiConsole.Profile.Width) : rows[0].Length;
        Table(shown == rows[0].Length ? rows : [.. rows.Select(row => row[..shown])]);
        if (shown < rows[0].Length)
        {
            Note($"for a wider terminal, or -o json: {string.Join(", ", rows[0][shown..])}");
        }
    }

    /// <summary>How many columns fit into the width; one at least.</summary>
    public static int Fitting(IReadOnlyList<string[]> rows, int width)
    {
        for (var (column, used) = (0, 1); column < rows[0].Length; column++)
        {
            used += rows.Max(row => row[column].Length) + CellSpace;
            if (used > width)
            {
                return Math.Max(column, 1);
            }
        }

        return rows[0].Length;
    }

    /// <summary>
    /// The first row is the head. Where nobody looks it is plain text, a line a row, for grep and awk.
    /// </summary>
    public static void Table(IReadOnlyList<string[]> rows)
    {
        var table = new Table { Border = Live ? TableBorder.Simple : TableBorder.None, UseSafeBorder = true };
        foreach (var head in rows[0])
        {
            table.AddColumn(new TableColumn(head.EscapeMarkup()) { NoWrap = !Live, Padding = new Padding(0, 0, 2, 0) });
        }

        foreach (var row in rows.Skip(1))
        {
            table.AddRow([.. row.Select(cell => cell.EscapeMarkup())]);
        }

        if (Live)
        {
            AnsiConsole.Write(table);
            return;
        }

        using var text = new StringWriter();
        var plain = AnsiConsole.Create(
            new AnsiConsoleSettings
            {
                Ansi = AnsiSupport.No,
                ColorSystem = ColorSystemSupport.NoColors,
                Out = new AnsiConsoleOutput(text),
            }
        );
        plain.Profile.Width = NoWidth;
        plain.Write(table);
        foreach (var line in text.ToString().TrimEnd().Split('\n'))
        {
            Console.WriteLine(line.TrimEnd());
        }
    }

    public static string Seconds(TimeSpan time) =>
        time.TotalSeconds < 10 ? $"{time.TotalSeconds:0.0} s" : $"{time.TotalSeconds:0} s";

    private static void Marked(string mark, string markup, string plain)
    {
        if (Coloured)
        {
            AnsiConsole.MarkupLine(mark + markup);
        }
        else
        {
            Say(plain);
        }
    }

    private static async Task<T> SpinAsync<T>(
        string title,
        StepProgress progress,
        Func<StepProgress, Task<T>> work,
        Stopwatch clock,
        CancellationToken cancel
    )
    {
        _spinning = true;
        try
        {
            return await AnsiConsole
                .Status()
                .StartAsync(
                    title.EscapeMarkup(),
                    async status =>
                    {
                        var task = work(progress);
                        while (
                            await Task.WhenAny(task, Task.Delay(TickOnTerminal, cancel)) != task
                            && !cancel.IsCancellationRequested
                        )
                        {
                            status.Status =
                                $"{title} ({clock.Elapsed.TotalSeconds:0} s){Detail(progress)}".EscapeMarkup();
                        }

                        return await task;
                    }
                );
        }
        finally
        {
            _spinning = false;
        }
    }

    private static async Task<T> LogAsync<T>(
        string title,
        StepProgress progress,
        Func<StepProgress, Task<T>> work,
        Stopwatch clock,
        CancellationToken cancel
    )
    {
        Say($"· {title}");
        var task = work(progress);
        while (await Task.WhenAny(task, Task.Delay(TickInLog, cancel)) != task && !cancel.IsCancellationRequested)
        {
            Say($"  … {title} ({clock.Elapsed.TotalSeconds:0} s){Detail(progress)}");
        }

        return await task;
    }

    private static string Detail(StepProgress progress) => progress.Detail is { Length: > 0 } text ? $": {text}" : "";
}

/// <summary>What a running step says about itself.</summary>
internal sealed class StepProgress
{
    /// <summary>What it is doing now.</summary>
    public string Detail { get; set; } = "";

    /// <summary>What came out, shown behind the finished step.</summary>
    public string? Outcome { get; set; }

    /// <summary>It went to its end and what came out is bad.</summary>
    public bool Failed { get; set; }
}
