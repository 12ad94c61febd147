using System.Buffers;
using System.Text.Json;
using System.Threading.Channels;
using LocalPlus.Sidecar.Api;
using LocalPlus.Sidecar.Resources;
using LocalPlus.Sidecar.Runtime;
using LocalPlus.Sidecar.Tracing;

namespace LocalPlus.Sidecar.PubSub;

/// <summary>
/// Collects the messages of one subscription into batches (maxMessagesCount or maxAwaitDurationMs, whichever comes
/// first) and gives each its own outcome. A message waits in its worker until its batch is answered, and the next batch
/// until this one is over with all its repeats: an entry that keeps failing holds its topic, as with daprd.
/// </summary>
internal sealed class BulkDelivery(
    SubscriptionSpec spec,
    NamedPubSub broker,
    Delivery single,
    AppChannel channel,
    ILogger log
) : IAsyncDisposable
{
    private readonly Channel<Item> queue = Channel.CreateUnbounded<Item>();
    private Task running = Task.CompletedTask;

    public void Start() => running = CollectAsync();

    public async Task HandleAsync(BrokerMessage message, DeliveryTokens tokens)
    {
        var item = new Item(message, tokens);
        if (!queue.Writer.TryWrite(item))
        {
            // The subscription ended: the message is for the next one.
            throw new OperationCanceledException();
        }
        await item.Done.Task;
    }

    public async ValueTask DisposeAsync()
    {
        queue.Writer.TryComplete();
        await running;
    }

    private async Task CollectAsync()
    {
        var reader = queue.Reader;
        while (await reader.WaitToReadAsync())
        {
            await SendBatchAsync(await NextBatchAsync(reader));
        }
    }

    /// <summary>
    /// The waiting time is the oldest message's: one that came while the last batch was out has waited already.
    /// </summary>
    private async Task<List<Item>> NextBatchAsync(ChannelReader<Item> reader)
    {
        var batch = new List<Item>();
        Take(reader, batch);
        var left = spec.Bulk!.MaxAwait - TimeSpan.FromMilliseconds(Environment.TickCount64 - batch[0].Since);
        if (left <= TimeSpan.Zero)
        {
            return batch;
        }
        using var limit = new CancellationTokenSource(left);
        try
        {
            while (batch.Count < spec.Bulk.MaxMessages && await reader.WaitToReadAsync(limit.Token))
            {
                Take(reader, batch);
            }
        }
        catch (OperationCanceledException)
        {
            // The waiting time is over: what is there goes.
        }
        return batch;
    }

    private void Take(ChannelReader<Item> reader, List<Item> batch)
    {
        while (batch.Count < spec.Bulk!.MaxMessages && reader.TryRead(out var item))
        {
            batch.Add(item);
        }
    }

    private async Task SendBatchAsync(List<Item> batch)
    {
        foreach (var group in batch.GroupBy(Route, StringComparer.Ordinal))
        {
            var items = group.ToList();
            if (group.Key.Length == 0)
            {
                continue;
            }
            broker.Counters.Add(Metric.Delivered, broker.Name, spec.Topic, items.Count);
            try
            {
                var tokens = items[0].Tokens;
                await broker.Inbound.RunAsync(
                    token => AttemptAsync(group.Key, items, token),
                    tokens.Cut,
                    tokens.GiveUp
                );
            }
            catch (Exception problem)
            {
                foreach (var item in items.Where(i => !i.Done.Task.IsCompleted))
                {
                    await FailAsync(item, problem);
                }
            }
        }
    }

    /// <summary>The path for an item; one that goes nowhere is finished here and gets the empty path.</summary>
    private string Route(Item item)
    {
        try
        {
            if (spec.RawPayload)
            {
                return spec.Rules.Count > 0 ? spec.Rules[0].Path : "";
            }
            if (single.TryRoute(item.Message, out var routed))
            {
                return routed.Path;
            }
            item.Done.TrySetResult();
        }
        catch (Exception problem)
        {
            item.Done.TrySetException(problem);
        }
        return "";
    }

    /// <summary>
    /// One request with the items that are still open; those answered SUCCESS or DROP are finished by it.
    /// </summary>
    private async Task AttemptAsync(string path, List<Item> items, CancellationToken cancel)
    {
        var open = items.Where(i => !i.Done.Task.IsCompleted).ToList();
        broker.Counters.Add(Metric.Deliveries, broker.Name, spec.Topic);
        using var request = HttpEventSender.Request(
            channel,
            path,
            Body(open),
            "application/json",
            spec.PubSub,
            TraceContext.None
        );
        HttpResponseMessage response;
        try
        {
            response = await channel.SendAsync(request, cancel);
        }
        catch (HttpRequestException problem)
        {
            throw new RetriableException(problem.Message);
        }
        using (response)
        {
            var status = (int)response.StatusCode;
            if (status == 404)
            {
                log.EventDropped("unwanted", spec.Topic);
                open.ForEach(i => i.Done.TrySetResult());
                return;
            }
            if (status is < 200 or >= 300)
            {
                throw new RetriableException(
                    $"retriable error returned from app while processing bulk pub/sub event: status code returned: {status}"
                );
            }
            await response.Content.LoadIntoBufferAsync(Limits.MaxAppAnswerBytes, cancel);
            await UnderstandAsync(open, await response.Content.ReadAsByteArrayAsync(cancel));
        }
        if (open.Exists(i => !i.Done.Task.IsCompleted))
        {
            throw new RetriableException("RETRY status returned from app for some entries of a bulk event");
        }
    }

    private async Task UnderstandAsync(List<Item> open, byte[] body)
    {
        var statuses = Statuses(body);
        foreach (var item in open)
        {
            // An entry that is missing, or has no status, is to be sent again; so is everything without a readable
            // answer.
            switch (statuses?.GetValueOrDefault(item.EntryId))
            {
                case "SUCCESS":
                    item.Done.TrySetResult();
                    break;
                case "DROP":
                    await single.DeadLetterAsync(item.Message, fromBatch: true);
                    item.Done.TrySetResult();
                    break;
                default:
                    break;
            }
        }
    }

    private async Task FailAsync(Item item, Exception problem)
    {
        if (problem is not OperationCanceledException && await single.DeadLetterAsync(item.Message, fromBatch: true))
        {
            item.Done.TrySetResult();
            return;
        }
        item.Done.TrySetException(problem);
    }

    private ReadOnlyMemory<byte> Body(List<Item> items)
    {
        var output = new ArrayBufferWriter<byte>(1024);
        using var json = new Utf8JsonWriter(output, Api.Http.HttpAnswers.WriterOptions);
        json.WriteStartObject();
        json.WriteStartArray("entries");
        foreach (var item in items)
        {
            json.WriteStartObject();
            json.WriteString("entryId", item.EntryId);
            json.WritePropertyName("event");
            if (spec.RawPayload)
            {
                json.WriteBase64StringValue(item.Message.Data.Span);
            }
            else
            {
                json.WriteRawValue(item.Message.Data.Span, skipInputValidation: true);
            }
            json.WritePropertyName("metadata");
            if (item.Message.Metadata is { } metadata)
            {
                json.WriteStartObject();
                foreach (var (key, value) in metadata)
                {
                    json.WriteString(key, value);
                }
                json.WriteEndObject();
            }
            else
            {
                json.WriteNullValue();
            }
            json.WriteString("contentType", spec.RawPayload ? "application/octet-stream" : CloudEvents.ContentType);
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteString("id", Guid.NewGuid().ToString());
        json.WriteStartObject("metadata");
        json.WriteString("pubsubName", spec.PubSub);
        json.WriteEndObject();
        json.WriteString("pubsubname", spec.PubSub);
        json.WriteString("topic", spec.Topic);
        json.WriteString("type", "com.dapr.event.sent.bulk");
        json.WriteEndObject();
        json.Flush();
        return output.WrittenMemory;
    }

    private static Dictionary<string, string>? Statuses(byte[] body)
    {
        try
        {
            using var document = JsonDocument.Parse(body);
            return
                document.RootElement.ValueKind == JsonValueKind.Object
                && document.RootElement.TryGetMember("statuses", out var list)
                ? list.EnumerateArray()
                    .GroupBy(
                        s => (s.TryGetMember("entryId", out var id) ? id.GetString() ?? "" : ""),
                        StringComparer.Ordinal
                    )
                    .ToDictionary(
                        g => g.Key,
                        g => g.Last().TryGetMember("status", out var s) ? s.GetString() ?? "" : "",
                        StringComparer.Ordinal
                    )
                : null;
        }
        catch (Exception problem) when (problem is JsonException or InvalidOperationException or KeyNotFoundException)
        {
            return null;
        }
    }

    private sealed record Item(BrokerMessage Message, DeliveryTokens Tokens)
    {
        public string EntryId { get; } = Guid.NewGuid().ToString();

        public long Since { get; } = Environment.TickCount64;

        public TaskCompletionSource Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
