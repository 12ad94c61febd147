using System.Text.Json.Nodes;

namespace LocalPlus.Cli;

/// <summary>
/// The Aspire Dashboard: takes traces, metrics and logs by OTLP and shows them on a page. A native program out of a
/// package that is restored when it is first asked for. Everything on loopback, so nobody logs in.
/// </summary>
internal static class Dashboard
{
    public const string Name = "dashboard";

    private const string Program = "Aspire.Dashboard";
    private const string Package = "Aspire.Dashboard.Sdk.linux-x64";
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(5);

    /// <summary>Once for each version that is pinned: with the package there, nothing is asked of a feed.</summary>
    public static async Task RestoreAsync(Checkout checkout, CancellationToken cancel)
    {
        if (Find(checkout) is not null)
        {
            return;
        }

        await Terminal.StepAsync(
            "restoring the dashboard",
            async _ =>
            {
                var project = Path.Combine("eng", "dashboard", "LocalPlus.Dashboard.csproj");
                var restore = Builder.Dotnet(checkout, "restore", project, "-v", "quiet") with { Limit = Limit };
                var result = await restore.RunAsync(cancel);
                if (result.ExitCode != 0 || Find(checkout) is null)
                {
                    throw new CliFailure(
                        ExitCodes.Failed,
                        $"the dashboard's package does not restore:\n{result.Tail(5)}",
                        "dotnet restore eng/dashboard; or ./localplus up --otlp URL with a collector of your own"
                    );
                }
            },
            cancel
        );
    }

    public static string Url(Ports ports) => $"http://localhost:{ports.Dashboard}";

    /// <summary>Where services and sidecars send to, over gRPC.</summary>
    public static string Otlp(Ports ports) => $"http://127.0.0.1:{ports.DashboardOtlp}";

    public static ProcessSpec Spec(Checkout checkout, Ports ports)
    {
        var program =
            Find(checkout)
            ?? throw new CliFailure(ExitCodes.NotFound, "the dashboard is not restored", "./localplus up --dashboard");
        return new ProcessSpec(Name, program)
        {
            WorkingDirectory = Path.GetDirectoryName(program),
            Ports = [ports.Dashboard, ports.DashboardOtlp],
            Environment = new()
            {
                ["ASPNETCORE_URLS"] = $"http://127.0.0.1:{ports.Dashboard}",
                ["ASPNETCORE_ENVIRONMENT"] = null,
                ["ASPIRE_DASHBOARD_OTLP_ENDPOINT_URL"] = Otlp(ports),
                ["ASPIRE_DASHBOARD_OTLP_HTTP_ENDPOINT_URL"] = $"http://127.0.0.1:{ports.DashboardOtlpHttp}",
                ["ASPIRE_DASHBOARD_UNSECURED_ALLOW_ANONYMOUS"] = "true",
                ["DOTNET_ROOT"] = Tools.DotnetRoot,
            },
            Probe = cancel => Probes.HttpAsync(ports.Dashboard, "/", null, cancel),
        };
    }

    /// <summary>The program of the version that is locked, or null when it is not restored yet.</summary>
    private static string? Find(Checkout checkout)
    {
        var locked = Path.Combine(checkout.Root, "eng", "dashboard", "packages.lock.json");
        var version = JsonNode
            .Parse(File.ReadAllText(locked))
            ?["dependencies"]?.AsObject()
            .Select(framework => (string?)framework.Value?[Package]?["resolved"])
            .FirstOrDefault(resolved => resolved is not null);
        // NuGet writes the package's marker last: a restore that was interrupted is done again.
        var folder = Path.Combine(checkout.Root, "artifacts", Name, Package.ToLowerInvariant(), $"{version}");
        return !File.Exists(Path.Combine(folder, ".nupkg.metadata"))
            ? null
            : Directory.EnumerateFiles(folder, Program, SearchOption.AllDirectories).FirstOrDefault();
    }
}
