namespace LocalPlus.Sidecar.Cli;

/// <summary>What one sidecar is told on its command line, or by its entry in a run file.</summary>
public sealed record SidecarOptions
{
    /// <summary>The version that the stand-in behaves like; clients and the CLI ask for it.</summary>
    public const string RuntimeVersion = "1.18.3";

    public string AppId { get; set; } = "";

    /// <summary>The Dapr namespace: the variable NAMESPACE, else "default".</summary>
    public string Namespace { get; set; } = "default";

    /// <summary>Whether NAMESPACE was set: only then are resources of other namespaces left out.</summary>
    public bool NamespaceIsSet { get; set; }

    /// <summary>0 = no application.</summary>
    public int AppPort { get; set; }

    /// <summary>http, https, h2c, grpc or grpcs.</summary>
    public string AppProtocol { get; set; } = "http";

    public string AppChannelAddress { get; set; } = "127.0.0.1";

    /// <summary>-1 and 0 = no limit.</summary>
    public int AppMaxConcurrency { get; set; } = -1;

    public int HttpPort { get; set; } = 3500;

    public int GrpcPort { get; set; } = 50001;

    /// <summary>Where other sidecars hand over calls for this application; 0 = any free port.</summary>
    public int InternalPort { get; set; }

    /// <summary>0 = no metrics page.</summary>
    public int MetricsPort { get; set; } = 9090;

    /// <summary>Loopback unless told otherwise.</summary>
    public List<string> ListenAddresses { get; set; } = ["127.0.0.1", "[::1]"];

    public string AllowedOrigins { get; set; } = "*";

    /// <summary>True when --allowed-origins was named: without it no CORS header is ever sent.</summary>
    public bool CorsEnabled { get; set; }

    public List<string> ResourcesPaths { get; set; } = [];

    public List<string> ConfigFiles { get; set; } = [];

    public long MaxBodyBytes { get; set; } = 4 << 20;

    public int ReadBufferBytes { get; set; } = 4 << 10;

    public bool AppHealthCheck { get; set; }

    public string AppHealthPath { get; set; } = "/healthz";

    public TimeSpan AppHealthInterval { get; set; } = TimeSpan.FromSeconds(5);

    public TimeSpan AppHealthTimeout { get; set; } = TimeSpan.FromMilliseconds(500);

    public int AppHealthThreshold { get; set; } = 3;

    public TimeSpan GracefulShutdown { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>How long a stop waits with the API still up; null = not at all.</summary>
    public TimeSpan? BlockShutdown { get; set; }

    /// <summary>Init endpoints of the application that are not asked: config, subscribe.</summary>
    public HashSet<string> DisabledInitEndpoints { get; set; } = new(StringComparer.Ordinal);

    public string LogLevel { get; set; } = "info";

    public bool LogAsJson { get; set; }

    /// <summary>Null = as the Configuration says.</summary>
    public bool? ApiLogging { get; set; }

    /// <summary>Callers of the API must show it; null = open.</summary>
    public string? ApiToken { get; set; }

    /// <summary>Shown to the application with every call.</summary>
    public string? AppToken { get; set; }

    /// <summary>Relative paths in resources count from here.</summary>
    public string WorkingDirectory { get; set; } = Environment.CurrentDirectory;

    /// <summary>Environment of this sidecar (a run file may add to the process's own).</summary>
    public IReadOnlyDictionary<string, string> Env { get; set; } =
        new Dictionary<string, string>(StringComparer.Ordinal);

    /// <summary>
    /// Only these are accepted by the stand-in and change nothing: no control plane, no mTLS, no profiling.
    /// </summary>
    internal static readonly string[] AcceptedAndIgnored =
    [
        "mode",
        "dapr-public-port",
        "dapr-public-listen-address",
        "dapr-internal-grpc-listen-address",
        "profile-port",
        "control-plane-address",
        "sentry-address",
        "control-plane-trust-domain",
        "control-plane-namespace",
        "trust-anchors-file",
        "placement-host-address",
        "scheduler-host-address",
        "actors-service",
        "reminders-service",
        "unix-domain-socket",
        "metrics-listen-address",
        "app-binding-options-timeout",
        "scheduler-stream-concurrency",
        "kubeconfig",
        "issuer-credentials",
        "trust-anchors",
    ];

    internal static readonly string[] AcceptedSwitches =
    [
        "enable-mtls",
        "enable-profiling",
        "enable-metrics",
        "app-ssl",
        "disable-builtin-k8s-secret-store",
        "wait",
        "build-info",
    ];
}
