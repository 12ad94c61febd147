using System.Diagnostics;
using System.Globalization;

namespace LocalPlus.Perf;

/// <summary>
/// A second process of a service beside the stack's: its database and sidecar, a bound and caches of its own.
/// Callers reach it at its address; the gateway knows one of a service.
/// </summary>
internal sealed class ServiceReplica : IAsyncDisposable
{
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(60);
    private readonly Process _process;

    private ServiceReplica(Process process, int port) => (_process, Address) = (process, $"http://127.0.0.1:{port}");

    public string Address { get; }

    /// <summary>What it shows to Prometheus.</summary>
    public string Metrics { get; } = $"http://127.0.0.1:{Api.Setting("LP_BENCH_METRICS_PORT")}/metrics";

    /// <param name="app">A service, e.g. giftcard.</param>
    public static async Task<ServiceReplica> StartAsync(
        string app,
        CancellationToken cancel,
        params (string Name, string Value)[] settings
    )
    {
        string Of(string name) => Api.Setting($"LP_{app.ToUpperInvariant()}_{name}");
        var port = int.Parse(Api.Setting("LP_BENCH_PORT"), CultureInfo.InvariantCulture);
        var start = new ProcessStartInfo("dotnet", [Of("ASSEMBLY")])
        {
            RedirectStandardOutput = true,
            Environment =
            {
                ["APP_ID"] = app,
                ["APP_PORT"] = $"{port + 1}",
                ["LP_PUBLIC_PORT"] = $"{port}",
                ["LP_METRICS_PORT"] = Api.Setting("LP_BENCH_METRICS_PORT"),
                ["APP_API_TOKEN"] = Of("APP_TOKEN"),
                ["DAPR_HTTP_PORT"] = Of("DAPR_HTTP"),
                ["DAPR_GRPC_PORT"] = Of("DAPR_GRPC"),
                // It has no operators.
                ["LP_OIDC_ISSUER"] = "https://localhost",
                ["LP_OIDC_AUDIENCE"] = "localhost",
                ["LP_JWKS"] = "https://localhost",
            },
        };
        foreach (var (name, value) in settings)
        {
            start.Environment[name] = value;
        }

        var process = Process.Start(start)!;
        process.OutputDataReceived += (_, line) => Trace.WriteLine(line.Data);
        process.BeginOutputReadLine();
        // Its time is not the generator's.
        Environment.SetEnvironmentVariable("LP_PROCESSES", $"{Api.Setting("LP_PROCESSES")},{app}-2={process.Id}");
        var replica = new ServiceReplica(process, port);
        await replica.WaitAsync(app, cancel);
        return replica;
    }

    public async ValueTask DisposeAsync()
    {
        await Signals.SendAsync("TERM", _process.Id);
        await _process.WaitForExitAsync();
        _process.Dispose();
    }

    private async Task WaitAsync(string app, CancellationToken cancel)
    {
        using var http = new HttpClient { BaseAddress = new Uri(Address) };
        var clock = Stopwatch.StartNew();
        while (clock.Elapsed < StartLimit && !_process.HasExited)
        {
            try
            {
                using var answer = await http.GetAsync(new Uri("/readyz", UriKind.Relative), cancel);
                if (answer.IsSuccessStatusCode)
                {
                    return;
                }
            }
            catch (HttpRequestException)
            {
                // Not listening yet.
            }

            await Task.Delay(TimeSpan.FromMilliseconds(100), cancel);
        }

        throw new BenchException($"a second {app} was not ready within {StartLimit.TotalSeconds:0} s");
    }
}

internal static class Signals
{
    public static async Task SendAsync(string signal, int process)
    {
        using var kill = Process.Start("kill", [$"-{signal}", $"{process}"]);
        await kill.WaitForExitAsync();
    }
}
