namespace LocalPlus.Cli;

/// <summary>The detached process behind `up`; not for people.</summary>
internal static class Supervise
{
    public static readonly Verb Verb = new("supervise", "supervise", "Runs the stack in the foreground; `up` starts it detached.", RunAsync)
    {
        Flags = ["--real-dapr", "--backing", "--failpoints"],
        Options = ["--configuration", "--otlp"],
        Hidden = true,
    };

    /// <summary>Starts it in a session of its own, with nothing of the caller's open, so that it outlives any terminal.</summary>
    public static async Task StartDetachedAsync(Checkout checkout, StackOptions options, CancellationToken cancel)
    {
        List<string> words = [Tools.Dotnet, typeof(Supervise).Assembly.Location, "supervise", "--configuration", options.Configuration];
        words.AddRange(options.Otlp is { } url ? ["--otlp", url] : []);
        words.AddRange(options.RealDapr ? ["--real-dapr"] : []);
        words.AddRange(options.BackingOnly ? ["--backing"] : []);
        words.AddRange(options.Failpoints ? ["--failpoints"] : []);
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
        var options = new StackOptions(
            call.Arguments.Option("--configuration") ?? "Debug", call.Arguments.Option("--otlp"),
            call.Arguments.Has("--real-dapr"), call.Arguments.Has("--backing"), call.Arguments.Has("--failpoints"));
        call.Checkout.MakeState();
        return await new Supervisor(call.Checkout, options).RunAsync(call.Cancel);
    }
}
