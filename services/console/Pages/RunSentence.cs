using LocalPlus.Console.Api;
using LocalPlus.Console.Layout;

namespace LocalPlus.Console.Pages;

/// <summary>How a run is, in one plain sentence: what it does, since when, what comes next and why not yet.</summary>
internal static class RunSentence
{
    public static string Of(Run run, Words words) =>
        run.Health switch
        {
            "parked" => words.Format(
                "Parked after {0} attempts: {1}. {2} wait; somebody has to look.",
                run.Attempts,
                Why(run, words),
                run.Requested
            ),
            "stuck" => words.Format(
                "Its run is {0}: {1}. The redemption is {2}.",
                run.RunState,
                Why(run, words),
                run.RedemptionState
            ),
            "retrying" => run.DueAt is { } due
                ? words.Format(
                    "Waiting to try {0} again, attempt {1}, next {2}: {3}.",
                    run.Step ?? "–",
                    run.Attempts + 1,
                    words.Time(due),
                    Why(run, words)
                )
                : words.Format(
                    "Trying {0} again, attempt {1}: {2}.",
                    run.Step ?? "–",
                    run.Attempts + 1,
                    Why(run, words)
                ),
            "suspended" => words["Suspended by an operator; resume it to let it go on."],
            "waiting" => run is { RedemptionState: "held", HoldExpiresAt: { } end }
                ? words.Format("{0} are held until {1}; the till has not confirmed.", run.Approved, words.Time(end))
                : words.Format("Waiting: the redemption is {0}.", run.RedemptionState),
            _ => words.Format("Over: the redemption is {0}, {1} were captured.", run.RedemptionState, run.Captured),
        };

    private static string Why(Run run, Words words) =>
        run.LastError is { Length: > 0 } error ? error : words["no error was kept"];
}
