using System.Globalization;

namespace LocalPlus.Tests.EndToEnd;

/// <summary>
/// The sidecar as one more executable: a daprd with placement and scheduler beside it, a process for each app. This
/// daprd is the stand-in behind a script, which nothing can tell from another daprd; the control plane only says that
/// it is well.
/// </summary>
public sealed class SidecarProcessTests : IAsyncLifetime
{
    private const string ControlPlane = """
        #!/usr/bin/env node
        const port = process.argv[process.argv.indexOf('--healthz-port') + 1];
        require('http').createServer((_, answer) => answer.end('ok')).listen(port, '127.0.0.1');
        """;

    private static readonly string[] Apps = ["ledger", "wallet", "merchant", "giftcard", "notification", "analytics"];

    private readonly CommandLine _localplus = new();
    private readonly string _folder = Directory.CreateTempSubdirectory("localplus-daprd-").FullName;

    public async Task InitializeAsync()
    {
        var standIn = Path.Combine(CommandLine.Root, "artifacts", "bin", "LocalPlus.Sidecar", "debug", "daprd.dll");
        await WriteAsync("daprd", $"#!/usr/bin/env bash\nexec dotnet {standIn} \"$@\"\n");
        await WriteAsync("placement", ControlPlane);
        await WriteAsync("scheduler", ControlPlane);
        await _localplus.MustAsync("up", "--no-build", "--daprd", Path.Combine(_folder, "daprd"));
    }

    public async Task DisposeAsync()
    {
        await _localplus.RunAsync("down");
        _localplus.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task Every_verb_is_the_same_when_each_app_has_a_sidecar_process()
    {
        var status = await _localplus.MustAsync("status");
        Assert.All(
            ["placement", "scheduler", .. Apps.Select(a => $"sidecar-{a}"), .. Apps],
            name => Assert.Matches($@"(?m)^{name} .* ok$", status)
        );
        var giftcard = File.ReadAllText(
                string.Create(CultureInfo.InvariantCulture, $"/proc/{_localplus.PidOf("sidecar-giftcard")}/cmdline")
            )
            .Split('\0');
        Assert.Equal(["--app-id", "giftcard"], giftcard.SkipWhile(word => word != "--app-id").Take(2));
        Assert.Equal(
            ["--scheduler-host-address", $"127.0.0.1:{5714 + _localplus.Offset}"],
            giftcard.SkipWhile(word => word != "--scheduler-host-address").Take(2)
        );

        var told = await _localplus.MustAsync("demo", "--break", "sidecar");
        Assert.All(Apps, app => Assert.Contains($"(sidecar-{app})", told, StringComparison.Ordinal));
        Assert.Contains("nothing lost, nothing doubled", told, StringComparison.Ordinal);

        Assert.Contains("giftcard", await _localplus.MustAsync("logs", "sidecar", "-n", "5"), StringComparison.Ordinal);
        await _localplus.MustAsync("job", "run", "giftcard-cleanup");
        Assert.Contains(
            $"official: 1.18.3, {_folder}/daprd",
            await _localplus.MustAsync("doctor"),
            StringComparison.Ordinal
        );
    }

    private async Task WriteAsync(string name, string script)
    {
        var file = Path.Combine(_folder, name);
        await File.WriteAllTextAsync(file, script);
        File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }
}
