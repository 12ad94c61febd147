using System.Collections.Concurrent;
using Dapr.Client.Autogen.Grpc.v1;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;

namespace LocalPlus.Tests.Integration.Support;

/// <summary>
/// The sidecar's gRPC API as far as components need it that replicas share: a state store, a broadcast, and a store of
/// configuration.
/// </summary>
internal sealed class StubStateStore
{
    private readonly ConcurrentDictionary<string, (ByteString Value, long Version)> entries = new(
        StringComparer.Ordinal
    );

    private readonly ConcurrentDictionary<string, string> lives = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, string> configuration = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<Guid, IServerStreamWriter<SubscribeConfigurationResponse>> subscribers = [];
    private int calls;

    /// <summary>False makes every call fail, as without the component.</summary>
    public bool Up { get; set; } = true;

    /// <summary>True lets every call wait until its caller gives up, as a server that is stopped does.</summary>
    public bool Frozen { get; set; }

    /// <summary>Calls for state and broadcasts that came, whatever became of them.</summary>
    public int Calls => calls;

    public IEnumerable<string> Keys => entries.Keys;

    /// <summary>Who hears broadcasts: the body as it was published, to each.</summary>
    public ConcurrentBag<Func<string, byte[], Task>> Replicas { get; } = [];

    /// <summary>What happens after a broadcast was taken and before anybody hears it.</summary>
    public Func<Task>? BeforeDelivery { get; set; }

    /// <summary>The server is emptied.</summary>
    public void Flush() => entries.Clear();

    public byte[]? Read(string key) => entries.TryGetValue(key, out var entry) ? entry.Value.ToByteArray() : null;

    /// <summary>How long an entry was to be kept, in seconds; nothing here ends by itself.</summary>
    public string? LifeOf(string key) => lives.GetValueOrDefault(key);

    public void Write(string key, byte[] value) => entries[key] = (ByteString.CopyFrom(value), 1);

    /// <summary>Sets a value of configuration, or takes it back, and tells those who subscribed.</summary>
    public async Task ConfigureAsync(string key, string? value)
    {
        if (value is null)
        {
            configuration.TryRemove(key, out _);
        }
        else
        {
            configuration[key] = value;
        }

        foreach (var (id, subscriber) in subscribers)
        {
            var news = new SubscribeConfigurationResponse { Id = id.ToString() };
            news.Items[key] = new ConfigurationItem { Value = value ?? "" };
            await subscriber.WriteAsync(news);
        }
    }

    public async Task<GetStateResponse> GetState(GetStateRequest request, ServerCallContext context)
    {
        await AnswerAsync(context);
        return entries.TryGetValue(request.Key, out var entry)
            ? new GetStateResponse { Data = entry.Value, Etag = $"{entry.Version}" }
            : new GetStateResponse();
    }

    public async Task<Empty> SaveState(SaveStateRequest request, ServerCallContext context)
    {
        await AnswerAsync(context);
        foreach (var item in request.States)
        {
            if (!TryWrite(item))
            {
                throw new RpcException(new Status(StatusCode.Aborted, "possible etag mismatch"));
            }
        }

        return new Empty();
    }

    public async Task<Empty> DeleteState(DeleteStateRequest request, ServerCallContext context)
    {
        await AnswerAsync(context);
        entries.TryRemove(request.Key, out _);
        return new Empty();
    }

    public async Task<Empty> PublishEvent(PublishEventRequest request, ServerCallContext context)
    {
        await AnswerAsync(context);
        if (BeforeDelivery is { } before)
        {
            await before();
        }

        var body = request.Data.ToByteArray();
        await Task.WhenAll(Replicas.Select(hear => hear(request.Topic, body)));
        return new Empty();
    }

    public Task<GetConfigurationResponse> GetConfiguration(GetConfigurationRequest request, ServerCallContext context)
    {
        RequireUp();
        var found = new GetConfigurationResponse();
        foreach (var key in request.Keys)
        {
            if (configuration.TryGetValue(key, out var value))
            {
                found.Items[key] = new ConfigurationItem { Value = value };
            }
        }

        return Task.FromResult(found);
    }

    public async Task SubscribeConfiguration(
        SubscribeConfigurationRequest request,
        IServerStreamWriter<SubscribeConfigurationResponse> stream,
        ServerCallContext context
    )
    {
        RequireUp();
        var id = Guid.CreateVersion7();
        await stream.WriteAsync(new SubscribeConfigurationResponse { Id = id.ToString() });
        subscribers[id] = stream;
        try
        {
            await UntilCancelledAsync(context);
        }
        finally
        {
            subscribers.TryRemove(id, out _);
        }
    }

    private bool TryWrite(StateItem item)
    {
        if (item.Etag is { Value.Length: > 0 } seen)
        {
            return entries.TryGetValue(item.Key, out var entry)
                && $"{entry.Version}" == seen.Value
                && entries.TryUpdate(item.Key, (item.Value, entry.Version + 1), entry);
        }

        if (item.Options?.Concurrency == StateOptions.Types.StateConcurrency.ConcurrencyFirstWrite)
        {
            return entries.TryAdd(item.Key, (item.Value, 1));
        }

        if (item.Metadata.TryGetValue("ttlInSeconds", out var life))
        {
            lives[item.Key] = life;
        }

        entries.AddOrUpdate(item.Key, (item.Value, 1), (_, old) => (item.Value, old.Version + 1));
        return true;
    }

    private async Task AnswerAsync(ServerCallContext context)
    {
        Interlocked.Increment(ref calls);
        RequireUp();
        if (Frozen)
        {
            await UntilCancelledAsync(context);
            throw new RpcException(Status.DefaultCancelled);
        }
    }

    private static Task UntilCancelledAsync(ServerCallContext context)
    {
        var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        context.CancellationToken.Register(() => ended.TrySetResult());
        return ended.Task;
    }

    private void RequireUp()
    {
        if (!Up)
        {
            throw new RpcException(new Status(StatusCode.Unavailable, "the state store does not answer"));
        }
    }
}
