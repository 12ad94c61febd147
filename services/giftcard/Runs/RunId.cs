using LocalPlus.Kernel;
using LocalPlus.Workflows;

namespace LocalPlus.Giftcard.Runs;

/// <summary>
/// The workflow instance of a redemption's n-th run: the redemption's own id, and for runs that replace a lost one the
/// id with its generation, because an engine may still hold the old one.
/// </summary>
internal static class RunId
{
    /// <summary>Which definition a run follows.</summary>
    public static string Definition(bool decidedAtOnce) =>
        decidedAtOnce ? nameof(ImmediateRedemptionV1) : nameof(RedemptionV1);

    public static string Of(RedemptionId id, int generation) => generation <= 1 ? id.ToString() : $"{id}-g{generation}";
}

/// <summary>The states of a run, as they stand in SQL.</summary>
[StoredAsText]
internal enum RunState
{
    Pending,
    Started,
    Waiting,
    Suspended,
    Finished,
    Failed,
    Lost,
    Terminated,
}
