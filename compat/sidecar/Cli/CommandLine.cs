using System.Globalization;

namespace LocalPlus.Sidecar.Cli;

/// <summary>What the process was asked to do.</summary>
public sealed record Command(bool ShowVersion, IReadOnlyList<SidecarOptions> Sidecars);

/// <summary>Turns daprd's command line, or <c>run --run-file dapr.yaml</c>, into the sidecars to host.</summary>
public static class CommandLine
{
    /// <summary>Reads the arguments. Throws <see cref="FlagException"/> when they cannot be understood.</summary>
    public static Command Parse(IReadOnlyList<string> args, IReadOnlyDictionary<string, string> env)
    {
        var options = FromEnvironment(env);
        var flags = new FlagSet();
        var showVersion = false;
        string? runFile = null;
        var portOffset = 0;
        Declare(flags, options);
        flags.Switch("version", on => showVersion = on);
        flags.Switch("v", on => showVersion = on);
        flags.Value("run-file", path => runFile = path);
        flags.Value("port-offset", text => portOffset = Int(text));
        flags.Parse(args);
        if (showVersion)
        {
            return new Command(true, []);
        }
        if (flags.Arguments is ["run", ..])
        {
            var file = runFile ?? throw new FlagException("run needs --run-file");
            return new Command(false, RunFile.Load(file, portOffset, options));
        }
        if (options.AppId.Length == 0)
        {
            options.AppId = env.GetValueOrDefault("APP_ID", "");
        }
        return new Command(false, [options]);
    }

    /// <summary>Settings that come from variables: the namespace and the two tokens.</summary>
    internal static SidecarOptions FromEnvironment(IReadOnlyDictionary<string, string> env)
    {
        var space = env.GetValueOrDefault("NAMESPACE", "");
        return new SidecarOptions
        {
            Env = env,
            Namespace = space.Length == 0 ? "default" : space,
            NamespaceIsSet = space.Length > 0,
            ApiToken = NullIfEmpty(env.GetValueOrDefault("DAPR_API_TOKEN")),
            AppToken = NullIfEmpty(env.GetValueOrDefault("APP_API_TOKEN")),
        };
    }

    private static void Declare(FlagSet flags, SidecarOptions o)
    {
        flags.Value("app-id", v => o.AppId = v);
        flags.Value("app-port", v => o.AppPort = v.Length == 0 ? 0 : Port(v));
        flags.Value("app-protocol", v => o.AppProtocol = Protocol(v));
        flags.Value("app-channel-address", v => o.AppChannelAddress = v.Length == 0 ? o.AppChannelAddress : v);
        flags.Value("app-max-concurrency", v => o.AppMaxConcurrency = Int(v));
        flags.Value("dapr-http-port", v => o.HttpPort = Port(v));
        flags.Value("dapr-grpc-port", v => o.GrpcPort = Port(v));
        flags.Value("dapr-internal-grpc-port", v => o.InternalPort = v.Length == 0 ? 0 : Port(v));
        flags.Value("metrics-port", v => o.MetricsPort = Port(v));
        flags.Value(
            "dapr-listen-addresses",
            v =>
                o.ListenAddresses = [
                    .. v.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries),
                ]
        );
        flags.Value("allowed-origins", v => (o.AllowedOrigins, o.CorsEnabled) = (v, true));
        flags.Value("resources-path", o.ResourcesPaths.Add);
        flags.Value("components-path", o.ResourcesPaths.Add);
        flags.Value("config", v => o.ConfigFiles.AddRange(v.Split(',', StringSplitOptions.RemoveEmptyEntries)));
        flags.Value("max-body-size", v => o.MaxBodyBytes = Quantities.Bytes(v));
        flags.Value(
            "dapr-http-max-request-size",
            v => o.MaxBodyBytes = Int(v) < 0 ? o.MaxBodyBytes : (long)Int(v) << 20
        );
        flags.Value("read-buffer-size", v => o.ReadBufferBytes = (int)Quantities.Bytes(v));
        flags.Value(
            "dapr-http-read-buffer-size",
            v => o.ReadBufferBytes = Int(v) < 0 ? o.ReadBufferBytes : Int(v) << 10
        );
        flags.Switch("enable-app-health-check", v => o.AppHealthCheck = v);
        flags.Value("app-health-check-path", v => o.AppHealthPath = v);
        flags.Value("app-health-probe-interval", v => o.AppHealthInterval = TimeSpan.FromSeconds(Math.Max(1, Int(v))));
        flags.Value(
            "app-health-probe-timeout",
            v => o.AppHealthTimeout = TimeSpan.FromMilliseconds(Math.Max(1, Int(v)))
        );
        flags.Value("app-health-threshold", v => o.AppHealthThreshold = Math.Max(1, Int(v)));
        flags.Value("dapr-graceful-shutdown-seconds", v => o.GracefulShutdown = TimeSpan.FromSeconds(Int(v)));
        flags.Value(
            "dapr-block-shutdown-duration",
            v => o.BlockShutdown = v.Length == 0 ? null : Quantities.Duration(v)
        );
        flags.Value(
            "disable-init-endpoints",
            v => o.DisabledInitEndpoints.UnionWith(v.Split(',', StringSplitOptions.TrimEntries))
        );
        flags.Value("log-level", v => o.LogLevel = v);
        flags.Switch("log-as-json", v => o.LogAsJson = v);
        flags.Switch("enable-api-logging", v => o.ApiLogging = v);
        flags.Ignored(SidecarOptions.AcceptedAndIgnored);
        flags.IgnoredSwitches(SidecarOptions.AcceptedSwitches);
    }

    internal static string Protocol(string value) =>
        value.ToLowerInvariant() switch
        {
            "" => "http",
            "http" or "https" or "h2c" or "grpc" or "grpcs" => value.ToLowerInvariant(),
            _ => throw new FormatException("invalid value for 'app-protocol': can be http, https, h2c, grpc or grpcs"),
        };

    internal static int Int(string text) =>
        int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value)
            ? value
            : throw new FormatException($"strconv.ParseInt: parsing \"{text}\": invalid syntax");

    private static int Port(string text) =>
        Int(text) is var port and >= -1 and <= 65535 ? Math.Max(0, port) : throw new FormatException("not a port");

    private static string? NullIfEmpty(string? text) => string.IsNullOrEmpty(text) ? null : text;
}
