using LocalPlus.Console.Api;
using LocalPlus.Console.Layout;

namespace LocalPlus.Console.Pages;

/// <summary>Something that operators may do to a run.</summary>
/// <param name="Verb">As the API has it.</param>
/// <param name="Role">The least that is allowed to.</param>
/// <param name="IsGrave">It moves money or can not be taken back.</param>
/// <param name="Fits">Whether it makes sense for a run; the platform decides.</param>
internal sealed record RunVerb(string Verb, string Title, string Role, bool IsGrave, Func<Run, bool> Fits)
{
    public static readonly IReadOnlyList<RunVerb> All =
    [
        new("retry", "Retry now", "operator", false, run => run.Health is "retrying" or "stuck" or "parked"),
        new("reconcile", "Reconcile", "operator", false, run => run.Health is not "ok"),
        new("confirm", "Confirm", "operator", true, run => run.RedemptionState is "held"),
        new("cancel", "Cancel", "operator", true, run => run.RedemptionState is "held"),
        new("extend", "Extend the hold", "operator", false, run => run.RedemptionState is "held"),
        new("suspend", "Suspend", "operator", false, run => run.RunState is "started" or "waiting"),
        new("resume", "Resume", "operator", false, run => run.RunState is "suspended"),
        new("skip", "Skip a step", "admin", true, run => run.Health is "retrying" or "stuck" or "parked"),
        new("release", "Release the hold", "admin", true, run => run.RedemptionState is "held" or "confirming"),
        new(
            "terminate",
            "Terminate the run",
            "admin",
            true,
            run => run.RunState is "started" or "waiting" or "suspended"
        ),
    ];

    /// <summary>How many runs an operator may do something to at once; more are an administrator's.</summary>
    public const int RunsPerOperator = 100;

    /// <summary>What can be done to many runs at once.</summary>
    public static readonly IReadOnlyList<RunVerb> OfBulks =
    [
        .. new[] { "retry", "reconcile", "suspend", "resume", "release", "terminate" }.Select(verb => Find(verb)!),
    ];

    public static RunVerb? Find(string verb) => All.FirstOrDefault(action => action.Verb == verb);

    /// <summary>What happens if that is pressed: the money first, then the state.</summary>
    public static string Effect(RunVerb action, Run run, Words words) => Effect(action, run.Approved.ToString(), words);

    /// <summary>As the other, for many: how much money it is about is said in words.</summary>
    public static string Effect(RunVerb action, string money, Words words) =>
        action.Verb switch
        {
            "retry" => words[
                "No money moves by itself: the step that failed is tried again at once, under its own key."
            ],
            "reconcile" => words[
                "No money moves by itself: SQL, ledger and engine are compared; a lost run starts again."
            ],
            "confirm" => words.Format("{0} leave the card for good and the redemption is completed.", money),
            "cancel" => words.Format("{0} go back to the card and the redemption is cancelled.", money),
            "extend" => words.Format("{0} stay held for longer; nothing is captured.", money),
            "suspend" => words["No money moves: the run stands still until somebody resumes it; tills are served."],
            "resume" => words["The run goes on where it stood."],
            "skip" => words["The step is passed over for good: what it would have done is not done."],
            "release" => words.Format("{0} go back to the card without the till's word.", money),
            _ => words["The run ends; the redemption keeps its state and its money, and no step follows."],
        };

    /// <summary>To be pasted into a terminal.</summary>
    public static string CommandLine(RunVerb action, string id) =>
        $"./localplus runs {action.Verb} {id} --reason \"…\"";
}

/// <summary>Who may do what: each role includes the ones before it.</summary>
internal static class Roles
{
    private static readonly string[] All = ["viewer", "operator", "admin"];

    public static bool Includes(string? role, string needed) => Array.IndexOf(All, role) >= Array.IndexOf(All, needed);
}
