using System.Runtime.InteropServices;
using System.Text.Json;

namespace LocalPlus.Perf;

/// <summary>
/// Measures one scenario against the running stack: `./localplus bench NAME`. The last line is one JSON object.
/// Exit codes: 0 measured, 1 failed, 2 usage, 3 no such scenario.
/// </summary>
internal static class Program
{
    private static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
    };

    private static async Task<int> Main(string[] args)
    {
        if (args.Length == 0 || Scenarios.Find(args[0]) is not { } scenario)
        {
            await Console.Error.WriteLineAsync($"scenarios: {string.Join(", ", Scenarios.Names)}");
            return args.Length == 0 ? 2 : 3;
        }

        if (BenchOptions.Parse(args[1..]) is not { } options)
        {
            await Console.Error.WriteLineAsync(BenchOptions.Usage);
            return 2;
        }

        using var stop = new CancellationTokenSource();
        using var interrupted = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
        using var terminated = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
        try
        {
            var result = await scenario(options, stop.Token);
            if (!options.JsonOnly)
            {
                result.Tell();
            }

            Console.WriteLine(JsonSerializer.Serialize(result, Json));
            return result.Sound ? 0 : 1;
        }
        catch (BenchException e)
        {
            await Console.Error.WriteLineAsync($"failed: {e.Message}");
            return 1;
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            await Console.Error.WriteLineAsync("stopped; what the bench had started is gone");
            return 1;
        }

        // What a scenario has started ends before this process does.
        void Stop(PosixSignalContext signal)
        {
            signal.Cancel = true;
            stop.Cancel();
        }
    }
}
