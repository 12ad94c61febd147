using LocalPlus.Sidecar.Runtime;
using LocalPlus.Sidecar.Valkey;

namespace LocalPlus.Sidecar.PubSub;

/// <summary>
/// Acknowledges a topic's messages, one command at a time: what is done while one is out goes with the next.
/// </summary>
internal sealed class RedisAcks(string topic, string group, ValkeyClient client, ILogger log) : IDisposable
{
    private readonly Lock gate = new();
    private readonly SemaphoreSlim turn = new(1, 1);
    private Batch next = new();

    /// <summary>Returns when Valkey was told, or could not be: then the message comes again.</summary>
    public async Task AddAsync(string id)
    {
        Batch batch;
        bool isFirst;
        lock (gate)
        {
            batch = next;
            isFirst = batch.Ids.Count == 0;
            batch.Ids.Add(id);
        }
        if (!isFirst)
        {
            await batch.Sent.Task;
            return;
        }
        await turn.WaitAsync();
        lock (gate)
        {
            next = new Batch();
        }
        try
        {
            await client.ExecuteAsync(["XACK", topic, group, .. batch.Ids.Select(i => (RespArg)i)]);
        }
        catch (ValkeyException problem)
        {
            var rest = batch.Ids.Count - 1;
            log.AckFailed(rest == 0 ? id : $"{id} and {rest} more", topic, problem.Message);
        }
        finally
        {
            turn.Release();
            batch.Sent.TrySetResult();
        }
    }

    public void Dispose() => turn.Dispose();

    private sealed class Batch
    {
        public List<string> Ids { get; } = [];

        public TaskCompletionSource Sent { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
