using System.Collections.Concurrent;

namespace LocalPlus.Sidecar.PubSub;

/// <summary>
/// One topic's messages in this sidecar: those fetched and not yet acknowledged, and those that were fetched but not
/// delivered when the subscription ended. The topic outlives its subscriptions, so nothing fetched is forgotten when
/// the application goes away and comes back.
/// </summary>
internal sealed class RedisTopic(string name, RedisAcks acks) : IDisposable
{
    private readonly ConcurrentDictionary<string, long> inFlight = new(StringComparer.Ordinal);
    private readonly ConcurrentQueue<RedisMessage> parked = new();
    private Session? session;
    private int busy;

    public string Name => name;

    /// <summary>The subscription that is open now, or null.</summary>
    public Session? Current => session is { IsOpen: true } open ? open : null;

    /// <summary>True when no message is with a worker or on its way to one.</summary>
    public bool IsIdle => Volatile.Read(ref busy) == 0;

    public Session Open(MessageHandler handler) => session = new Session(handler);

    /// <summary>Ids that are ours although they are pending in Valkey.</summary>
    public bool Holds(string id) => inFlight.ContainsKey(id);

    /// <summary>Ids held for at least so long.</summary>
    public List<string> HeldFor(TimeSpan age)
    {
        var since = Environment.TickCount64 - (long)age.TotalMilliseconds;
        return [.. inFlight.Where(p => p.Value <= since).Select(p => p.Key)];
    }

    /// <summary>False when the message is held already.</summary>
    public bool Begin(RedisMessage message)
    {
        if (!inFlight.TryAdd(message.Id, Environment.TickCount64))
        {
            return false;
        }
        Interlocked.Increment(ref busy);
        return true;
    }

    /// <summary>Acknowledges a message; it is held until then.</summary>
    public async Task EndAsync(string id)
    {
        await acks.AddAsync(id);
        inFlight.TryRemove(id, out _);
        Interlocked.Decrement(ref busy);
    }

    /// <summary>Keeps a message for the next subscription; it stays held, so that nobody claims it meanwhile.</summary>
    public void Park(RedisMessage message)
    {
        parked.Enqueue(message);
        Interlocked.Decrement(ref busy);
    }

    public bool TryUnpark(out RedisMessage message)
    {
        if (!parked.TryDequeue(out message!))
        {
            return false;
        }
        Interlocked.Increment(ref busy);
        return true;
    }

    public void Dispose() => acks.Dispose();

    /// <summary>One subscription of the topic.</summary>
#pragma warning disable CA1001 // The source has no timer and nothing to release, and a late delivery still looks at its token.
    internal sealed class Session(MessageHandler handler)
#pragma warning restore CA1001
    {
        private readonly CancellationTokenSource ending = new();

        public MessageHandler Handler => handler;

        public CancellationToken GiveUp => ending.Token;

        public bool IsOpen => !ending.IsCancellationRequested;

        public Task CloseAsync() => ending.CancelAsync();
    }
}
