using LocalPlus.Hosting;
using LocalPlus.Merchant.Audit;

namespace LocalPlus.Tests.Contract;

public sealed class AuditEventTests
{
    [Fact]
    public void A_signed_chain_follows_its_schema() =>
        EventSchema.Follows(
            AuditCheckpointSigned.Topic,
            EventSchema.Envelope(
                AuditCheckpointSigned.Type,
                "localplus.local/audit/1",
                new AuditCheckpointSigned("localplus.local/audit/1", 7, new byte[32], "note")
            )
        );

    [Theory]
    [InlineData("analytics.audit.v1")]
    [InlineData("giftcard.audit.v1")]
    [InlineData("ledger.audit.v1")]
    [InlineData("merchant.audit.v1")]
    [InlineData("notification.audit.v1")]
    [InlineData("wallet.audit.v1")]
    public void What_a_service_tells_of_deeds_follows_its_schema(string topic)
    {
        Follows(
            new(
                "merchant.suspend",
                AuditEntry.Operator,
                "ops@example.test",
                "0af7651916cd43dd8448eb211c80319c",
                "mrc_1",
                "operator",
                "203.0.113.0/24",
                "complaints",
                [new("status", "active", "suspended"), new("name")]
            )
        );
        Follows(new("customer.export", AuditEntry.Key, "key_1", "r"));

        void Follows(AuditEntry entry) =>
            EventSchema.Follows(topic, EventSchema.Envelope(AuditEntry.EventType, entry.Target ?? entry.Actor, entry));
    }
}
