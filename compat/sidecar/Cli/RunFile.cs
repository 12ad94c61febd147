using LocalPlus.Sidecar.Resources;

namespace LocalPlus.Sidecar.Cli;

/// <summary>
/// A multi-app run file (<c>dapr.yaml</c>) as sidecars to host in one process. Paths of the common part count from the
/// file, an app's own from its folder; the applications themselves are started by somebody else.
/// </summary>
internal static class RunFile
{
    public static List<SidecarOptions> Load(string file, int portOffset, SidecarOptions template)
    {
        var folder = Path.GetDirectoryName(Path.GetFullPath(file))!;
        var documents = YamlNode.ParseAll(File.ReadAllText(file));
        var root = documents.Count > 0 ? documents[0] : throw new FlagException($"{file} is empty");
        if (root["version"].Text != "1")
        {
            throw new FlagException($"{file}: version must be 1");
        }
        var sidecars = root["apps"]
            .Items.Select(app => One(app, root["common"], folder, portOffset, template))
            .ToList();
        var twice = sidecars.GroupBy(s => s.AppId, StringComparer.Ordinal).FirstOrDefault(g => g.Count() > 1);
        return twice is null ? sidecars : throw new FlagException($"{file}: app id {twice.Key} is used twice");
    }

    private static SidecarOptions One(YamlNode app, YamlNode common, string folder, int offset, SidecarOptions template)
    {
        var appFolder = Path.GetFullPath(app["appDirPath"].Text ?? ".", folder);
        string? Setting(string name) => app[name].Text ?? common[name].Text;
        int Number(string name, int fallback) => Setting(name) is { } text ? CommandLine.Int(text) : fallback;
        int Port(string name, int fallback) => app[name].Text is { } text ? CommandLine.Int(text) + offset : fallback;

        var env = new Dictionary<string, string>(template.Env, StringComparer.Ordinal);
        foreach (var (name, value) in common["env"].Entries.Concat(app["env"].Entries))
        {
            env[name] = value.Text ?? "";
        }
        var own = CommandLine.FromEnvironment(env);
        return own with
        {
            AppId = app["appID"].Text ?? Path.GetFileName(appFolder.TrimEnd('/')),
            AppPort = Port("appPort", 0),
            AppProtocol = CommandLine.Protocol(Setting("appProtocol") ?? "http"),
            AppChannelAddress = Setting("appChannelAddress") ?? "127.0.0.1",
            AppMaxConcurrency = Number("appMaxConcurrency", -1),
            HttpPort = Port("daprHTTPPort", 0),
            GrpcPort = Port("daprGRPCPort", 0),
            InternalPort = Port("daprInternalGRPCPort", 0),
            MetricsPort = Port("metricsPort", 0),
            ListenAddresses = template.ListenAddresses,
            ResourcesPaths = Resources(app, common, folder, appFolder),
            ConfigFiles = ConfigFile(app, common, folder, appFolder) is { } config ? [config] : template.ConfigFiles,
            MaxBodyBytes = Setting("maxBodySize") is { } size ? Quantities.Bytes(size) : template.MaxBodyBytes,
            ReadBufferBytes = Setting("readBufferSize") is { } buffer
                ? (int)Quantities.Bytes(buffer)
                : template.ReadBufferBytes,
            AppHealthCheck = (Setting("enableAppHealthCheck") ?? "false") == "true",
            AppHealthPath = Setting("appHealthCheckPath") ?? template.AppHealthPath,
            AppHealthInterval = TimeSpan.FromSeconds(
                Number("appHealthProbeInterval", (int)template.AppHealthInterval.TotalSeconds)
            ),
            AppHealthTimeout = TimeSpan.FromMilliseconds(
                Number("appHealthProbeTimeout", (int)template.AppHealthTimeout.TotalMilliseconds)
            ),
            AppHealthThreshold = Number("appHealthThreshold", template.AppHealthThreshold),
            GracefulShutdown = template.GracefulShutdown,
            BlockShutdown = template.BlockShutdown,
            LogLevel = Setting("logLevel") ?? template.LogLevel,
            LogAsJson = template.LogAsJson,
            ApiLogging = Setting("enableApiLogging") is { } logs ? logs == "true" : null,
            WorkingDirectory = appFolder,
        };
    }

    private static List<string> Resources(YamlNode app, YamlNode common, string folder, string appFolder)
    {
        var own = Paths(app, appFolder);
        return own.Count > 0 ? own : Paths(common, folder);

        static List<string> Paths(YamlNode node, string from) =>
            [
                .. node["resourcesPaths"]
                    .Items.Append(node["resourcesPath"])
                    .Where(p => p.Text is not null)
                    .Select(p => Path.GetFullPath(p.Text!, from)),
            ];
    }

    private static string? ConfigFile(YamlNode app, YamlNode common, string folder, string appFolder) =>
        app["configFilePath"].Text is { } own ? Path.GetFullPath(own, appFolder)
        : common["configFilePath"].Text is { } shared ? Path.GetFullPath(shared, folder)
        : null;
}
