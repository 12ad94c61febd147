using System.Globalization;
using LocalPlus.Cli;
using LocalPlus.Giftcard;
using LocalPlus.Giftcard.Runs;
using LocalPlus.Hosting;
using LocalPlus.Notification.Mails;

namespace LocalPlus.Tests.Unit;

/// <summary>
/// What a death leaves behind is found by somebody who waits for a lease to end and then for a poll. Added up along
/// each way that is less than a recovery may take, with the time to spare in which processes start again.
/// </summary>
public class RecoveryTests
{
    private static readonly TimeSpan ToSpare = TimeSpan.FromSeconds(1);

    public static TheoryData<string, TimeSpan> Ways =>
        new()
        {
            { "a step whose request died", GiftcardLimits.TakeOver + Sweeper.Pause },
            { "a run whose starter died", RunQueue.Lease + RunStarter.IdlePoll },
            {
                "a run that did not hear what was decided",
                RunReconciler.Late + RunsFeature.ReconcilePause + Sweeper.Pause
            },
            {
                "a decision whose request died, and then its run did not hear of it",
                GiftcardLimits.TakeOver
                    + Sweeper.Pause
                    + RunReconciler.Late
                    + RunsFeature.ReconcilePause
                    + Sweeper.Pause
            },
            { "events whose relay died", OutboxRelay.FollowerPoll },
            { "events whose relay heard nothing of them", OutboxRelay.IdlePoll },
            { "events that the sidecar did not take", OutboxRelay.MaxBackOff },
            { "a mail whose sender died", MailSender.Lease + MailSender.Poll },
        };

    [Theory]
    [MemberData(nameof(Ways))]
    public void Fault_19_What_a_death_leaves_behind_is_found_in_time(string what, TimeSpan waits) =>
        Assert.True(
            waits + ToSpare <= TimeSpan.FromSeconds(CrashRuns.RecoverySeconds),
            string.Create(CultureInfo.InvariantCulture, $"{what}: {waits.TotalSeconds} s")
        );
}
