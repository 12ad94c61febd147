namespace LocalPlus.Cli;

/// <summary>The last lines of one process's log, or of all of them; -f follows.</summary>
internal static class Logs
{
    public static readonly Verb Verb = new("logs", "logs [PROCESS] [-n LINES] [-f]", "what the processes print", RunAsync)
    {
        Flags = ["-f"],
        Options = ["-n"],
    };

    private const int DefaultLines = 40;

    private static async Task<int> RunAsync(Invocation call)
    {
        var (checkout, arguments, cancel) = call;
        var lines = arguments.Option("-n") is not { } text ? DefaultLines
            : int.TryParse(text, out var given) && given > 0 ? given
            : throw CliFailure.Usage("-n takes a number of lines", "logs");
        var known = Directory.Exists(checkout.Logs)
            ? Directory.EnumerateFiles(checkout.Logs, "*.log").Order(StringComparer.Ordinal).ToList()
            : [];
        var files = arguments.Positions.Count == 0
            ? known
            : [.. known.Where(f => arguments.Positions.Contains(Path.GetFileNameWithoutExtension(f)))];
        if (files.Count == 0)
        {
            var names = string.Join(", ", known.Select(Path.GetFileNameWithoutExtension));
            throw new CliFailure(ExitCodes.NotFound, "there is no such log", names.Length > 0 ? $"one of: {names}" : "./localplus up");
        }

        string[] follow = arguments.Has("-f") ? ["-F"] : [];
        await new Command("tail", [.. follow, "-n", $"{lines}", .. files]) { OnLine = Terminal.Say, Limit = TimeSpan.FromDays(1) }.RunAsync(cancel);
        return ExitCodes.Ok;
    }
}
