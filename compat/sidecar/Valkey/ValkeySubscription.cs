using System.Threading.Channels;
using LocalPlus.Sidecar.Runtime;

namespace LocalPlus.Sidecar.Valkey;

/// <summary>A connection that listens to channels and does nothing else.</summary>
internal sealed class ValkeySubscription : IAsyncDisposable
{
    private readonly Channel<(string Channel, string Payload)> messages = Channel.CreateBounded<(string, string)>(
        Limits.MemoryQueue
    );
    private readonly ValkeyConnection connection;

    private ValkeySubscription(ValkeyConnection connection)
    {
        this.connection = connection;
        connection.Pushed = Take;
        connection.Ended = problem => messages.Writer.TryComplete(problem);
    }

    public static async Task<ValkeySubscription> OpenAsync(
        ValkeySettings settings,
        IReadOnlyList<string> channels,
        bool patterns,
        CancellationToken cancel
    )
    {
        var connection = await ValkeyConnection.OpenAsync(settings, Timeout.InfiniteTimeSpan, cancel);
        var subscription = new ValkeySubscription(connection);
        connection.Post([patterns ? "PSUBSCRIBE" : "SUBSCRIBE", .. channels.Select(c => (RespArg)c)]);
        return subscription;
    }

    /// <summary>The next message. Throws <see cref="ValkeyException"/> when the connection is lost.</summary>
    public async ValueTask<(string Channel, string Payload)> NextAsync(CancellationToken cancel)
    {
        try
        {
            return await messages.Reader.ReadAsync(cancel);
        }
        catch (ChannelClosedException problem)
        {
            throw new ValkeyException(problem.InnerException?.Message ?? "connection closed", problem);
        }
    }

    public ValueTask DisposeAsync() => connection.DisposeAsync();

    private void Take(RespValue value)
    {
        var items = value.Items;
        if (items.Length >= 3 && items[0].Text is "message" or "pmessage")
        {
            // A listener that falls so far behind loses notifications, not memory.
            messages.Writer.TryWrite((items[^2].Text, items[^1].Text));
        }
    }
}
