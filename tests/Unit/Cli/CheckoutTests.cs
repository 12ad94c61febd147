using LocalPlus.Cli;

namespace LocalPlus.Tests.Unit.Cli;

public sealed class CheckoutTests : IDisposable
{
    private readonly Checkout _checkout = new(
        Root(),
        Path.Combine(Directory.CreateTempSubdirectory("localplus-cli-").FullName, ".localplus")
    );

    public void Dispose() => Directory.Delete(Path.GetDirectoryName(_checkout.State)!, recursive: true);

    [Fact]
    public void State_files_can_be_read_by_their_owner_only()
    {
        _checkout.MakeState();
        new Secrets(_checkout).Render(new Ports(0));

        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(_checkout.Secrets));
        Assert.Equal(
            UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute,
            File.GetUnixFileMode(_checkout.State)
        );
    }

    [Fact]
    public void Passwords_stay_when_the_ports_change()
    {
        new Secrets(_checkout).Render(new Ports(0));
        var before = File.ReadAllText(_checkout.Secrets);
        new Secrets(_checkout).Render(new Ports(2000));
        var after = File.ReadAllText(_checkout.Secrets);

        Assert.Contains("Port=5701;", before, StringComparison.Ordinal);
        Assert.Equal(
            before
                .Replace("Port=5701;", "Port=7701;", StringComparison.Ordinal)
                .Replace("port=5701 ", "port=7701 ", StringComparison.Ordinal)
                .Replace("127.0.0.1:5702", "127.0.0.1:7702", StringComparison.Ordinal)
                .Replace("\"5703\"", "\"7703\"", StringComparison.Ordinal),
            after
        );
    }

    [Fact]
    public void A_torn_state_file_counts_as_absent()
    {
        _checkout.WriteText(StackState.File, "{\"supervisor\": 12");

        Assert.Null(StackState.Last(_checkout));
    }

    [Fact]
    public void The_rendered_run_file_moves_every_port_and_names_this_checkouts_paths()
    {
        DaprRunFile.Render(_checkout, new Ports(3000), new StackOptions("Release", null, BackingOnly: false));

        var text = File.ReadAllText(_checkout.RunFile);
        foreach (var app in Checkout.Apps)
        {
            var ports = new Ports(3000);
            Assert.Contains($"appPort: {ports.App(app)}\n", text, StringComparison.Ordinal);
            Assert.Contains($"daprHTTPPort: {ports.DaprHttp(app)}\n", text, StringComparison.Ordinal);
            Assert.Contains($"daprGRPCPort: {ports.DaprGrpc(app)}\n", text, StringComparison.Ordinal);
            Assert.Contains($"metricsPort: {ports.Metrics(app)}\n", text, StringComparison.Ordinal);
            Assert.Contains($"daprInternalGRPCPort: {ports.DaprInternal(app)}\n", text, StringComparison.Ordinal);
            Assert.Contains($"LP_PUBLIC_PORT: \"{ports.Public(app)}\"", text, StringComparison.Ordinal);
            Assert.Contains($"appDirPath: {_checkout.Root}/services/{app}\n", text, StringComparison.Ordinal);
        }

        Assert.Contains($"- {_checkout.State}/dapr/components\n", text, StringComparison.Ordinal);
        Assert.DoesNotContain("debug", text, StringComparison.Ordinal);
        Assert.DoesNotContain("clouds", text, StringComparison.Ordinal);
        var store = File.ReadAllText(Path.Combine(_checkout.DaprFolder, "components", "secretstore.yaml"));
        Assert.Contains($"\"{_checkout.Secrets}\"", store, StringComparison.Ordinal);
        var configuration = File.ReadAllText(Path.Combine(_checkout.DaprFolder, "config", "config.yaml"));
        Assert.Contains($"connectionString: {_checkout.State}/names.db\n", configuration, StringComparison.Ordinal);
        Assert.Contains($"configFilePath: {_checkout.DaprFolder}/config/config.yaml\n", text, StringComparison.Ordinal);
    }

    private static string Root()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "LocalPlus.sln")))
        {
            folder = folder.Parent ?? throw new InvalidOperationException("The tests run inside the checkout.");
        }

        return folder.FullName;
    }
}
