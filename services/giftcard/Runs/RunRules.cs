using LocalPlus.Giftcard.Redemptions;
using LocalPlus.Kernel;

namespace LocalPlus.Giftcard.Runs;

/// <summary>Which states let an operator do what to a run: what is refused and what is foreseen are one.</summary>
internal static class RunRules
{
    public static readonly EnumText<RunState>[] Suspendable = [RunState.Started, RunState.Waiting];

    public static readonly EnumText<RunState>[] Resumable = [RunState.Suspended];

    public static readonly EnumText<RunState>[] Terminable =
    [
        RunState.Pending,
        RunState.Started,
        RunState.Waiting,
        RunState.Suspended,
        RunState.Failed,
    ];

    /// <summary>There is a hold that can be given up.</summary>
    public static bool IsReleasable(RedemptionState state) =>
        state is RedemptionState.Held or RedemptionState.Confirming;

    /// <summary>With what the verb would be refused as things stand; null: it would not.</summary>
    /// <param name="verb">One of <see cref="RunVerbs.OfBulks"/>.</param>
    /// <param name="state">The redemption's.</param>
    /// <param name="run">The newest run's; null: none has begun.</param>
    public static Fault? Foreseen(string verb, RedemptionState state, RunState? run) =>
        state == RedemptionState.Refused
            ? CommonFaults.NotFound
            : verb switch
            {
                "release" => IsReleasable(state) ? null : Faults.RedemptionNotHeld,
                "suspend" => Unless(Suspendable, run),
                "resume" => Unless(Resumable, run),
                "terminate" => state.IsSettled() ? Unless(Terminable, run) : Faults.HoldNotSettled,
                _ => null,
            };

    private static Fault? Unless(EnumText<RunState>[] from, RunState? run) =>
        run is { } state && from.Contains(state) ? null : Faults.RunState;
}
