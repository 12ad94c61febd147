using LocalPlus.Hosting;

namespace LocalPlus.Tests.Unit.Hosting;

public class OutboxRelayTests
{
    [Fact]
    public void A_request_has_one_topic_and_no_key_twice_and_keeps_each_keys_order()
    {
        OutboxRow[] rows = [Row(1, "a", "x"), Row(2, "a", "x"), Row(3, "b", "x"), Row(4, "a", "y"), Row(5, "a", "x")];

        var requests = OutboxRelay.Requests(rows).Select(request => request.Select(row => row.Id).ToArray()).ToArray();

        Assert.Equal(
            [
                [1, 4],
                [2],
                [5],
                [3],
            ],
            requests
        );
    }

    [Fact]
    public void A_request_is_bounded()
    {
        var rows = Enumerable.Range(0, (EventPublisher.MaxEntries * 2) + 1).Select(i => Row(i, "a", $"key-{i}"));

        Assert.Equal([100, 100, 1], OutboxRelay.Requests(rows).Select(request => request.Count));
    }

    private static OutboxRow Row(long id, string topic, string key) =>
        new(id, default, topic, "type", key, id, null, "{}", null, DateTimeOffset.UnixEpoch);
}
