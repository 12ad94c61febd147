namespace LocalPlus.Cli;

/// <summary>
/// What runs, in stages: each stage starts when the one before it does its work. Everybody who wants to know what
/// belongs to the stack and whether it is well (supervisor, up, status, doctor) asks here.
/// </summary>
internal sealed class LocalStack
{
    /// <summary>Gateway path that nginx answers by itself.</summary>
    public const string GatewayHealth = "/healthz";

    private readonly Checkout _checkout;
    private readonly Ports _ports;
    private readonly StackOptions _options;
    private readonly Secrets _secrets;

    public LocalStack(Checkout checkout, Ports ports, StackOptions options)
    {
        _checkout = checkout;
        _ports = ports;
        _options = options;
        _secrets = new Secrets(checkout);
        List<ProcessSpec[]> stages = [[Database(), Valkey(), Smtp(), Gateway()]];
        if (options is { BackingOnly: false, RealDapr: true })
        {
            stages.Add([RealDapr()]);
        }
        else if (!options.BackingOnly)
        {
            stages.Add([Sidecar()]);
            stages.Add([.. Checkout.Apps.Select(Service)]);
        }

        Stages = stages;
    }

    public IReadOnlyList<ProcessSpec[]> Stages { get; }

    public IEnumerable<ProcessSpec> All => Stages.SelectMany(s => s);

    /// <summary>Asks everything at once; the ready stack gives an empty answer.</summary>
    public async Task<IReadOnlyDictionary<string, string>> TroublesAsync(CancellationToken cancel)
    {
        var answers = await Task.WhenAll(All.Select(async s => (s.Name, Trouble: await s.Probe(cancel))));
        return answers.Where(a => a.Trouble is not null).ToDictionary(a => a.Name, a => a.Trouble!);
    }

    private ProcessSpec Database()
    {
        var server = new Postgres(_checkout, _ports, _secrets).Spec();
        return server with
        {
            Provision = async cancel =>
            {
                await server.Provision!(cancel);
                await new SchemaMigrations(Checkout.Apps.Select(Service), _ports, _secrets).RunAsync(cancel);
            },
        };
    }

    private ProcessSpec Valkey() => new("valkey", Tools.Must("valkey-server"), Path.Combine(_checkout.State, "valkey", "valkey.conf"))
    {
        Ports = [_ports.Valkey],
        Prepare = _ =>
        {
            var folder = Path.Combine(_checkout.State, "valkey");
            // In a file, because a command line can be read by everybody on the machine. It holds streams, so it may
            // refuse to grow but never evict.
            _checkout.WriteText(
                Path.Combine("valkey", "valkey.conf"),
                $"""
                bind 127.0.0.1
                port {_ports.Valkey}
                requirepass {_secrets.ValkeyPassword}
                dir "{folder}"
                appendonly yes
                save ""
                maxmemory 512mb
                maxmemory-policy noeviction

                """);
            return Task.CompletedTask;
        },
        Probe = cancel => Probes.LineAsync(_ports.Valkey, $"AUTH {_secrets.ValkeyPassword}\r\nPING\r\n", "+OK", cancel),
    };

    private ProcessSpec Smtp() => new(
        "smtp", Tools.Python, "-m", "aiosmtpd", "-n", "-l", $"127.0.0.1:{_ports.Smtp}", "-c", "aiosmtpd.handlers.Mailbox", _checkout.Mail)
    {
        Ports = [_ports.Smtp],
        Probe = cancel => Probes.LineAsync(_ports.Smtp, null, "220", cancel),
    };

    private ProcessSpec Gateway() => new(
        "gateway", Tools.Must("nginx"), "-p", _checkout.GatewayFolder, "-c", "nginx.conf", "-e", "stderr", "-g", "daemon off;")
    {
        Ports = [_ports.Gateway],
        StopSignal = ProcessIdentity.SigQuit,
        Prepare = async cancel =>
        {
            var backends = Checkout.Apps.SelectMany(a => new[] { "--backend", $"svc-{a}:8080=127.0.0.1:{_ports.Public(a)}" });
            var generate = new Command(
                Tools.Dotnet,
                [
                    _checkout.Assembly("LocalPlus.Gateway", _options.Configuration), "--routes",
                    Path.Combine(_checkout.Root, "charts", "localplus", "files", "httproutes.yaml"),
                    "--listen", $"127.0.0.1:{_ports.Gateway}", "--out", _checkout.GatewayFolder, .. backends,
                ]);
            var result = await generate.RunAsync(cancel);
            if (result.ExitCode != 0)
            {
                throw new CliFailure(ExitCodes.Failed, $"the gateway's routes do not translate: {result.Tail(5)}", "compat/gateway/README.md");
            }
        },
        Probe = cancel => Probes.HttpAsync(_ports.Gateway, GatewayHealth, null, cancel),
    };

    private ProcessSpec Sidecar() => new(
        "sidecar", Tools.Dotnet, _checkout.Assembly("LocalPlus.Sidecar", _options.Configuration, "daprd"), "run", "--run-file", _checkout.RunFile)
    {
        WorkingDirectory = _checkout.Root,
        Environment = Shared(),
        Ports = [.. Checkout.Apps.SelectMany(a => new[] { _ports.DaprHttp(a), _ports.DaprGrpc(a) })],
        // Outbound only: the rest of a sidecar's health waits for its app, which starts later.
        Probe = cancel => SidecarsAsync("/v1.0/healthz/outbound", cancel),
    };

    private ProcessSpec Service(string app)
    {
        var project = Project(app);
        return new ProcessSpec(app, Tools.Dotnet, _checkout.Assembly(project, _options.Configuration))
        {
            WorkingDirectory = Path.Combine(_checkout.Root, "services", app),
            Environment = Shared(
                ("APP_ID", app), ("APP_PORT", $"{_ports.App(app)}"), ("APP_PROTOCOL", "h2c"),
                ("DAPR_HTTP_PORT", $"{_ports.DaprHttp(app)}"), ("DAPR_GRPC_PORT", $"{_ports.DaprGrpc(app)}"),
                ("LP_PUBLIC_PORT", $"{_ports.Public(app)}"), ("LP_JWKS", _checkout.Jwks),
                ("LP_CHECKPOINTS", app == "ledger" ? _checkout.Checkpoints : null)),
            Ports = [_ports.Public(app), _ports.App(app)],
            Probe = async cancel => await Probes.HttpAsync(_ports.Public(app), "/readyz", null, cancel)
                ?? await Probes.HttpAsync(_ports.DaprHttp(app), "/v1.0/healthz", _secrets.DaprApiToken, cancel),
        };
    }

    /// <summary>The official CLI starts sidecars and services together; it does not pass an API token of its own.</summary>
    private ProcessSpec RealDapr() => new("dapr", Tools.Must("dapr"), "run", "-f", _checkout.RunFile)
    {
        WorkingDirectory = _checkout.Root,
        Environment = Shared(("DAPR_API_TOKEN", null)),
        Ports = [.. Checkout.Apps.SelectMany(a => new[] { _ports.Public(a), _ports.DaprHttp(a) })],
        Probe = async cancel =>
        {
            foreach (var app in Checkout.Apps)
            {
                if (await Probes.HttpAsync(_ports.Public(app), "/readyz", null, cancel) is { } trouble)
                {
                    return $"{app}: {trouble}";
                }
            }

            return await SidecarsAsync("/v1.0/healthz", cancel);
        },
    };

    private static string Project(string app) => $"LocalPlus.{char.ToUpperInvariant(app[0])}{app[1..]}";

    private async Task<string?> SidecarsAsync(string path, CancellationToken cancel)
    {
        foreach (var app in Checkout.Apps)
        {
            if (await Probes.HttpAsync(_ports.DaprHttp(app), path, _secrets.DaprApiToken, cancel) is { } trouble)
            {
                return $"{app}: {trouble}";
            }
        }

        return null;
    }

    /// <summary>Nothing of the caller's web settings leaks in; telemetry goes out only when asked for.</summary>
    private Dictionary<string, string?> Shared(params (string Name, string? Value)[] more)
    {
        var environment = new Dictionary<string, string?>
        {
            ["ASPNETCORE_URLS"] = null,
            ["ASPNETCORE_HTTP_PORTS"] = null,
            ["ASPNETCORE_ENVIRONMENT"] = _options.Failpoints ? "Development" : null,
            ["LP_FAILPOINTS"] = _options.Failpoints ? "" : null,
            ["DOTNET_ENVIRONMENT"] = null,
            ["OTEL_EXPORTER_OTLP_ENDPOINT"] = _options.Otlp,
            ["APP_API_TOKEN"] = _secrets.AppApiToken,
            ["DAPR_API_TOKEN"] = _secrets.DaprApiToken,
        };
        foreach (var (name, value) in more)
        {
            environment[name] = value;
        }

        return environment;
    }
}
