using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using LocalPlus.Giftcard.Cards;
using LocalPlus.Giftcard.Redemptions;
using LocalPlus.Hosting;
using LocalPlus.Kernel;
using EventId = LocalPlus.Kernel.EventId;

namespace LocalPlus.Tests.Contract;

/// <summary>What the gift card service publishes is what contracts/events says: every member named there and none besides.</summary>
public sealed class GiftcardEventTests
{
    private static readonly TimeProvider Time = TimeProvider.System;

    [Theory]
    [InlineData("gift_card.activated")]
    [InlineData("gift_card.pin_locked")]
    public void Card_events_follow_their_schema(string type)
    {
        var card = GiftCardId.New(Time);
        var full = new CardEventData(card, ProgramId.New(Time), "7Q2M", 5000, "EUR", CustomerId.New(Time));
        Follows("giftcard.cards.v1", Envelope(type, card.ToString(), full));
        Follows("giftcard.cards.v1", Envelope(type, card.ToString(), full with { Amount = null, CustomerId = null }));
    }

    [Theory]
    [InlineData(RedemptionEvents.Held, "held")]
    [InlineData(RedemptionEvents.Completed, "completed")]
    [InlineData(RedemptionEvents.Cancelled, "cancelled")]
    [InlineData(RedemptionEvents.Expired, "expired")]
    [InlineData(RedemptionEvents.Refunded, "partially_refunded")]
    public void Redemption_events_follow_their_schema(string type, string state)
    {
        var id = RedemptionId.New(Time);
        var data = new RedemptionEventData(
            id, [GiftCardId.New(Time)], 1000, "EUR", LocationId.New(Time), state, "two_phase", "tck-1", 1000, 1000, 0, RefundId.New(Time));
        Follows(RedemptionEvents.Topic, Envelope(type, id.ToString(), data));
        Follows(RedemptionEvents.Topic, Envelope(type, id.ToString(), data with { LocationId = null, Reference = null, RefundId = null }));
    }

    [Fact]
    public void A_member_that_is_not_in_the_schema_is_noticed()
    {
        var card = GiftCardId.New(Time);
        var data = new { gift_card_id = card, program_id = ProgramId.New(Time), last4 = "7Q2M", currency = "EUR", code = "secret" };
        Assert.ThrowsAny<Xunit.Sdk.XunitException>(() => Follows("giftcard.cards.v1", Envelope("gift_card.activated", card.ToString(), data)));
    }

    private static JsonNode Envelope<T>(string type, string key, T data) => JsonSerializer.SerializeToNode(
        new EventEnvelope<T>(EventId.New(Time), type, key, 3, MerchantId.New(Time), Time.GetUtcNow(), data), StrictJson.Options)!;

    private static void Follows(string topic, JsonNode value)
    {
        var folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "LocalPlus.sln")))
        {
            folder = Path.GetDirectoryName(folder)!;
        }

        Check(JsonNode.Parse(File.ReadAllText(Path.Combine(folder, "contracts", "events", $"{topic}.json")))!, value, "");
    }

    /// <summary>The part of JSON Schema that contracts/events uses; members that a schema does not name are refused.</summary>
    private static void Check(JsonNode schema, JsonNode value, string path)
    {
        if (schema["enum"] is JsonArray values)
        {
            Assert.True(values.Any(v => JsonNode.DeepEquals(v, value)), $"{path}: {value} is not one of {values}");
        }

        switch ((string?)schema["type"])
        {
            case "object":
                var members = value.AsObject();
                var known = schema["properties"]!.AsObject();
                Assert.All(schema["required"]!.AsArray(), name => Assert.True(members.ContainsKey((string)name!), $"{path}/{name} is missing"));
                Assert.All(members, m => Assert.True(known.ContainsKey(m.Key), $"{path}/{m.Key} is not in the schema"));
                Assert.All(members, m => Check(known[m.Key]!, m.Value!, $"{path}/{m.Key}"));
                break;
            case "array":
                Assert.All(value.AsArray(), item => Check(schema["items"]!, item!, $"{path}/-"));
                break;
            case "integer":
                Assert.True(value.AsValue().TryGetValue<long>(out var number) && number >= ((long?)schema["minimum"] ?? long.MinValue), path);
                break;
            case "string" when schema["pattern"] is { } pattern:
                Assert.Matches(new Regex((string)pattern!, RegexOptions.ExplicitCapture, TimeSpan.FromSeconds(1)), (string)value!);
                break;
        }
    }
}
