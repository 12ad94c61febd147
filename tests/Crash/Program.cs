using System.CommandLine;
using System.Runtime.InteropServices;
using System.Text.Json;

namespace LocalPlus.Tests.Crash;

/// <summary>
/// Kills parts of a whole stack of its own: `crash`, the matrix of instants and victims with the outages; `kills`, by
/// chance and under load; `record`, the histories for the replay test. The last line of the first two is "N passed, N
/// failed".
/// </summary>
internal static class Program
{
    private static readonly Option<string> Cells = Verbs.Text(
        "--cell",
        "cells, divided by commas: STEP/INSTANT/VICTIM",
        "CELL"
    );
    private static readonly Option<bool> Short = Verbs.Flag("--short", "ten cells and the outages; eight kills");
    private static readonly Option<int?> Number = Verbs.Number("--kills", "how many");
    private static readonly Option<int?> Seed = Verbs.Number("--seed", "the same kills again");
    private static readonly Option<string> Results = Verbs.Text(
        "--results",
        "where failures are written as JSON",
        "FILE"
    );
    private static readonly Argument<string[]> Names = new("name") { Arity = ArgumentArity.ZeroOrMore };

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
        var root = new RootCommand("Kills parts of a whole stack of its own.")
        {
            Verbs.Define(
                "crash",
                "the crash matrix, and outages that last",
                CrashAsync,
                Cells,
                Short,
                CrashRuns.Recovery,
                Daprd.Option,
                Results
            ),
            Verbs.Define(
                "kills",
                "kills by chance, under load",
                KillsAsync,
                Number,
                Seed,
                Short,
                Daprd.Option,
                Results
            ),
            Verbs.Define("record", "the histories for the replay test", RecordAsync, Names),
        };
        try
        {
            return await root.Parse(args)
                .InvokeAsync(new InvocationConfiguration { EnableDefaultExceptionHandler = false }, stop.Token);
        }
        catch (CliFailure failure)
        {
            Terminal.Failure(failure.Message, failure.Next);
            return failure.ExitCode;
        }
    }

    private static async Task<int> CrashAsync(Invocation call)
    {
        var named = call.Words.GetValue(Cells);
        var cells =
            named is not null ? [.. named.Split(',').SelectMany(Cell.Matching).Distinct()]
            : call.Words.GetValue(Short) ? Cell.Short
            : Cell.All;
        return await CloseAsync(
            call,
            await CrashMatrix.RunAsync(
                call.Checkout,
                call.Words.GetValue(Daprd.Option),
                cells,
                TimeSpan.FromSeconds(call.Words.GetValue(CrashRuns.Recovery) ?? CrashRuns.RecoverySeconds),
                named is null,
                call.Cancel
            )
        );
    }

    private static async Task<int> KillsAsync(Invocation call)
    {
        var kills = call.Words.GetValue(Number) ?? (call.Words.GetValue(Short) ? Kills.Short : Kills.Full);
        var seed = call.Words.GetValue(Seed) ?? Random.Shared.Next(1, int.MaxValue);
        return await CloseAsync(
            call,
            await Kills.RunAsync(call.Checkout, call.Words.GetValue(Daprd.Option), kills, seed, call.Cancel)
        );
    }

    private static async Task<int> RecordAsync(Invocation call)
    {
        await Recordings.RunAsync(call.Checkout, call.Words.GetValue(Names) ?? [], call.Cancel);
        return ExitCodes.Ok;
    }

    private static async Task<int> CloseAsync(Invocation call, Score score)
    {
        if (call.Words.GetValue(Results) is { } file)
        {
            await File.WriteAllTextAsync(file, JsonSerializer.Serialize(score.Failures, Checkout.Json), call.Cancel);
        }

        Terminal.Say($"{score.Passed} passed, {score.Failed} failed");
        return score.Failed == 0 ? ExitCodes.Ok : ExitCodes.Failed;
    }
}
