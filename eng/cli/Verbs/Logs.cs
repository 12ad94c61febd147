using System.CommandLine;
using System.CommandLine.Completions;

namespace LocalPlus.Cli;

/// <summary>The last lines of one process's log, or of all of them; -f follows.</summary>
internal static class Logs
{
    private static readonly Argument<string[]> Processes = new("process")
    {
        Description = "all when nothing is said; `sidecar` means every app's",
        Arity = ArgumentArity.ZeroOrMore,
        CompletionSources =
        {
            _ => Known(Checkout.Find()).Select(f => new CompletionItem(Path.GetFileNameWithoutExtension(f))),
        },
    };

    private static readonly Option<int?> Lines = Verbs.Number(
        "-n",
        $"so many lines of each, {DefaultLines} when nothing is said"
    );
    private static readonly Option<bool> Follow = Verbs.Flag("-f", "go on");

    public static readonly Verb Verb = Verbs.Define(
        "logs",
        "what the processes print",
        RunAsync,
        Processes,
        Lines,
        Follow
    );

    private const int DefaultLines = 40;

    private static async Task<int> RunAsync(Invocation call)
    {
        var (checkout, words, cancel) = call;
        var known = Known(checkout);
        var named = words.GetValue(Processes) ?? [];
        var files =
            named.Length == 0
                ? known
                :
                [
                    .. known.Where(f =>
                        named.Any(name => StackState.IsCalled(Path.GetFileNameWithoutExtension(f), name))
                    ),
                ];
        if (files.Count == 0)
        {
            var names = string.Join(", ", known.Select(Path.GetFileNameWithoutExtension));
            throw new CliFailure(
                ExitCodes.NotFound,
                "there is no such log",
                names.Length > 0 ? $"one of: {names}" : "./localplus up"
            );
        }

        string[] follow = words.GetValue(Follow) ? ["-F"] : [];
        var tail = new Command("tail", [.. follow, "-n", $"{words.GetValue(Lines) ?? DefaultLines}", .. files])
        {
            OnLine = Terminal.Say,
            Limit = TimeSpan.FromDays(1),
        };
        await tail.RunAsync(cancel);
        return ExitCodes.Ok;
    }

    private static List<string> Known(Checkout checkout) =>
        Directory.Exists(checkout.Logs)
            ? [.. Directory.EnumerateFiles(checkout.Logs, "*.log").Order(StringComparer.Ordinal)]
            : [];
}
