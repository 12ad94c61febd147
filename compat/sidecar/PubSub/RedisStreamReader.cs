using LocalPlus.Sidecar.Runtime;
using LocalPlus.Sidecar.Valkey;

namespace LocalPlus.Sidecar.PubSub;

/// <summary>
/// Fetches new messages of all topics of a component over one blocking connection. When the topics change it is woken
/// by CLIENT UNBLOCK; when Valkey is away it tries again with growing pauses.
/// </summary>
internal sealed class RedisStreamReader(RedisPubSub owner, ValkeyClient client, ILogger log) : IDisposable
{
    private static readonly TimeSpan Block = TimeSpan.FromSeconds(5);
    private readonly SemaphoreSlim changed = new(0);
    private long connectionId;

    /// <summary>Makes the reader look at the topics again.</summary>
    public async Task TopicsChangedAsync()
    {
        changed.Release();
        if (Interlocked.Read(ref connectionId) is var id and > 0)
        {
            try
            {
                await client.ExecuteAsync("CLIENT", "UNBLOCK", id);
            }
            catch (ValkeyException)
            {
                // Away: the reader's own connection ends too.
            }
        }
    }

    public void Dispose() => changed.Dispose();

    public async Task RunAsync(CancellationToken cancel)
    {
        var pause = Limits.ReconnectFirst;
        while (!cancel.IsCancellationRequested)
        {
            try
            {
                // A reply later than block and timeout together means a server that is gone.
                await using var connection = await client.OpenAsync(Block + Limits.ValkeyTimeout, cancel);
                Interlocked.Exchange(
                    ref connectionId,
                    (await connection.SendAsync("CLIENT", "ID").WaitAsync(cancel)).OrThrow().Integer
                );
                pause = Limits.ReconnectFirst;
                await ReadAsync(connection, cancel);
            }
            catch (OperationCanceledException) when (cancel.IsCancellationRequested)
            {
                return;
            }
            catch (Exception problem) when (problem is ValkeyException or OperationCanceledException)
            {
                log.ReadFailed(client.Settings.ToString(), problem.Message);
                Interlocked.Exchange(ref connectionId, 0);
                if (!await PauseAsync(pause, cancel))
                {
                    return;
                }
                pause = pause * 2 < Limits.ReconnectLongest ? pause * 2 : Limits.ReconnectLongest;
            }
        }
    }

    private async Task ReadAsync(ValkeyConnection connection, CancellationToken cancel)
    {
        while (true)
        {
            while (changed.Wait(0, cancel))
            {
                // The list below is fresh; older wishes are met with it.
            }
            var topics = owner.Topics.Where(t => t.Current is not null).ToList();
            if (topics.Count == 0)
            {
                await changed.WaitAsync(cancel);
                continue;
            }
            var reply = await connection.SendAsync(Command(topics)).WaitAsync(cancel);
            if (reply.Error is { } error)
            {
                await RecoverAsync(error, topics);
                continue;
            }
            foreach (var stream in reply.Items)
            {
                if (stream.Items is [var name, var messages] && topics.Find(t => t.Name == name.Text) is { } topic)
                {
                    await owner.EnqueueAsync(topic, messages.Items, cancel);
                }
            }
        }
    }

    private RespArg[] Command(List<RedisTopic> topics)
    {
        var command = new List<RespArg>(8 + (topics.Count * 2))
        {
            "XREADGROUP",
            "GROUP",
            owner.Group,
            owner.Group,
            "COUNT",
            owner.QueueDepth,
            "BLOCK",
            (long)Block.TotalMilliseconds,
            "STREAMS",
        };
        command.AddRange(topics.Select(t => (RespArg)t.Name));
        command.AddRange(topics.Select(_ => (RespArg)">"));
        return [.. command];
    }

    /// <summary>A server that forgot its streams gets the groups again; anything else is a failed connection.</summary>
    private async Task RecoverAsync(RespError error, List<RedisTopic> topics)
    {
        if (error.Is("UNBLOCKED"))
        {
            return;
        }
        if (!error.Is("NOGROUP"))
        {
            throw new ValkeyException(error.Message) { FromServer = true };
        }
        foreach (var topic in topics)
        {
            await owner.CreateGroupAsync(topic.Name);
        }
    }

    private static async Task<bool> PauseAsync(TimeSpan pause, CancellationToken cancel)
    {
        try
        {
            await Task.Delay(pause, cancel);
            return true;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }
}
