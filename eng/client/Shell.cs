using System.CommandLine;
using System.CommandLine.Invocation;
using System.Runtime.InteropServices;

namespace LocalPlus.Client;

/// <summary>
/// How a program of ours is called and ends: it parses, runs, and says what failed and what to do next.
/// </summary>
internal static class Shell
{
    /// <summary>Set, a bug ends the program with its stack.</summary>
    private const string TraceVariable = "LP_TRACE";

    /// <summary>EPIPE, as .NET has it on Unix.</summary>
    private const int BrokenPipe = 32;

    /// <summary>What people type to call this program.</summary>
    public static string Self { get; private set; } = "./localplus";

    /// <summary>The whole of a Main: signals cancel, every end has its exit code.</summary>
    public static async Task<int> MainAsync(string self, string[] args, Func<CancellationToken, Task<int>> run)
    {
        Self = self;
        using var stop = new CancellationTokenSource();
        void Cancel(PosixSignalContext signal)
        {
            signal.Cancel = true;
            stop.Cancel();
        }

        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Cancel);
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Cancel);
        try
        {
            return await run(stop.Token);
        }
        catch (CliFailure failure)
        {
            Terminal.Failure(failure);
            return failure.ExitCode;
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            Terminal.Failure("interrupted", "run the same command again; every verb may be repeated");
            return ExitCodes.Failed;
        }
        catch (IOException pipe) when (pipe.HResult == BrokenPipe)
        {
            // Whoever read has read enough, as in `… | head`.
            return ExitCodes.Ok;
        }
        catch (Exception bug) when (Environment.GetEnvironmentVariable(TraceVariable) is null or "")
        {
            Terminal.Failure(bug.Message, $"{TraceVariable}=1 {Self} {string.Join(' ', args)} shows where");
            return ExitCodes.Failed;
        }
    }

    /// <summary>Parses the words and runs what they name; what is not understood is a usage failure.</summary>
    public static async Task<int> RunAsync(RootCommand root, string[] args, CancellationToken cancel)
    {
        string[] words = args switch
        {
            [] or ["help"] => ["--help"],
            ["help", .. var verb] => [.. verb, "--help"],
            _ => args,
        };
        // A filter may well begin with @.
        var result = root.Parse(words, new ParserConfiguration { ResponseFileTokenReplacer = null });
        if (result.Action is ParseErrorAction)
        {
            throw CliFailure.Usage(
                result.UnmatchedTokens is [var stray, ..] ? $"'{stray}' is not understood" : result.Errors[0].Message,
                NameOf(result)
            );
        }

        // What the library prints it prints about the program's own name, which nobody calls.
        using var printed = new StringWriter();
        var exit = await result.InvokeAsync(
            new InvocationConfiguration
            {
                EnableDefaultExceptionHandler = false,
                ProcessTerminationTimeout = null,
                Output = printed,
            },
            cancel
        );
        Console.Write(printed.ToString().Replace(RootCommand.ExecutableName, Self, StringComparison.Ordinal));
        return exit;
    }

    /// <summary>The verb that was meant, without its parts.</summary>
    private static string NameOf(ParseResult result)
    {
        var command = result.CommandResult;
        while (command.Parent is System.CommandLine.Parsing.CommandResult { Command: not RootCommand } outer)
        {
            command = outer;
        }

        return command.Command is RootCommand ? "" : command.Command.Name;
    }
}
