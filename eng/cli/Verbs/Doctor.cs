using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;

namespace LocalPlus.Cli;

/// <summary>Looks at everything the stack leans on: ok, warn or fail, each with its remedy.</summary>
internal static class Doctor
{
    private static readonly Option<bool> Fix = Verbs.Flag("--fix", "install what is missing (Debian, root)");

    public static readonly Verb Verb = Verbs.Define("doctor", "is this machine fit to run it?", RunAsync, Fix);

    private const string Ok = "ok";
    private const string Warn = "warn";
    private const string Fail = "fail";
    private const long DiskNeeded = 3L << 30;
    private static readonly string[] Configurations = ["debug", "release"];
    private static readonly TimeSpan ClockTolerance = TimeSpan.FromSeconds(30);

    private sealed record Finding(string Level, string Subject, string Says, string Remedy = "");

    private static async Task<int> RunAsync(Invocation call)
    {
        var (checkout, words, cancel) = call;
        if (words.GetValue(Fix))
        {
            await Requirements.EnsureAsync([.. Requirements.Stack, Requirements.Node], cancel);
        }

        List<Finding> findings = [await SdkAsync(checkout, cancel)];
        foreach (var requirement in Requirements.Stack)
        {
            findings.Add(await ProgramAsync(requirement, Fail));
        }

        findings.Add(await ProgramAsync(Requirements.Node, Warn));
        findings.Add(PortsFree(checkout));
        findings.Add(Disk(checkout));
        findings.Add(await ClockAsync(checkout, cancel));
        findings.AddRange(await DaprPartsAsync(checkout, cancel));

        List<string[]> table =
        [
            ["", "WHAT", "FOUND", "REMEDY"],
        ];
        table.AddRange(findings.Select(f => new[] { f.Level, f.Subject, f.Says, f.Remedy }));
        Terminal.Table(table);
        if (findings.Find(f => f.Level == Fail) is { } worst)
        {
            Terminal.Failure($"{worst.Subject}: {worst.Says}", worst.Remedy);
            return ExitCodes.Failed;
        }

        return ExitCodes.Ok;
    }

    private static async Task<Finding> SdkAsync(Checkout checkout, CancellationToken cancel)
    {
        var version = await new Command(Tools.Dotnet, "--version") { WorkingDirectory = checkout.Root }.RunAsync(
            cancel
        );
        return version.ExitCode == 0 && version.Output.StartsWith("10.", StringComparison.Ordinal)
            ? new Finding(Ok, ".NET SDK", version.Output)
            : new Finding(Fail, ".NET SDK", version.Tail(1), "install the .NET 10 SDK");
    }

    private static async Task<Finding> ProgramAsync(Requirement requirement, string otherwise) =>
        await requirement.Found() is { } place
            ? new Finding(Ok, requirement.Name, place)
            : new Finding(
                otherwise,
                requirement.Name,
                "not installed",
                $"./localplus doctor --fix, or: {requirement.Remedy}"
            );

    private static Finding PortsFree(Checkout checkout)
    {
        if (StackState.Running(checkout) is { } state)
        {
            return new Finding(Ok, "ports", $"in use by this checkout, gateway {state.Ports.Gateway}");
        }

        var free = Ports.Candidates(null).FirstOrDefault(p => !p.Taken.Any());
        return free switch
        {
            null => new Finding(
                Fail,
                "ports",
                "no offset has all its ports free",
                "stop other checkouts: ./localplus down"
            ),
            { Offset: 0 } => new Finding(Ok, "ports", $"free, gateway {free.Gateway}"),
            _ => new Finding(
                Warn,
                "ports",
                $"{new Ports(0).Taken.First()} is taken",
                $"nothing to do: `up` takes gateway {free.Gateway}"
            ),
        };
    }

    private static Finding Disk(Checkout checkout)
    {
        var free = new DriveInfo(checkout.Root).AvailableFreeSpace;
        var says = string.Create(CultureInfo.InvariantCulture, $"{free / (double)(1 << 30):0.0} GiB free");
        return free >= DiskNeeded
            ? new Finding(Ok, "disk", says)
            : new Finding(
                Warn,
                "disk",
                says,
                $"free {DiskNeeded >> 30} GiB: a build and its data need about that much"
            );
    }

    /// <summary>
    /// Money is decided by PostgreSQL's clock and by the services'; on one machine they are one clock.
    /// </summary>
    private static async Task<Finding> ClockAsync(Checkout checkout, CancellationToken cancel)
    {
        var now = DateTimeOffset.UtcNow;
        var built = File.GetLastWriteTimeUtc(Path.Combine(checkout.Root, "LocalPlus.sln"));
        if (built > now.UtcDateTime + ClockTolerance)
        {
            return new Finding(
                Warn,
                "clock",
                $"{now:u} is before this checkout was made",
                "set the clock: tokens and expiry depend on it"
            );
        }

        if (StackState.Running(checkout) is not { } state)
        {
            return new Finding(Ok, "clock", $"{now:u}");
        }

        var answer = await new Postgres(checkout, state.Ports, new Secrets(checkout)).QueryAsync(
            "SELECT extract(epoch FROM clock_timestamp())::bigint",
            cancel
        );
        return
            long.TryParse(answer.Output, CultureInfo.InvariantCulture, out var epoch)
            && (DateTimeOffset.FromUnixTimeSeconds(epoch) - now).Duration() < ClockTolerance
            ? new Finding(Ok, "clock", $"{now:u}, PostgreSQL agrees")
            : new Finding(
                Fail,
                "clock",
                "PostgreSQL's clock differs from this process's",
                "./localplus down && ./localplus up"
            );
    }

    private static async Task<IReadOnlyList<Finding>> DaprPartsAsync(Checkout checkout, CancellationToken cancel)
    {
        return
        [
            Sdk(checkout, "Dapr SDK", "Dapr.Workflow"),
            Sdk(checkout, "gRPC", "Grpc.Net.Client"),
            await SidecarAsync(checkout, cancel),
            new Finding(
                Warn,
                "gateway",
                "stand-in (nginx from the chart's HTTPRoutes)",
                "nothing to do; the Cilium Gateway needs a cluster"
            ),
            await EngineAnswersAsync(cancel)
                ? new Finding(Ok, "test servers", "containers")
                : new Finding(Ok, "test servers", "private processes: no container engine answers"),
        ];
    }

    /// <summary>What answers as giftcard's sidecar; when nothing runs, what would be started.</summary>
    private static async Task<Finding> SidecarAsync(Checkout checkout, CancellationToken cancel)
    {
        if (StackState.Running(checkout) is not { } state)
        {
            return Daprd.Choose(null) is { } daprd
                ? new Finding(Ok, "sidecar", $"not running; `up` takes {daprd}")
                : new Finding(
                    Warn,
                    "sidecar",
                    "not running; `up` takes the stand-in (compat/sidecar)",
                    "nothing to do; the official one: dapr init --slim"
                );
        }

        var version = await Probes.SidecarVersionAsync(
            state.Ports.DaprHttp("giftcard"),
            new Secrets(checkout).DaprApiToken,
            cancel
        );
        return (version, state.Options) switch
        {
            (null, { BackingOnly: true }) => new Finding(Warn, "sidecar", "none answers", "dapr run -f ."),
            (null, _) => new Finding(Warn, "sidecar", "none answers", "./localplus status"),
            (_, { BackingOnly: true }) => new Finding(Ok, "sidecar", $"{version}, started by `dapr run`"),
            (_, { Daprd: null }) => new Finding(
                Warn,
                "sidecar",
                $"stand-in, as {version}, all in one process",
                "nothing to do"
            ),
            (_, { Daprd: { } file }) when Daprd.IsStandIn(file) => new Finding(
                Warn,
                "sidecar",
                $"stand-in, as {version}, {file}",
                "nothing to do"
            ),
            (_, { Daprd: { } file }) => new Finding(Ok, "sidecar", $"official: {version}, {file}"),
        };
    }

    /// <summary>What the built giftcard service loads, which uses all of them.</summary>
    private static Finding Sdk(Checkout checkout, string subject, string assembly)
    {
        var built = Configurations
            .Select(c => Path.Combine(checkout.Root, "artifacts", "bin", "LocalPlus.Giftcard", c, $"{assembly}.dll"))
            .Where(File.Exists)
            .MaxBy(File.GetLastWriteTimeUtc);
        return built is null
            ? new Finding(Warn, subject, "not built yet", "./localplus up builds it")
            : new Finding(
                Ok,
                subject,
                $"official: {assembly} {FileVersionInfo.GetVersionInfo(built).ProductVersion?.Split('+')[0]}"
            );
    }

    private static async Task<bool> EngineAnswersAsync(CancellationToken cancel)
    {
        if (!File.Exists("/var/run/docker.sock"))
        {
            return false;
        }

        try
        {
            using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            await socket.ConnectAsync(new UnixDomainSocketEndPoint("/var/run/docker.sock"), cancel);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
