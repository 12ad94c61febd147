using System.Diagnostics;

namespace LocalPlus.Tests.EndToEnd;

/// <summary>
/// Services and sidecars that somebody else has started beside `up --backing`, as `dapr run -f .` does: without a token
/// for the sidecars' API, in Development, and never started again. The stand-in takes the place of the Dapr CLI.
/// </summary>
[Trait("Run", "named")]
public sealed class DaprRunTests : IAsyncLifetime
{
    private static readonly (string Id, string Assembly)[] Apps =
    [
        ("ledger", "LocalPlus.Ledger"),
        ("wallet", "LocalPlus.Wallet"),
        ("merchant", "LocalPlus.Merchant"),
        ("giftcard", "LocalPlus.Giftcard"),
        ("notification", "LocalPlus.Notification"),
        ("analytics", "LocalPlus.Analytics"),
    ];

    private readonly CommandLine _localplus = new();
    private readonly List<Process> _processes = [];

    public async Task InitializeAsync()
    {
        await _localplus.MustAsync("up", "--backing", "--no-build");
        Start(
            "LocalPlus.Sidecar",
            "daprd",
            CommandLine.Root,
            [],
            "run",
            "--run-file",
            Path.Combine(_localplus.State, "dapr", "dapr.yaml")
        );
        for (var i = 0; i < Apps.Length; i++)
        {
            var (id, assembly) = Apps[i];
            int Port(int family) => family + i + 1 + _localplus.Offset;
            Start(
                assembly,
                assembly,
                Path.Combine(CommandLine.Root, "services", id),
                new()
                {
                    ["APP_ID"] = id,
                    ["APP_PORT"] = $"{Port(5200)}",
                    ["APP_PROTOCOL"] = "h2c",
                    ["DAPR_HTTP_PORT"] = $"{Port(5300)}",
                    ["DAPR_GRPC_PORT"] = $"{Port(5400)}",
                    ["LP_PUBLIC_PORT"] = $"{Port(5100)}",
                    ["LP_JWKS"] = Path.Combine(_localplus.State, "jwks.json"),
                    ["ASPNETCORE_ENVIRONMENT"] = "Development",
                    ["LP_WEBHOOK_LOOPBACK"] = "allow",
                }
            );
        }
    }

    public async Task DisposeAsync()
    {
        foreach (var process in _processes)
        {
            process.Kill(entireProcessTree: true);
            await process.WaitForExitAsync();
            process.Dispose();
        }

        await _localplus.RunAsync("down");
        _localplus.Dispose();
    }

    [Fact]
    public async Task Demo_and_jobs_work_beside_dapr_run_and_say_what_is_not_killed()
    {
        await _localplus.UntilAsync(
            "demo finds the services",
            async () => (await _localplus.RunAsync("job", "run", "giftcard-cleanup")).ExitCode == 0
        );

        var told = await _localplus.MustAsync("demo");
        Assert.Contains("ledger is not supervised here", told, StringComparison.Ordinal);
        Assert.Contains("nothing lost, nothing doubled", told, StringComparison.Ordinal);
        Assert.DoesNotContain("kill -9", told, StringComparison.Ordinal);
        Assert.Contains("started by `dapr run`", await _localplus.MustAsync("doctor"), StringComparison.Ordinal);
    }

    private void Start(
        string project,
        string assembly,
        string folder,
        Dictionary<string, string?> environment,
        params string[] words
    )
    {
        var info = new ProcessStartInfo(
            "dotnet",
            [Path.Combine(CommandLine.Root, "artifacts", "bin", project, "debug", $"{assembly}.dll"), .. words]
        )
        {
            WorkingDirectory = folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var (name, value) in environment)
        {
            info.Environment[name] = value;
        }

        var process = Process.Start(info)!;
        process.OutputDataReceived += (_, _) => { };
        process.ErrorDataReceived += (_, _) => { };
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        _processes.Add(process);
    }
}
