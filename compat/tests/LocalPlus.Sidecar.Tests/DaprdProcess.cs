using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using LocalPlus.Servers;

namespace LocalPlus.Sidecar.Tests;

/// <summary>The sidecar as a process of its own, with nothing in its environment.</summary>
internal sealed class DaprdProcess : IAsyncDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("daprd-tests-").FullName;
    private readonly Process process;

    private DaprdProcess(string resources, int appPort, string[] flags)
    {
        File.WriteAllText(Path.Combine(folder, "all.yaml"), resources);
        var dotnet = Path.GetFullPath(
            Path.Combine(Path.GetDirectoryName(typeof(object).Assembly.Location)!, "../../../dotnet")
        );
        string[] arguments =
        [
            Path.Combine(AppContext.BaseDirectory, "daprd.dll"),
            "--app-id",
            "process",
            "--resources-path",
            folder,
            "--log-as-json",
            "--dapr-http-port",
            $"{HttpPort}",
            "--dapr-grpc-port",
            $"{FreePort.Next()}",
            "--dapr-internal-grpc-port",
            $"{FreePort.Next()}",
            "--metrics-port",
            "0",
            .. appPort > 0 ? (string[])["--app-port", $"{appPort}"] : [],
            .. flags,
        ];
        var start = new ProcessStartInfo(dotnet, arguments)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment.Clear();
        process = Process.Start(start)!;
        process.OutputDataReceived += (_, line) => Keep(line.Data);
        process.ErrorDataReceived += (_, line) => Keep(line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        Http = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{HttpPort}") };
    }

    public int HttpPort { get; } = FreePort.Next();

    public HttpClient Http { get; }

    public ConcurrentQueue<string> Log { get; } = new();

    public bool HasExited => process.HasExited;

    public static async Task<DaprdProcess> StartAsync(string resources, int appPort = 0, params string[] flags)
    {
        var daprd = new DaprdProcess(resources, appPort, flags);
        await SidecarUnderTest.UntilAsync(async () =>
        {
            try
            {
                return (await daprd.Http.GetAsync("/v1.0/healthz")).StatusCode == HttpStatusCode.NoContent;
            }
            catch (HttpRequestException)
            {
                return daprd.HasExited ? throw new InvalidOperationException(string.Join('\n', daprd.Log)) : false;
            }
        });
        return daprd;
    }

    /// <summary>Sends INT, TERM or KILL.</summary>
    public async Task SignalAsync(string name)
    {
        using var kill = Process.Start("kill", ["-" + name, $"{process.Id}"]);
        await kill.WaitForExitAsync();
    }

    public async Task<int> ExitCodeAsync()
    {
        await process.WaitForExitAsync();
        return process.ExitCode;
    }

    private void Keep(string? line)
    {
        if (line is not null)
        {
            Log.Enqueue(line);
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (!process.HasExited)
        {
            process.Kill();
            await process.WaitForExitAsync();
        }
        process.Dispose();
        Http.Dispose();
        Directory.Delete(folder, recursive: true);
    }
}
