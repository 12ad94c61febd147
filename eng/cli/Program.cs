using System.Runtime.InteropServices;

namespace LocalPlus.Cli;

internal static class Program
{
    private static async Task<int> Main(string[] args)
    {
        using var stop = new CancellationTokenSource();
        void Cancel(PosixSignalContext signal)
        {
            signal.Cancel = true;
            stop.Cancel();
        }

        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Cancel);
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Cancel);
        try
        {
            return await Verbs.RunAsync(args, stop.Token);
        }
        catch (CliFailure failure)
        {
            Terminal.Failure(failure.Message, failure.Next);
            return failure.ExitCode;
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            Terminal.Failure("interrupted", "run the same command again; every verb may be repeated");
            return ExitCodes.Failed;
        }
        catch (Exception bug) when (Environment.GetEnvironmentVariable("LP_TRACE") is null or "")
        {
            Terminal.Failure(
                bug.Message,
                $"LP_TRACE=1 ./localplus {string.Join(' ', args)} shows where; ./localplus doctor"
            );
            return ExitCodes.Failed;
        }
    }
}
