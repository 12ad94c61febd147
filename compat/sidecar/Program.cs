using System.Runtime.InteropServices;
using LocalPlus.Sidecar.Cli;
using LocalPlus.Sidecar.Resources;
using LocalPlus.Sidecar.Runtime;

// A shell starts what it puts in the background with SIGINT ignored; daprd listens to it all the same.
Signals.HearInterrupt();
var env = Environment
    .GetEnvironmentVariables()
    .Cast<System.Collections.DictionaryEntry>()
    .ToDictionary(e => (string)e.Key, e => (string?)e.Value ?? "", StringComparer.Ordinal);
Command command;
try
{
    command = CommandLine.Parse(args, env);
}
catch (Exception problem)
    when (problem is FlagException or FormatException or IOException or YamlDotNet.Core.YamlException)
{
    await Console.Error.WriteLineAsync(problem.Message);
    return 2;
}
if (command.ShowVersion)
{
    Console.WriteLine(SidecarOptions.RuntimeVersion);
    return 0;
}
return await SidecarProcess.RunAsync(command.Sidecars);

/// <summary>What the runtime has no call for.</summary>
internal static partial class Signals
{
    private const int Interrupt = 2;

    public static void HearInterrupt() => _ = SetHandler(Interrupt, 0);

    [LibraryImport("libc", EntryPoint = "signal")]
    private static partial nint SetHandler(int signal, nint handler);
}

/// <summary>
/// The life of the process: start every sidecar, wait for a signal or a request to stop, stop them all.
/// </summary>
internal static class SidecarProcess
{
    public static async Task<int> RunAsync(IReadOnlyList<SidecarOptions> sidecars)
    {
        var signal = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Catch);
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Catch);
        var host = new SidecarHost();
        var runtimes = new List<SidecarRuntime>();
        try
        {
            foreach (var options in sidecars)
            {
                runtimes.Add(new SidecarRuntime(options, host));
            }
            using var starting = new CancellationTokenSource();
            var started = Task.WhenAll(runtimes.Select(r => r.StartAsync(starting.Token)));
            if (await Task.WhenAny(started, signal.Task) == signal.Task)
            {
                await starting.CancelAsync();
                return 0;
            }
            await started;
        }
        catch (ComponentException problem)
        {
            // Every sidecar has its own logger; a start that failed belongs to none in particular.
            using var logs = SidecarLoggerProvider.Factory(sidecars[0]);
            logs.CreateLogger("dapr.runtime").Fatal(problem.Message);
            return 1;
        }
        var first = await Task.WhenAny(runtimes.Select(r => r.StopRequested).Append(signal.Task));
        var codes = await Task.WhenAll(runtimes.Select(r => r.StopAsync(force: first.Result)));
        if (codes.Max() == 0)
        {
            foreach (var runtime in runtimes)
            {
                await runtime.DisposeAsync();
            }
        }
        return codes.Max();

        void Catch(PosixSignalContext context)
        {
            context.Cancel = true;
            signal.TrySetResult(false);
        }
    }
}
