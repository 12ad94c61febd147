using System.Diagnostics;

namespace LocalPlus.Cli;

/// <summary>
/// Runs fault drills one after the other on one stack. A drill that fails is told with its reason, the stack is put
/// back as it was, and the next one begins.
/// </summary>
internal static class FaultRuns
{
    public const string Suite = "drills";

    /// <summary>`test drills`: all of them on a stack of its own. It runs when it is named.</summary>
    public static IEnumerable<Func<CancellationToken, Task<Score>>> Programs(
        Checkout checkout,
        IReadOnlyList<string> names
    ) =>
        names.Contains(Suite)
            ?
            [
                async cancel =>
                {
                    await using var stack = await DrillStack.StartAsync(checkout, null, cancel);
                    return await RunAsync(stack.Checkout, FaultDrills.All, cancel);
                },
            ]
            : [];

    public static async Task<Score> RunAsync(
        Checkout checkout,
        IReadOnlyList<FaultDrill> drills,
        CancellationToken cancel
    )
    {
        var score = Score.None;
        foreach (var drill in drills)
        {
            score += await RunAsync(checkout, drill, cancel);
        }

        return score;
    }

    public static async Task<Score> RunAsync(Checkout checkout, FaultDrill drill, CancellationToken cancel)
    {
        var clock = Stopwatch.StartNew();
        Narrator.Chapter($"{drill.Name}: {drill.Breaks}");
        try
        {
            var scene = await FaultScene.OpenAsync(checkout, cancel);
            try
            {
                await drill.RunAsync(scene);
            }
            finally
            {
                await scene.DisposeAsync();
            }

            Terminal.Good($"{drill.Name}: {scene.Narrator.Checks} checks hold, in {Terminal.Seconds(clock.Elapsed)}");
            return new Score(1, 0, []);
        }
        catch (Exception failure) when (!cancel.IsCancellationRequested)
        {
            Terminal.Bad($"{drill.Name}, after {Terminal.Seconds(clock.Elapsed)}: {failure.Message}");
            return Score.FailedOnce(
                new Failure(Suite, drill.Name, failure.Message, $"./localplus demo --break {drill.Name}")
            );
        }
    }
}
