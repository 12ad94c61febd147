using System.Diagnostics;
using Xunit;

namespace LocalPlus.Compat.Sdk.Tests.Grpc;

/// <summary>Brings the official gRPC for Node once and runs it; needs npm.</summary>
internal static class NodePeer
{
    private static readonly TimeSpan InstallTimeout = TimeSpan.FromMinutes(3);
    private static readonly string Folder = Path.Combine(AppContext.BaseDirectory, "peer");
    private static readonly Lazy<Task> Installed = new(InstallAsync);

    public static async Task<Process> StartAsync(string mode, params string[] arguments)
    {
        await Installed.Value;
        return Start("node", ["peer.mjs", mode, Path.Combine(AppContext.BaseDirectory, "echo.proto"), .. arguments]);
    }

    private static async Task InstallAsync()
    {
        if (Directory.Exists(Path.Combine(Folder, "node_modules", "@grpc", "grpc-js")))
        {
            return;
        }

        using var install = Start("npm", ["install", "--no-audit", "--no-fund", "--ignore-scripts"]);
        using var limit = new CancellationTokenSource(InstallTimeout);
        var output = install.StandardOutput.ReadToEndAsync(limit.Token);
        var errors = install.StandardError.ReadToEndAsync(limit.Token);
        await install.WaitForExitAsync(limit.Token);
        Assert.True(install.ExitCode == 0, $"npm install failed:\n{await output}{await errors}");
    }

    private static Process Start(string program, string[] arguments) => Process.Start(new ProcessStartInfo(program, arguments)
    {
        WorkingDirectory = Folder,
        RedirectStandardInput = true,
        RedirectStandardOutput = true,
        RedirectStandardError = true,
    })!;
}
