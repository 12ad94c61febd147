using LocalPlus.Giftcard.Cards;
using LocalPlus.Giftcard.Programs;
using LocalPlus.Giftcard.Redemptions;
using LocalPlus.Kernel;

namespace LocalPlus.Tests.Contract;

/// <summary>
/// What the gift card service publishes is what contracts/events says: every member named there and none besides.
/// </summary>
public sealed class GiftcardEventTests
{
    private static readonly TimeProvider Time = TimeProvider.System;

    [Theory]
    [InlineData("gift_card.activated")]
    [InlineData("gift_card.delivery_due")]
    [InlineData("gift_card.expiring")]
    [InlineData("gift_card.imported")]
    [InlineData("gift_card.pin_locked")]
    public void Card_events_follow_their_schema(string type)
    {
        var card = GiftCardId.New(Time);
        var full = new CardEventData(
            card,
            ProgramId.New(Time),
            "7Q2M",
            5000,
            "EUR",
            CustomerId.New(Time),
            "activate",
            LocationId.New(Time),
            TerminalId.New(Time),
            Time.GetUtcNow(),
            5000
        );
        EventSchema.Follows("giftcard.cards.v1", EventSchema.Envelope(type, card.ToString(), full));
        EventSchema.Follows(
            "giftcard.cards.v1",
            EventSchema.Envelope(
                type,
                card.ToString(),
                full with
                {
                    Amount = null,
                    CustomerId = null,
                    Activity = null,
                    LocationId = null,
                    TerminalId = null,
                    ExpiresAt = null,
                    Balance = null,
                }
            )
        );
    }

    [Theory]
    [InlineData("active")]
    [InlineData("closed")]
    public void A_changed_programme_follows_its_schema(string status)
    {
        var program = ProgramId.New(Time);
        EventSchema.Follows(
            ProgramChanged.Topic,
            EventSchema.Envelope("program.changed", program.ToString(), new ProgramChanged(program, status))
        );
    }

    [Theory]
    [InlineData(RedemptionEvents.Held, "held")]
    [InlineData(RedemptionEvents.Completed, "completed")]
    [InlineData(RedemptionEvents.Cancelled, "cancelled")]
    [InlineData(RedemptionEvents.Expired, "expired")]
    [InlineData(RedemptionEvents.Refunded, "partially_refunded")]
    [InlineData(RedemptionEvents.NotificationSkipped, "completed")]
    public void Redemption_events_follow_their_schema(string type, string state)
    {
        var id = RedemptionId.New(Time);
        var data = new RedemptionEventData(
            id,
            [GiftCardId.New(Time)],
            1000,
            "EUR",
            LocationId.New(Time),
            state,
            "two_phase",
            "tck-1",
            1000,
            1000,
            0,
            [new(GiftCardId.New(Time), 1000, ProgramId.New(Time))],
            RefundId.New(Time),
            Notify: false,
            TerminalId: TerminalId.New(Time)
        );
        EventSchema.Follows(RedemptionEvents.Topic, EventSchema.Envelope(type, id.ToString(), data));
        EventSchema.Follows(
            RedemptionEvents.Topic,
            EventSchema.Envelope(
                type,
                id.ToString(),
                data with
                {
                    LocationId = null,
                    Reference = null,
                    RefundId = null,
                    Notify = null,
                    TerminalId = null,
                }
            )
        );
    }

    [Fact]
    public void A_member_that_is_not_in_the_schema_is_noticed()
    {
        var card = GiftCardId.New(Time);
        var data = new
        {
            gift_card_id = card,
            program_id = ProgramId.New(Time),
            last4 = "7Q2M",
            currency = "EUR",
            code = "secret",
        };
        Assert.ThrowsAny<Xunit.Sdk.XunitException>(() =>
            EventSchema.Follows("giftcard.cards.v1", EventSchema.Envelope("gift_card.activated", card.ToString(), data))
        );
    }
}
