namespace LocalPlus.Cli;

/// <summary>
/// What runs, in stages: each stage starts when the one before it does its work. Everybody who wants to know what
/// belongs to the stack and whether it is well (supervisor, up, status, doctor) asks here.
/// </summary>
internal sealed class LocalStack
{
    /// <summary>Gateway path that nginx answers by itself.</summary>
    public const string GatewayHealth = "/healthz";

    private static readonly TimeSpan SecondCompilation = TimeSpan.FromMinutes(1);
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
        ProcessSpec[] dashboard = options.Dashboard ? [Dashboard.Spec(checkout, ports)] : [];
        List<ProcessSpec[]> stages =
        [
            [Database(), Valkey(), Smtp(), Identity(), Gateway(), .. dashboard],
        ];
        if (!options.BackingOnly)
        {
            var trust = ValkeyDoor.IsAskedFor(options) ? ValkeyDoor.Certificate(checkout) : null;
            stages.AddRange(
                new Sidecars(checkout, ports, options, Shared((ValkeyDoor.Trust, trust)), _secrets).Stages()
            );
            stages.Add([.. Checkout.Apps.Select(Service)]);
        }

        // Last, so that nobody is found missing who has not come yet.
        if (options.Observe)
        {
            stages.Add(new Observe(checkout, ports, _secrets).Specs());
        }

        Stages = stages;
    }

    public IReadOnlyList<ProcessSpec[]> Stages { get; }

    public IEnumerable<ProcessSpec> All => Stages.SelectMany(s => s);

    /// <summary>Asks everything at once; the ready stack gives an empty answer, and has then served a caller.</summary>
    public async Task<IReadOnlyDictionary<string, string>> TroublesAsync(CancellationToken cancel)
    {
        var answers = await Task.WhenAll(All.Select(async s => (s.Name, Trouble: await s.Probe(cancel))));
        var troubles = answers.Where(a => a.Trouble is not null).ToDictionary(a => a.Name, a => a.Trouble!);
        if (
            troubles.Count == 0
            && !_options.BackingOnly
            && await Served.TroubleAsync(_checkout, _ports, cancel) is { } unserved
        )
        {
            troubles["gateway"] = unserved;
        }

        return troubles;
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

    private ProcessSpec Valkey() =>
        new("valkey", Tools.Must("valkey-server"), Path.Combine(_checkout.State, "valkey", "valkey.conf"))
        {
            Ports = ValkeyDoor.IsAskedFor(_options) ? [_ports.Valkey, _ports.ValkeyTls] : [_ports.Valkey],
            Prepare = _ =>
            {
                var folder = Path.Combine(_checkout.State, "valkey");
                // In a file, because a command line can be read by everybody on the machine. It holds streams, so it
                // may refuse to grow but never evict.
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
                    {(ValkeyDoor.IsAskedFor(_options) ? ValkeyDoor.Open(_checkout, _ports, _secrets) : "")}

                    """
                );
                return Task.CompletedTask;
            },
            Probe = cancel =>
                Probes.LineAsync(_ports.Valkey, $"AUTH {_secrets.ValkeyPassword}\r\nPING\r\n", "+OK", cancel),
        };

    private ProcessSpec Smtp() =>
        new(
            "smtp",
            Tools.Dotnet,
            _checkout.Assembly("LocalPlus.LocalMail", _options.Configuration),
            $"{_ports.Smtp}",
            $"{_ports.MailPage}",
            _checkout.Mail
        )
        {
            Environment = Start(),
            Ports = [_ports.Smtp, _ports.MailPage],
            Probe = async cancel =>
                await Probes.LineAsync(_ports.Smtp, null, "220", cancel)
                ?? await Probes.HttpAsync(_ports.MailPage, "/", null, cancel),
        };

    private ProcessSpec Identity() =>
        new(
            "identity",
            Tools.Dotnet,
            _checkout.Assembly("LocalPlus.Identity", _options.Configuration),
            "--port",
            $"{_ports.Identity}",
            "--issuer",
            Operators.Issuer,
            "--key",
            Operators.KeyPath(_checkout),
            "--base",
            _ports.GatewayUrl
        )
        {
            Environment = Start(),
            Ports = [_ports.Identity],
            Probe = cancel => Probes.HttpAsync(_ports.Identity, "/healthz", null, cancel),
        };

    private ProcessSpec Gateway() =>
        new(
            "gateway",
            Tools.Must("nginx"),
            "-p",
            _checkout.GatewayFolder,
            "-c",
            "nginx.conf",
            "-e",
            "stderr",
            "-g",
            "daemon off;"
        )
        {
            Ports = [_ports.Gateway],
            StopSignal = ProcessIdentity.SigQuit,
            Prepare = async cancel =>
            {
                var backends = Checkout.Apps.SelectMany(a =>
                    new[] { "--backend", $"svc-{a}:8080=127.0.0.1:{_ports.Public(a)}" }
                );
                var generate = new Command(
                    Tools.Dotnet,
                    [
                        _checkout.Assembly("LocalPlus.Gateway", _options.Configuration),
                        "--routes",
                        Path.Combine(_checkout.Root, "charts", "localplus", "files", "httproutes.yaml"),
                        "--listen",
                        $"127.0.0.1:{_ports.Gateway}",
                        "--out",
                        _checkout.GatewayFolder,
                        .. backends,
                    ]
                );
                var result = await generate.RunAsync(cancel);
                if (result.ExitCode != 0)
                {
                    throw new CliFailure(
                        ExitCodes.Failed,
                        $"the gateway's routes do not translate: {result.Tail(5)}",
                        "compat/gateway/README.md"
                    );
                }
            },
            Probe = cancel => Probes.HttpAsync(_ports.Gateway, GatewayHealth, null, cancel),
        };

    /// <summary>A service as this stack runs it, or would if `dapr run` did not.</summary>
    public ProcessSpec Service(string app)
    {
        var project = Project(app);
        return new ProcessSpec(app, Tools.Dotnet, _checkout.Assembly(project, _options.Configuration))
        {
            WorkingDirectory = Path.Combine(_checkout.Root, "services", app),
            Environment = Shared(
                ("APP_ID", app),
                ("APP_API_TOKEN", _secrets.AppApiToken(app)),
                ("APP_PORT", $"{_ports.App(app)}"),
                ("APP_PROTOCOL", "h2c"),
                ("DAPR_HTTP_PORT", $"{_ports.DaprHttp(app)}"),
                ("DAPR_GRPC_PORT", $"{_ports.DaprGrpc(app)}"),
                ("LP_METRICS_PORT", _options.Observe ? $"{_ports.Figures(app)}" : null),
                ("LP_PUBLIC_PORT", $"{_ports.Public(app)}"),
                ("LP_JWKS", _checkout.Jwks),
                ("LP_CHECKPOINTS", app == "ledger" ? _checkout.Checkpoints : null),
                // A merchant's receiver may run on this machine, which no service in production would send to.
                ("LP_WEBHOOK_LOOPBACK", app == "notification" ? "allow" : null),
                (
                    "ASPNETCORE_ENVIRONMENT",
                    _options.Failpoints ? "Development"
                    : app == "notification" ? "Local"
                    : null
                ),
                ("LP_API_URL", app == "console" ? _ports.GatewayUrl : null),
                ("LP_MAIL_SERVER", app == "notification" ? $"127.0.0.1:{_ports.Smtp}" : null),
                ("LP_MAIL_FROM", app == "notification" ? "LocalPlus <no-reply@localplus.local>" : null),
                ("LP_PUBLIC_URL", app is "console" or "notification" ? _ports.GatewayUrl : null),
                ("LP_OIDC_PROVIDER", app == "console" ? _ports.IdentityUrl : null)
            ),
            Ports =
            [
                _ports.Public(app),
                _ports.App(app),
                .. _options.Observe ? [_ports.Figures(app)] : Array.Empty<int>(),
            ],
            Probe = async cancel =>
                await Probes.HttpAsync(_ports.Public(app), "/readyz", null, cancel)
                ?? await Probes.HttpAsync(_ports.DaprHttp(app), "/v1.0/healthz", _secrets.DaprApiToken, cancel),
        };
    }

    /// <summary>
    /// Ten processes start at once. To measure code and to compile it a second time, which pays off under load,
    /// costs two fifths of that in a debug build; there it begins when a process has met nothing new for a while.
    /// </summary>
    private Dictionary<string, string?> Start() =>
        _options.Configuration != "Debug"
            ? []
            : new()
            {
                ["DOTNET_TieredPGO"] = "0",
                // The runtime reads hexadecimal digits.
                ["DOTNET_TC_CallCountingDelayMs"] = $"{(int)SecondCompilation.TotalMilliseconds:X}",
            };

    private static string Project(string app) => $"LocalPlus.{char.ToUpperInvariant(app[0])}{app[1..]}";

    /// <summary>Nothing of the caller's web settings leaks in; telemetry goes out only when asked for.</summary>
    private Dictionary<string, string?> Shared(params (string Name, string? Value)[] more)
    {
        var environment = new Dictionary<string, string?>(Start())
        {
            ["ASPNETCORE_URLS"] = null,
            ["ASPNETCORE_HTTP_PORTS"] = null,
            ["ASPNETCORE_ENVIRONMENT"] = _options.Failpoints ? "Development" : null,
            ["LP_FAILPOINTS"] = _options.Failpoints ? "" : null,
            ["DOTNET_ENVIRONMENT"] = null,
            ["OTEL_EXPORTER_OTLP_ENDPOINT"] = _options.Otlp ?? (_options.Dashboard ? Dashboard.Otlp(_ports) : null),
            ["LP_LOG"] = "text",
            ["LP_OIDC_ISSUER"] = Operators.Issuer,
            ["LP_OIDC_AUDIENCE"] = Operators.Audience,
            ["DAPR_API_TOKEN"] = _secrets.DaprApiToken,
        };
        foreach (var (name, value) in more)
        {
            environment[name] = value;
        }

        return environment;
    }
}
