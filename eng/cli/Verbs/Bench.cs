using System.CommandLine;
using LocalPlus.Servers;

namespace LocalPlus.Cli;

/// <summary>Hands over to perf/, with the running stack's addresses in the environment.</summary>
internal static class Bench
{
    private const string Workflow = "workflow";

    /// <summary>It reads pages as somebody who is signed in.</summary>
    private const string Pages = "console";

    /// <summary>It asks no stack.</summary>
    private const string Rules = "rules";

    /// <summary>An hour of load is asked for now and then, and the books are looked at afterwards.</summary>
    private static readonly TimeSpan LongestBench = TimeSpan.FromHours(3);

    private static readonly Argument<string> Scenario = new("scenario")
    {
        Description =
            "console, earn, events, import, lookup, neighbour, overload, poison, read, redeem, relay, report, rules, "
            + "transfer, webhooks or workflow",
        CompletionSources =
        {
            Pages,
            "earn",
            "events",
            "import",
            "lookup",
            "neighbour",
            "overload",
            "poison",
            "read",
            "redeem",
            "relay",
            "report",
            Rules,
            "transfer",
            "webhooks",
            Workflow,
        },
    };

    private static readonly Option<bool> AsJson = Verbs.Flag("--json", "only the result");
    private static readonly Option<string> For = Verbs.Text("--for", "how long", "SECONDS");

    private static readonly Option<string>[] Handed =
    [
        For,
        Verbs.Text("--clients", "how many callers at once", "N"),
        Verbs.Text("--rps", "calls a second, by the clock", "N"),
        Verbs.Text("--pgledger", "transfer: the SQL function to compare with", "FILE"),
        Verbs.Text(
            "--history",
            "transfer, redeem, report: rows that are there already; import: rows of the file; console: runs",
            "ROWS"
        ),
    ];

    private static readonly Option<string> Against = Verbs.Text(
        "--against",
        "another checkout's stack first, then this one's, and a table of both",
        "DIR"
    );

    private static readonly string Perf = Path.Combine("perf", "LocalPlus.Perf.csproj");

    public static readonly Verb Verb = Verbs.Define(
        "bench",
        "measure, with a yardstick beside",
        RunAsync,
        [Scenario, AsJson, Against, .. Handed]
    );

    private static async Task<int> RunAsync(Invocation call)
    {
        var (checkout, words, cancel) = call;
        var scenario = words.GetRequiredValue(Scenario);
        if (scenario == Workflow)
        {
            return await WorkflowAsync(call);
        }

        string[] options = [.. Given(words, Handed), .. words.GetValue(AsJson) ? [AsJson.Name] : Array.Empty<string>()];
        if (words.GetValue(Against) is { } other)
        {
            return await Comparison.RunAsync(checkout, Path.GetFullPath(other), [scenario, .. options], cancel);
        }

        if (scenario == Rules)
        {
            return await RulesAsync(checkout, options, cancel);
        }

        // Before minutes of building: is there anything to measure?
        _ = StackState.RunningOrFail(checkout);
        await BuildAsync(checkout, Perf, cancel);
        var token = Operators.Mint(checkout, "admin", "bench");
        await MeasureAsync(checkout, checkout, [scenario, .. options], token, Terminal.Say, cancel);
        return ExitCodes.Ok;
    }

    /// <summary>Builds what measures.</summary>
    public static Task BuildPerfAsync(Checkout checkout, CancellationToken cancel) =>
        BuildAsync(checkout, Perf, cancel);

    /// <summary>Runs a scenario of one checkout's bench against the stack of the same or another one.</summary>
    public static async Task<CommandResult> MeasureAsync(
        Checkout bench,
        Checkout measured,
        string[] words,
        string operatorToken,
        Action<string> say,
        CancellationToken cancel
    )
    {
        var state = StackState.RunningOrFail(measured);
        var secrets = new Secrets(measured);
        var developer = await Developer.EnsureKeyAsync(measured, state.Ports, cancel);
        var run = new Command(Tools.Dotnet, [bench.Assembly("LocalPlus.Perf", "Release"), .. words])
        {
            OnLine = say,
            Limit = LongestBench,
            Environment =
            {
                ["LP_GATEWAY"] = state.Ports.GatewayUrl.Replace("localhost", "127.0.0.1", StringComparison.Ordinal),
                ["LP_LEDGER_ASSEMBLY"] = measured.Assembly("LocalPlus.Ledger", "Release"),
                ["LP_PROCESSES"] = string.Join(',', state.Processes.Select(process => $"{process.Name}={process.Pid}")),
                ["LP_METRICS"] = string.Join(',', Checkout.Apps.Select(state.Ports.Metrics)),
                ["LP_BENCH_PORT"] = $"{state.Ports.Bench}",
                ["LP_BENCH_METRICS_PORT"] = $"{state.Ports.BenchMetrics}",
                ["LP_SECRETS"] = measured.Secrets,
                ["LP_GIFTCARD_SIDECAR"] = $"http://127.0.0.1:{state.Ports.DaprHttp("giftcard")}",
                ["DAPR_HTTP_PORT"] = $"{state.Ports.DaprHttp("ledger")}",
                ["LP_API_KEY"] = developer.ApiKey,
                ["LP_OPERATOR_TOKEN"] = operatorToken,
                ["LP_VALKEY_CLI"] = Tools.Must("valkey-cli"),
                ["LP_VALKEY_PORT"] = $"{state.Ports.Valkey}",
                ["REDISCLI_AUTH"] = secrets.ValkeyPassword,
                ["LP_PSQL"] = Tools.Postgres("psql"),
                ["LP_PGBENCH"] = PostgresPrograms.Find("pgbench"),
                ["LP_PG_WALDUMP"] = PostgresPrograms.Find("pg_waldump"),
                ["DAPR_API_TOKEN"] = secrets.DaprApiToken,
                ["PGHOST"] = "127.0.0.1",
                ["PGPORT"] = $"{state.Ports.Postgres}",
                ["PGUSER"] = Postgres.Superuser,
                ["PGPASSWORD"] = secrets.PostgresPassword,
            },
        };
        // Of which a bench may start a second process.
        foreach (var app in new[] { "giftcard", "merchant", "wallet" })
        {
            var prefix = $"LP_{app.ToUpperInvariant()}";
            var assembly = $"LocalPlus.{char.ToUpperInvariant(app[0])}{app[1..]}";
            run.Environment[$"{prefix}_ASSEMBLY"] = measured.Assembly(assembly, "Release");
            run.Environment[$"{prefix}_DAPR_HTTP"] = $"{state.Ports.DaprHttp(app)}";
            run.Environment[$"{prefix}_DAPR_GRPC"] = $"{state.Ports.DaprGrpc(app)}";
            run.Environment[$"{prefix}_APP_TOKEN"] = secrets.AppApiToken(app);
        }

        if (words[0] == Pages)
        {
            using var pages = await ConsolePages.SignInAsync(state.Ports, "ada", cancel);
            run.Environment["LP_CONSOLE_COOKIES"] = pages.Cookies;
        }

        var result = await run.RunAsync(cancel);
        return result.ExitCode switch
        {
            0 => result,
            ExitCodes.NotFound or ExitCodes.Usage => throw new CliFailure(
                result.ExitCode,
                $"bench has no scenario '{words[0]}' or does not understand it",
                "./localplus help bench"
            ),
            _ => throw new CliFailure(
                ExitCodes.Failed,
                $"{words[0]} ended with {result.ExitCode}",
                "./localplus status"
            ),
        };
    }

    /// <summary>Measures what is in the bench's own process.</summary>
    private static async Task<int> RulesAsync(Checkout checkout, string[] options, CancellationToken cancel)
    {
        await BuildAsync(checkout, Perf, cancel);
        var run = new Command(Tools.Dotnet, [checkout.Assembly("LocalPlus.Perf", "Release"), Rules, .. options])
        {
            OnLine = Terminal.Say,
            Limit = LongestBench,
        };
        var result = await run.RunAsync(cancel);
        return result.ExitCode == 0 ? ExitCodes.Ok : ExitCodes.Failed;
    }

    /// <summary>
    /// Measures the sidecar with a PostgreSQL and a Valkey of its own: no stack is needed, and none should run beside.
    /// </summary>
    private static async Task<int> WorkflowAsync(Invocation call)
    {
        var (checkout, words, cancel) = call;
        await Requirements.EnsureAsync([Requirements.Postgres, Requirements.Valkey], cancel);
        await BuildAsync(checkout, Path.Combine("perf", "workflow", "LocalPlus.Perf.Workflow.csproj"), cancel);
        string[] options = [.. Given(words, [For]), .. words.GetValue(AsJson) ? [AsJson.Name] : Array.Empty<string>()];

        // By its own name: it starts itself again as its worker.
        var run = new Command(
            Path.ChangeExtension(checkout.Assembly("LocalPlus.Perf.Workflow", "Release"), null),
            options
        )
        {
            OnLine = Terminal.Say,
            Environment = { ["DOTNET_ROOT"] = Tools.DotnetRoot },
        };
        var result = await run.RunAsync(cancel);
        return result.ExitCode == 0
            ? ExitCodes.Ok
            : throw new CliFailure(
                ExitCodes.Failed,
                $"{Workflow} missed a target or ended with {result.ExitCode}",
                "./localplus bench workflow"
            );
    }

    private static IEnumerable<string> Given(ParseResult words, Option<string>[] options) =>
        options.Where(o => words.GetValue(o) is not null).SelectMany(o => new[] { o.Name, words.GetValue(o)! });

    private static async Task BuildAsync(Checkout checkout, string project, CancellationToken cancel) =>
        await Terminal.StepAsync(
            "building perf",
            async _ =>
            {
                var result = await Builder
                    .Dotnet(checkout, "build", project, "-c", "Release", "-v", "quiet", "-p:UseSharedCompilation=false")
                    .RunAsync(cancel);
                if (result.ExitCode != 0)
                {
                    throw new CliFailure(
                        ExitCodes.Failed,
                        $"perf does not build:\n{result.Tail(8)}",
                        $"dotnet build {project} -c Release"
                    );
                }
            },
            cancel
        );
}
