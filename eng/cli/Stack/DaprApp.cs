using YamlDotNet.Serialization;
using YamlDotNet.Serialization.NamingConventions;

namespace LocalPlus.Cli;

/// <summary>An app of the rendered run file: its folder, and what `dapr run -f` would call its daprd with.</summary>
internal sealed record DaprApp(string Id, string Folder, IReadOnlyList<string> Flags)
{
    /// <summary>
    /// As the Dapr CLI 1.18 maps them: flag and value are two words; what is not said here is daprd's default.
    /// </summary>
    public static IReadOnlyList<DaprApp> Read(string runFile, ControlPlaneAddresses control)
    {
        var file = new DeserializerBuilder()
            .WithNamingConvention(CamelCaseNamingConvention.Instance)
            .IgnoreUnmatchedProperties()
            .Build()
            .Deserialize<RunFile>(File.ReadAllText(runFile));
        return [.. file.Apps.Select(app => new DaprApp(app.Id, app.AppDirPath, FlagsOf(file.Common, app, control)))];
    }

    private static string[] FlagsOf(CommonPart common, AppPart app, ControlPlaneAddresses control) =>
        [
            "--config",
            common.ConfigFilePath,
            "--app-protocol",
            common.AppProtocol,
            "--app-max-concurrency",
            "-1",
            "--placement-host-address",
            control.Placement,
            .. common.ResourcesPaths.SelectMany(path => new[] { "--resources-path", path }),
            "--max-body-size",
            "4Mi",
            "--read-buffer-size",
            "4Ki",
            .. common.EnableAppHealthCheck ? HealthFlags(common) : [],
            "--scheduler-host-address",
            control.Scheduler,
            "--app-id",
            app.Id,
            "--app-port",
            $"{app.AppPort}",
            "--dapr-http-port",
            $"{app.HttpPort}",
            "--dapr-grpc-port",
            $"{app.GrpcPort}",
            "--profile-port",
            "-1",
            "--metrics-port",
            $"{app.MetricsPort}",
            "--dapr-internal-grpc-port",
            $"{app.InternalPort}",
        ];

    private static string[] HealthFlags(CommonPart common) =>
        [
            "--enable-app-health-check",
            "--app-health-check-path",
            common.AppHealthCheckPath,
            "--app-health-probe-interval",
            $"{common.AppHealthProbeInterval}",
            "--app-health-probe-timeout",
            $"{common.AppHealthProbeTimeout}",
            "--app-health-threshold",
            $"{common.AppHealthThreshold}",
        ];

    private sealed class RunFile
    {
        public CommonPart Common { get; init; } = new();

        public List<AppPart> Apps { get; init; } = [];
    }

    private sealed class CommonPart
    {
        public List<string> ResourcesPaths { get; init; } = [];

        public string ConfigFilePath { get; init; } = "";

        public string AppProtocol { get; init; } = "";

        public bool EnableAppHealthCheck { get; init; }

        public string AppHealthCheckPath { get; init; } = "";

        public int AppHealthProbeInterval { get; init; }

        public int AppHealthProbeTimeout { get; init; }

        public int AppHealthThreshold { get; init; }
    }

    private sealed class AppPart
    {
        [YamlMember(Alias = "appID", ApplyNamingConventions = false)]
        public string Id { get; init; } = "";

        public string AppDirPath { get; init; } = "";

        public int AppPort { get; init; }

        [YamlMember(Alias = "daprHTTPPort", ApplyNamingConventions = false)]
        public int HttpPort { get; init; }

        [YamlMember(Alias = "daprGRPCPort", ApplyNamingConventions = false)]
        public int GrpcPort { get; init; }

        public int MetricsPort { get; init; }

        [YamlMember(Alias = "daprInternalGRPCPort", ApplyNamingConventions = false)]
        public int InternalPort { get; init; }
    }
}
