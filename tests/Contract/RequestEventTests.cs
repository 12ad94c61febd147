using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Tests.Contract;

public sealed class RequestEventTests
{
    [Theory]
    [InlineData("analytics.requests.v1")]
    [InlineData("giftcard.requests.v1")]
    [InlineData("ledger.requests.v1")]
    [InlineData("merchant.requests.v1")]
    [InlineData("notification.requests.v1")]
    [InlineData("wallet.requests.v1")]
    public void What_a_service_tells_of_requests_follows_its_schema(string topic)
    {
        var plain = new LoggedRequest(
            EventId.New(TimeProvider.System),
            MerchantId.New(TimeProvider.System),
            "0af7651916cd43dd8448eb211c80319c",
            "key_1",
            "POST",
            "/v1/redemptions",
            "/v1/redemptions",
            201,
            12,
            TimeProvider.System.GetUtcNow()
        );
        var batch = new RequestBatch([
            plain,
            plain with
            {
                Status = 422,
                Code = "insufficient_balance",
                Bytes = 300,
                Address = "203.0.113.0/24",
            },
        ]);
        EventSchema.Follows(topic, EventSchema.Envelope(RequestBatch.EventType, plain.RequestId, batch));
    }
}
