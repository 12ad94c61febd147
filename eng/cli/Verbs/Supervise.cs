using System.CommandLine;
using System.Text.Json;

namespace LocalPlus.Cli;

/// <summary>The detached process behind `up`; not for people.</summary>
internal static class Supervise
{
    private static readonly Option<string> Chosen = Verbs.Text("--options", "as JSON", "OPTIONS");

    public static readonly Verb Verb = Make();

    /// <summary>
    /// Starts it in a session of its own, with nothing of the caller's open, so that it outlives any terminal.
    /// </summary>
    public static async Task StartDetachedAsync(Checkout checkout, StackOptions options, CancellationToken cancel)
    {
        string[] words =
        [
            Tools.Dotnet,
            checkout.Assembly("LocalPlus.Cli", "Debug"),
            "supervise",
            "--options",
            JsonSerializer.Serialize(options),
        ];
        const string detach = """exec 3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&-; setsid "$@" </dev/null >>"$LP_LOG" 2>&1 &""";
        var start = new Command("/bin/bash", ["-c", detach, "localplus", .. words])
        {
            WorkingDirectory = checkout.Root,
            Environment =
            {
                ["LP_LOG"] = LogFile.PathOf(checkout.Logs, "supervisor"),
                ["LP_ROOT"] = checkout.Root,
                ["LP_STATE_DIR"] = checkout.State,
            },
        };
        await start.RunAsync(cancel);
    }

    private static async Task<int> RunAsync(Invocation call)
    {
        var options =
            JsonSerializer.Deserialize<StackOptions>(call.Words.GetValue(Chosen) ?? "null")
            ?? throw CliFailure.Usage("the supervisor is started by `up`", "up");
        call.Checkout.MakeState();
        return await new Supervisor(call.Checkout, options).RunAsync(call.Cancel);
    }

    private static Verb Make()
    {
        var verb = Verbs.Define(
            "supervise",
            "Runs the stack in the foreground; `up` starts it detached.",
            RunAsync,
            Chosen
        );
        verb.Hidden = true;
        return verb;
    }
}
