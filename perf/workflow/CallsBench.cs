using System.Diagnostics;

namespace LocalPlus.Perf.Workflow;

/// <summary>
/// Calls of one kind over 64 connections. <paramref name="Ratio"/> compares with the real daprd on its own machine;
/// <paramref name="FairRatio"/> takes out what the machine and the generator make of it, by the call of the app itself.
/// </summary>
internal sealed record CallFigures(
    string Call,
    double PerSecond,
    double P50Ms,
    double P99Ms,
    double DaprdPerSecond,
    double Ratio,
    double FairRatio
);

/// <summary>The calls that services make beside their workflows, as the real daprd's were measured.</summary>
internal sealed class CallsBench(BenchStack stack)
{
    private const int Connections = 64;
    private const int Keys = 1024;
    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(1);

    public async Task<List<CallFigures>> MeasureAsync(TimeSpan length, Action<CallFigures> tell)
    {
        var measured = new List<CallFigures>();
        foreach (var (call, port, method, path, body) in Calls())
        {
            await LoadAsync(port, method, path, body, WarmUp);
            var (times, took) = await LoadAsync(port, method, path, body, length);
            var (perSecond, real) = (times.Count / took.TotalSeconds, RealDaprd.CallsPerSecond[call]);
            var direct = measured.Count == 0 ? perSecond : measured[0].PerSecond;
            var figures = new CallFigures(
                call,
                Math.Round(perSecond),
                Ms(times, 0.5),
                Ms(times, 0.99),
                real,
                Math.Round(perSecond / real, 2),
                Math.Round(perSecond / direct / (real / RealDaprd.CallsPerSecond[RealDaprd.AppDirectly]), 2)
            );
            measured.Add(figures);
            tell(figures);
        }

        return measured;
    }

    private IEnumerable<(string Call, int Port, string Method, string Path, Func<int, string?> Body)> Calls()
    {
        var sidecar = stack.Sidecar.HttpPort;
        string? Nothing(int key) => null;
        string? Order(int key) =>
            $$"""{"order":{{key}},"amount":1250,"currency":"EUR","note":"a body of about a hundred bytes, as events have"}""";
        string? Entry(int key) => $$"""[{"key":"k{{key}}","value":{{Order(key)}}}]""";

        yield return (RealDaprd.AppDirectly, stack.AppPort, "POST", "/echo", Order);
        yield return ("healthz", sidecar, "GET", "/v1.0/healthz", Nothing);
        foreach (var (name, store) in BenchStack.StateStores)
        {
            yield return ($"state set, {name}", sidecar, "POST", $"/v1.0/state/{store}", Entry);
            yield return ($"state get, {name}", sidecar, "GET", $"/v1.0/state/{store}/k{{0}}", Nothing);
        }

        yield return ("publish, redis streams", sidecar, "POST", "/v1.0/publish/bench-pubsub/orders", Order);
        yield return (
            "invoke, one sidecar",
            stack.AppSidecar.HttpPort,
            "POST",
            "/v1.0/invoke/bench-app/method/echo",
            Order
        );
        yield return ("invoke, two sidecars", sidecar, "POST", "/v1.0/invoke/bench-app/method/echo", Order);
    }

    private static async Task<(Histogram Times, TimeSpan Took)> LoadAsync(
        int port,
        string method,
        string path,
        Func<int, string?> body,
        TimeSpan length
    )
    {
        var requests = Enumerable
            .Range(0, Keys)
            .Select(key =>
                KeepAlive.Request(method, port, path.Replace("{0}", $"{key}", StringComparison.Ordinal), body(key))
            )
            .ToArray();
        var begun = Stopwatch.GetTimestamp();
        var all = new Histogram();
        foreach (var times in await Task.WhenAll(Enumerable.Range(0, Connections).Select(client => LoopAsync(client))))
        {
            all.Add(times);
        }

        return (all, Stopwatch.GetElapsedTime(begun));

        async Task<Histogram> LoopAsync(int client)
        {
            await Task.Yield();
            using var connection = new KeepAlive();
            await connection.ConnectAsync(port);
            var times = new Histogram();
            for (var number = client; Stopwatch.GetElapsedTime(begun) < length; number += Connections)
            {
                var at = Stopwatch.GetTimestamp();
                if (await connection.SendAsync(requests[number % Keys]) is var status and >= 300)
                {
                    throw new InvalidOperationException($"{method} {path} answered {status}");
                }

                times.Add(Stopwatch.GetElapsedTime(at));
            }

            return times;
        }
    }

    private static double Ms(Histogram times, double share) => Math.Round(times.Percentile(share).TotalMilliseconds, 2);
}
