using System.Diagnostics;
using System.Globalization;

namespace LocalPlus.Perf.Overload;

/// <summary>
/// A second giftcard beside the stack's: the same database, the same sidecar, a bound of its own. Callers reach it at
/// its address; the gateway knows one of a service.
/// </summary>
internal sealed class GiftcardReplica : IAsyncDisposable
{
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(60);
    private readonly Process _process;

    private GiftcardReplica(Process process, string address) => (_process, Address) = (process, address);

    public string Address { get; }

    public static async Task<GiftcardReplica> StartAsync(CancellationToken cancel)
    {
        var port = int.Parse(Api.Setting("LP_BENCH_PORT"), CultureInfo.InvariantCulture);
        var start = new ProcessStartInfo("dotnet", [Api.Setting("LP_GIFTCARD_ASSEMBLY")])
        {
            RedirectStandardOutput = true,
            Environment =
            {
                ["APP_ID"] = "giftcard",
                ["APP_PORT"] = $"{port + 1}",
                ["LP_PUBLIC_PORT"] = $"{port}",
                ["APP_API_TOKEN"] = Api.Setting("LP_GIFTCARD_APP_TOKEN"),
                ["DAPR_HTTP_PORT"] = Api.Setting("LP_GIFTCARD_DAPR_HTTP"),
                ["DAPR_GRPC_PORT"] = Api.Setting("LP_GIFTCARD_DAPR_GRPC"),
                // It has no operators.
                ["LP_OIDC_ISSUER"] = "https://localhost",
                ["LP_OIDC_AUDIENCE"] = "localhost",
                ["LP_JWKS"] = "https://localhost",
            },
        };
        var process = Process.Start(start)!;
        process.OutputDataReceived += (_, line) => Trace.WriteLine(line.Data);
        process.BeginOutputReadLine();
        // Its time is not the generator's.
        Environment.SetEnvironmentVariable("LP_PROCESSES", $"{Api.Setting("LP_PROCESSES")},giftcard-2={process.Id}");
        var replica = new GiftcardReplica(process, $"http://127.0.0.1:{port}");
        await replica.WaitAsync(cancel);
        return replica;
    }

    public async ValueTask DisposeAsync()
    {
        await Signals.SendAsync("TERM", _process.Id);
        await _process.WaitForExitAsync();
        _process.Dispose();
    }

    private async Task WaitAsync(CancellationToken cancel)
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

        throw new BenchException($"a second giftcard was not ready within {StartLimit.TotalSeconds:0} s");
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
