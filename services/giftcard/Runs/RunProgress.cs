using LocalPlus.Giftcard.Redemptions;
using LocalPlus.Workflows;

namespace LocalPlus.Giftcard.Runs;

/// <summary>What a run does next, from what SQL says. Pure.</summary>
internal static class RunProgress
{
    /// <summary>When a run that nobody rang looks again: soon, later, then only when the hold runs out.</summary>
    private static readonly int[] PollSeconds = [30, 120];

    public static RedemptionProgress Of(
        EnumText<RedemptionState> state,
        DateTimeOffset? driveAfter,
        DateTimeOffset? holdExpiresAt,
        int round,
        DateTimeOffset now
    )
    {
        if (state.Value.IsSettled())
        {
            return new(state.ToString(), RedemptionNext.Finish);
        }

        if (state.Value is RedemptionState.Confirming or RedemptionState.Releasing)
        {
            // While its own request may still be at it, that is left alone.
            var left = driveAfter is { } lease && lease > now ? Seconds(lease - now) : 0;
            return left > 0
                ? new(state.ToString(), RedemptionNext.Wait, left)
                : new(state.ToString(), RedemptionNext.Settle);
        }

        var untilExpiry = holdExpiresAt is { } expiry
            ? Seconds(expiry + GiftcardLimits.HoldGrace - now)
            : PollSeconds[0];
        var pause = round < PollSeconds.Length ? Math.Min(PollSeconds[round], untilExpiry) : untilExpiry;
        return new(state.ToString(), RedemptionNext.Wait, Math.Max(1, pause));
    }

    private static int Seconds(TimeSpan time) => (int)Math.Clamp(Math.Ceiling(time.TotalSeconds), 0, int.MaxValue);
}
