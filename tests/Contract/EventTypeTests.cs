using System.Text.Json.Nodes;
using LocalPlus.Kernel;
using LocalPlus.Notification.Events;
using LocalPlus.Notification.Webhooks;

namespace LocalPlus.Tests.Contract;

public sealed class EventTypeTests
{
    /// <summary>A filter that is refused, or never met, is found here and not by a merchant.</summary>
    [Theory]
    [InlineData("giftcard.cards.v1")]
    [InlineData("giftcard.redemptions.v1")]
    [InlineData("ledger.transactions.v1")]
    [InlineData("merchant.onboarded.v1")]
    [InlineData("notification.webhooks.v1")]
    public void Merchants_may_ask_for_every_type_of_a_topic_that_they_are_told_of(string topic) =>
        Assert.All(
            JsonNode.Parse(EventSchema.Read(topic))!["properties"]!["type"]!["enum"]!.AsArray(),
            type => Assert.True(EventTypes.IsKnown((string)type!), $"{type} is not one of EventTypes")
        );

    [Theory]
    [InlineData("gift_card.*", true)]
    [InlineData("ledger.transaction.*", true)]
    [InlineData("gift_card.sold", false)]
    [InlineData("gift_card.", false)]
    [InlineData("gift.*", false)]
    [InlineData("*", false)]
    [InlineData("", false)]
    public void A_filter_names_a_type_or_a_kind_that_there_is(string filter, bool known) =>
        Assert.Equal(known, EventTypes.IsKnown(filter));

    [Fact]
    public void A_test_event_follows_its_schema()
    {
        var endpoint = WebhookId.New(TimeProvider.System);
        EventSchema.Follows(
            TestWebhookEndpoint.EventTopic,
            EventSchema.Envelope(
                TestWebhookEndpoint.EventType,
                endpoint.ToString(),
                new TestWebhookEndpoint.Tested(endpoint)
            )
        );
    }
}
