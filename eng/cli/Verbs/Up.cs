using System.CommandLine;
using System.Diagnostics;
using LocalPlus.Client.Profiles;

namespace LocalPlus.Cli;

/// <summary>
/// From a bare checkout to a healthy stack: installs, builds, starts, waits, and says what to do next.
/// </summary>
internal static class Up
{
    private static readonly Option<bool> Release = Verbs.Flag("--release", "optimised, as in production");
    private static readonly Option<bool> Backing = Verbs.Flag(
        "--backing",
        "without services and sidecars, for `dapr run -f .`"
    );
    private static readonly Option<bool> NoBuild = Verbs.Flag("--no-build", "as it was built");
    private static readonly Option<string> Otlp = Verbs.Text("--otlp", "where traces, metrics and logs go", "URL");

    private static readonly Option<bool> WithDashboard = Verbs.Flag(
        "--dashboard",
        "a page with traces, metrics and logs: the Aspire Dashboard"
    );

    private static readonly Option<bool> WithObserve = Verbs.Flag(
        "--observe",
        "Prometheus and Alertmanager with the rules of platform/observability"
    );

    private static readonly Option<string> Components = Verbs.Text(
        "--components",
        "in place of components/clouds/local: what `swap` made",
        "FOLDER"
    );

    public static readonly Verb Verb = Verbs.Define(
        "up",
        "install, build, start, wait until healthy",
        RunAsync,
        Release,
        Backing,
        WithDashboard,
        WithObserve,
        Otlp,
        Components,
        Daprd.Option,
        NoBuild
    );

    private const int CrashesAllowed = 6;

    /// <summary>So long nothing may come nearer to health; a slow machine is given its time.</summary>
    private static readonly TimeSpan StandstillLimit = TimeSpan.FromSeconds(180);
    private static readonly TimeSpan SupervisorLimit = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(250);

    private static async Task<int> RunAsync(Invocation call)
    {
        var (checkout, words, cancel) = call;
        var options = new StackOptions(
            words.GetValue(Release) ? "Release" : "Debug",
            words.GetValue(Otlp),
            words.GetValue(Backing),
            Daprd: Daprd.Choose(words.GetValue(Daprd.Option)),
            Dashboard: words.GetValue(WithDashboard),
            Observe: words.GetValue(WithObserve),
            Components: words.GetValue(Components) is { } folder ? ComponentsIn(folder) : null
        );
        checkout.MakeState();
        using var sole =
            Supervisor.TryLock(Path.Combine(checkout.State, "up.lock"))
            ?? throw new CliFailure(
                ExitCodes.Refused,
                "another `up` is at work in this checkout",
                "./localplus status"
            );

        if (StackState.Running(checkout) is { } running && running.Options != options)
        {
            throw new CliFailure(
                ExitCodes.Refused,
                "it runs already, with other options",
                "./localplus down, then up again"
            );
        }

        await Requirements.EnsureAsync(
            options.Observe ? [.. Requirements.Stack, .. Requirements.Observe] : Requirements.Stack,
            cancel
        );
        if (
            options is { Daprd: { } daprd, BackingOnly: false }
            && await Sidecars.MissingAsync(daprd, cancel) is { } missing
        )
        {
            throw new CliFailure(
                ExitCodes.NotFound,
                missing,
                $"dapr init --slim; or ./localplus up --daprd {Daprd.StandIn}"
            );
        }

        if (options.Dashboard)
        {
            await Dashboard.RestoreAsync(checkout, cancel);
        }

        if (!words.GetValue(NoBuild))
        {
            await Builder.BuildAsync(checkout, options.Configuration, cancel);
        }

        var clock = Stopwatch.StartNew();
        var state = await StartAsync(checkout, options, cancel);
        if (options.BackingOnly)
        {
            Terminal.Say("");
            Terminal.Say("PostgreSQL, Valkey, SMTP and the gateway run. Next, the services and their sidecars:");
            Terminal.Say(state.Offset == 0 ? "  dapr run -f ." : $"  dapr run -f {checkout.RunFile}");
            return ExitCodes.Ok;
        }

        Tell(state, Developer.Remembered(checkout)!, clock.Elapsed);
        return ExitCodes.Ok;
    }

    private static string ComponentsIn(string folder) =>
        Directory.Exists(folder)
            ? Path.GetFullPath(folder)
            : throw new CliFailure(ExitCodes.NotFound, $"there is no folder {folder}", "./localplus swap CLOUD");

    /// <summary>Starts the stack unless it runs, and waits until it is healthy and has served a caller.</summary>
    public static Task<StackState> StartAsync(Checkout checkout, StackOptions options, CancellationToken cancel) =>
        Terminal.StepAsync(
            "starting",
            async progress =>
            {
                if (StackState.Running(checkout) is null)
                {
                    // A supervisor that was killed leaves its processes; they go first.
                    await Leftovers.StopAsync(checkout, cancel);
                    await Supervise.StartDetachedAsync(checkout, options, cancel);
                }

                var state = await HealthyAsync(checkout, progress, cancel);
                if (!options.BackingOnly)
                {
                    progress.Detail = "serving a first card";
                    var developer = await Developer.EnsureAsync(checkout, state.Ports, cancel);
                    LocalProfile.Write(
                        checkout.State,
                        new(
                            state.Ports.GatewayUrl,
                            state.Ports.IdentityUrl,
                            developer.ApiKey,
                            Operators.KeyPath(checkout)
                        )
                    );
                }

                progress.Outcome = "healthy";
                return state;
            },
            cancel
        );

    private static async Task<StackState> HealthyAsync(
        Checkout checkout,
        StepProgress progress,
        CancellationToken cancel
    )
    {
        var clock = Stopwatch.StartNew();
        var fewest = int.MaxValue;
        while (true)
        {
            await Task.Delay(Poll, cancel);
            var state = StackState.Running(checkout);
            if (state is null)
            {
                progress.Detail = "waiting for the supervisor";
                if (clock.Elapsed > SupervisorLimit)
                {
                    throw Failed(checkout, "the supervisor did not come up", "supervisor");
                }

                continue;
            }

            if (state.Processes.FirstOrDefault(p => p.Restarts >= CrashesAllowed) is { } broken)
            {
                throw Failed(checkout, $"{broken.Name} keeps ending ({broken.LastEnd})", broken.Name);
            }

            var troubles = await new LocalStack(checkout, state.Ports, state.Options).TroublesAsync(cancel);
            if (troubles.Count == 0 && state.Phase == "running")
            {
                return state;
            }

            progress.Detail = $"waiting for {string.Join(", ", troubles.Keys)}";
            if (troubles.Count < fewest)
            {
                fewest = troubles.Count;
                clock.Restart();
            }
            else if (clock.Elapsed > StandstillLimit)
            {
                var (name, trouble) = troubles.FirstOrDefault();
                throw Failed(
                    checkout,
                    $"no healthier for {StandstillLimit.TotalSeconds:0} s: {name}: {trouble}",
                    name ?? "supervisor"
                );
            }
        }
    }

    private static CliFailure Failed(Checkout checkout, string message, string name)
    {
        var log = LogFile.PathOf(checkout.Logs, name);
        var tail = File.Exists(log) ? string.Join('\n', File.ReadLines(log).TakeLast(12)) : "";
        return new CliFailure(
            ExitCodes.Failed,
            $"{message}\n{tail}",
            $"./localplus logs {name}; when mended: ./localplus down && ./localplus up"
        );
    }

    private static void Tell(StackState state, Developer developer, TimeSpan took)
    {
        var ports = state.Ports;
        Terminal.Say("");
        Terminal.Say($"Healthy after {Terminal.Seconds(took)}.");
        Terminal.Say($"  API        {ports.GatewayUrl}");
        Terminal.Say($"  test key   {developer.ApiKey}");
        if (state.Options.Dashboard)
        {
            Terminal.Say($"  dashboard  {Dashboard.Url(ports)}");
        }

        if (state.Options.Observe)
        {
            Terminal.Say($"  Prometheus {Observe.Url(ports)}   Alertmanager {Observe.AlertsUrl(ports)}");
        }

        Terminal.Say($"  mail       {ports.MailUrl}");
        Terminal.Say($"  console    {ports.GatewayUrl}/console   (sign in as anybody of {ports.IdentityUrl})");
        Terminal.Say($"  till       {ports.GatewayUrl}/console/till   (sign in as Carl Cashier)");
        Terminal.Say("  operators  ./localplus runs list, ./localplus token --role operator");
        Terminal.Say("  logs       ./localplus logs giftcard     SQL  ./localplus psql ledger");
        Terminal.Say("");
        Terminal.Say(
            "Try:   curl -s -H 'Authorization: Bearer " + developer.ApiKey + $"' {ports.GatewayUrl}/v1/programs"
        );
        Terminal.Say("Next:  ./localplus demo");
    }
}
