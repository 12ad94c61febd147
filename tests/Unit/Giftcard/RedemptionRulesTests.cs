using LocalPlus.Giftcard.Redemptions;
using LocalPlus.Giftcard.Runs;
using LocalPlus.Workflows;
using Faults = LocalPlus.Giftcard.Faults;

namespace LocalPlus.Tests.Unit.Giftcard;

public sealed class RedemptionRulesTests
{
    private static readonly DateTimeOffset Now = new(2026, 1, 10, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public void A_held_redemption_takes_one_decision()
    {
        Assert.Equal(new Verdict.Decide(100), RedemptionRules.Confirm(Held(), null, Now));
        Assert.Equal(new Verdict.Decide(40), RedemptionRules.Confirm(Held(), 40, Now));
        Assert.Equal(Faults.LimitExceeded, Refusal(RedemptionRules.Confirm(Held(), 101, Now)));
        Assert.Equal(new Verdict.Decide(0), RedemptionRules.Cancel(Held()));
    }

    [Fact]
    public void A_confirm_counts_until_the_grace_is_over()
    {
        Assert.IsType<Verdict.Decide>(RedemptionRules.Confirm(Held(), null, Now.AddSeconds(65)));
        Assert.Equal(Faults.HoldExpired, Refusal(RedemptionRules.Confirm(Held(), null, Now.AddSeconds(66))));
    }

    [Fact]
    public void The_same_confirm_may_come_again_for_ever_and_another_never()
    {
        var confirming = Held() with
        {
            State = RedemptionState.Confirming,
            Decision = Decision.Confirm,
            DecisionAmount = 40,
        };
        Assert.IsType<Verdict.Resume>(RedemptionRules.Confirm(confirming, 40, Now));
        Assert.IsType<Verdict.Resume>(RedemptionRules.Confirm(confirming, null, Now));
        Assert.Equal(Faults.AlreadyConfirmed, Refusal(RedemptionRules.Confirm(confirming, 41, Now)));
        Assert.Equal(Faults.AlreadyConfirmed, Refusal(RedemptionRules.Cancel(confirming)));
        foreach (
            var state in new[]
            {
                RedemptionState.Completed,
                RedemptionState.PartiallyRefunded,
                RedemptionState.Refunded,
            }
        )
        {
            var done = confirming with { State = state, Captured = 40 };
            Assert.IsType<Verdict.Done>(RedemptionRules.Confirm(done, 40, Now.AddDays(400)));
            Assert.Equal(Faults.AlreadyConfirmed, Refusal(RedemptionRules.Confirm(done, 41, Now)));
            Assert.Equal(Faults.AlreadyConfirmed, Refusal(RedemptionRules.Cancel(done)));
        }
    }

    [Fact]
    public void Nothing_revives_what_was_given_up()
    {
        Assert.Equal(
            Faults.AlreadyCancelled,
            Refusal(RedemptionRules.Confirm(Held() with { State = RedemptionState.Cancelled }, null, Now))
        );
        Assert.Equal(
            Faults.HoldExpired,
            Refusal(RedemptionRules.Confirm(Held() with { State = RedemptionState.Expired }, null, Now))
        );
        var releasing = Held() with { State = RedemptionState.Releasing, Decision = Decision.Cancel };
        Assert.Equal(Faults.AlreadyCancelled, Refusal(RedemptionRules.Confirm(releasing, null, Now)));
        Assert.Equal(
            Faults.HoldExpired,
            Refusal(RedemptionRules.Confirm(releasing with { Decision = Decision.Expire }, null, Now))
        );
        Assert.IsType<Verdict.Resume>(RedemptionRules.Cancel(releasing));
        Assert.IsType<Verdict.Done>(RedemptionRules.Cancel(Held() with { State = RedemptionState.Expired }));
        Assert.Equal(
            Faults.RedemptionNotHeld,
            Refusal(RedemptionRules.Cancel(Held() with { State = RedemptionState.Authorizing }))
        );
    }

    [Theory]
    [InlineData(0, 30)]
    [InlineData(1, 120)]
    [InlineData(2, 605)]
    public void A_run_looks_soon_then_later_then_when_the_hold_runs_out(int round, int seconds) =>
        Assert.Equal(
            new RedemptionProgress("held", RedemptionNext.Wait, seconds),
            RunProgress.Of(RedemptionState.Held, null, Now.AddSeconds(600), round, Now)
        );

    [Fact]
    public void A_run_leaves_a_step_to_its_own_request_and_takes_it_over_later()
    {
        Assert.Equal(
            RedemptionNext.Wait,
            RunProgress.Of(RedemptionState.Confirming, Now.AddSeconds(3), Now, 0, Now).Next
        );
        Assert.Equal(
            RedemptionNext.Settle,
            RunProgress.Of(RedemptionState.Confirming, Now.AddSeconds(-1), Now, 0, Now).Next
        );
        Assert.Equal(RedemptionNext.Finish, RunProgress.Of(RedemptionState.Completed, null, null, 0, Now).Next);
    }

    private static Standing Held() => new(RedemptionState.Held, null, null, 100, 0, Now.AddSeconds(60));

    private static LocalPlus.Kernel.Fault Refusal(Verdict verdict) => Assert.IsType<Verdict.Refuse>(verdict).Fault;
}
