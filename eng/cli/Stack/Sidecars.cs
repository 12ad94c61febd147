namespace LocalPlus.Cli;

/// <summary>
/// The sidecars as processes: one for all apps (the stand-in), or one an app with daprd's flags, and then placement and
/// scheduler before them where they are there to be started.
/// </summary>
internal sealed class Sidecars(
    Checkout checkout,
    Ports ports,
    StackOptions options,
    Dictionary<string, string?> environment,
    Secrets secrets
)
{
    /// <summary>What all of them are called together, and the beginning of each one's name.</summary>
    public const string Name = "sidecar";

    public const string Placement = "placement";
    public const string Scheduler = "scheduler";

    public IEnumerable<ProcessSpec[]> Stages()
    {
        if (options.Daprd is not { } daprd)
        {
            return
            [
                [Hosted()],
            ];
        }

        ProcessSpec?[] plane =
        [
            ControlPlane(daprd, Placement, PlacementFlags()),
            ControlPlane(daprd, Scheduler, SchedulerFlags()),
        ];
        var control = plane.OfType<ProcessSpec>().ToArray();
        var addresses = new ControlPlaneAddresses(
            Address(daprd, Placement, ports.Placement),
            Address(daprd, Scheduler, ports.Scheduler)
        );
        var sidecars = DaprApp.Read(checkout.RunFile, addresses).Select(app => Own(daprd, app)).ToArray();
        return control.Length > 0 ? [control, sidecars] : [sidecars];
    }

    /// <summary>
    /// What is missing for workflows to run, else null: daprd needs placement and scheduler, from wherever they are
    /// started.
    /// </summary>
    public static async Task<string?> MissingAsync(string daprd, CancellationToken cancel)
    {
        foreach (var (name, port) in new[] { (Placement, Ports.InitPlacement), (Scheduler, Ports.InitScheduler) })
        {
            if (
                !Daprd.IsStandIn(daprd)
                && Daprd.Companion(daprd, name) is null
                && await Probes.ConnectAsync(port, cancel) is not null
            )
            {
                return $"{name} is neither beside {daprd} nor in ~/.dapr/bin, and nothing answers at localhost:{port}";
            }
        }

        return null;
    }

    /// <summary>
    /// Where daprd finds it: the process of this stack, or the one that `dapr init` keeps running in a container.
    /// </summary>
    private static string Address(string daprd, string name, int own) =>
        Daprd.Companion(daprd, name) is not null ? $"127.0.0.1:{own}"
        : name == Placement ? $"localhost:{Ports.InitPlacement}"
        : $"localhost:{Ports.InitScheduler}";

    private ProcessSpec Hosted() =>
        new(
            Name,
            Tools.Dotnet,
            checkout.Assembly("LocalPlus.Sidecar", options.Configuration, "daprd"),
            "run",
            "--run-file",
            checkout.RunFile
        )
        {
            WorkingDirectory = checkout.Root,
            Environment = environment,
            Ports = [.. Checkout.Apps.SelectMany(a => new[] { ports.DaprHttp(a), ports.DaprGrpc(a) })],
            // Outbound only: the rest of a sidecar's health waits for its app, which starts later.
            Probe = async cancel =>
            {
                foreach (var app in Checkout.Apps)
                {
                    if (await OutboundAsync(app, cancel) is { } trouble)
                    {
                        return $"{app}: {trouble}";
                    }
                }

                return null;
            },
        };

    private ProcessSpec Own(string daprd, DaprApp app) =>
        new($"{Name}-{app.Id}", daprd, [.. app.Flags])
        {
            WorkingDirectory = app.Folder,
            Environment = new(environment)
            {
                ["DOTNET_ROOT"] = Tools.DotnetRoot,
                ["APP_API_TOKEN"] = secrets.AppApiToken(app.Id),
            },
            Ports = [ports.DaprHttp(app.Id), ports.DaprGrpc(app.Id)],
            Probe = cancel => OutboundAsync(app.Id, cancel),
        };

    private Task<string?> OutboundAsync(string app, CancellationToken cancel) =>
        Probes.HttpAsync(ports.DaprHttp(app), "/v1.0/healthz/outbound", secrets.DaprApiToken, cancel);

    private static ProcessSpec? ControlPlane(string daprd, string name, ControlPlaneFlags flags) =>
        Daprd.Companion(daprd, name) is not { } file
            ? null
            : new ProcessSpec(name, file, [.. flags.Words])
            {
                WorkingDirectory = flags.Folder,
                Ports = [flags.Port],
                Probe = cancel => Probes.HttpAsync(flags.HealthPort, "/healthz", null, cancel),
                Prepare = _ =>
                {
                    Directory.CreateDirectory(flags.Folder);
                    return Task.CompletedTask;
                },
            };

    /// <summary>Its tables are in memory: sidecars register again.</summary>
    private ControlPlaneFlags PlacementFlags() =>
        new(
            checkout.DaprFolder,
            ports.Placement,
            ports.PlacementHealth,
            [
                "--port",
                $"{ports.Placement}",
                "--listen-address",
                "127.0.0.1",
                "--healthz-port",
                $"{ports.PlacementHealth}",
                "--healthz-listen-address",
                "127.0.0.1",
                "--metrics-port",
                $"{ports.PlacementMetrics}",
                "--initial-cluster",
                $"dapr-placement-0=127.0.0.1:{ports.PlacementRaft}",
            ]
        );

    private ControlPlaneFlags SchedulerFlags()
    {
        // Reminders and jobs live here, so it is data like PostgreSQL's.
        var data = Path.Combine(checkout.State, Scheduler);
        return new(
            data,
            ports.Scheduler,
            ports.SchedulerHealth,
            [
                "--port",
                $"{ports.Scheduler}",
                "--listen-address",
                "127.0.0.1",
                "--healthz-port",
                $"{ports.SchedulerHealth}",
                "--healthz-listen-address",
                "127.0.0.1",
                "--metrics-port",
                $"{ports.SchedulerMetrics}",
                "--override-broadcast-host-port",
                $"127.0.0.1:{ports.Scheduler}",
                "--etcd-data-dir",
                data,
                "--etcd-client-port",
                $"{ports.EtcdClient}",
                "--etcd-initial-cluster",
                $"dapr-scheduler-server-0=http://localhost:{ports.EtcdPeer}",
            ]
        );
    }

    private sealed record ControlPlaneFlags(string Folder, int Port, int HealthPort, IReadOnlyList<string> Words);
}

/// <summary>Where the sidecars find placement and scheduler.</summary>
internal sealed record ControlPlaneAddresses(string Placement, string Scheduler);
