using System.Diagnostics;
using LocalPlus.Sidecar.Valkey;

namespace LocalPlus.Sidecar.Tests;

/// <summary>A Valkey that keeps what it acknowledged, so that it can go away and come back.</summary>
internal sealed class TestValkey : IAsyncDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("valkey-tests-").FullName;
    private Process? process;

    public int Port { get; } = SidecarUnderTest.FreePort();

    public static async Task<TestValkey> StartAsync()
    {
        var valkey = new TestValkey();
        await valkey.BeginAsync();
        return valkey;
    }

    public async Task BeginAsync()
    {
        process = Process.Start(new ProcessStartInfo(
            "valkey-server", ["--port", $"{Port}", "--bind", "127.0.0.1", "--save", "", "--appendonly", "yes", "--appendfsync", "always", "--dir", folder])
        {
            RedirectStandardOutput = true,
        })!;
        process.BeginOutputReadLine();
        await using var client = Connect();
        await SidecarUnderTest.UntilAsync(async () =>
        {
            try
            {
                await client.PingAsync(CancellationToken.None);
                return true;
            }
            catch (ValkeyException)
            {
                return false;
            }
        });
    }

    public async Task KillAsync()
    {
        process!.Kill();
        await process.WaitForExitAsync();
        process.Dispose();
        process = null;
    }

    public ValkeyClient Connect() => new(new ValkeySettings("127.0.0.1", Port, null, null, 0, Tls: false));

    public async ValueTask DisposeAsync()
    {
        if (process is not null)
        {
            await KillAsync();
        }
        Directory.Delete(folder, recursive: true);
    }
}
