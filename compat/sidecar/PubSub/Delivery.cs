using System.Diagnostics;
using System.Text.Json;
using LocalPlus.Sidecar.Resiliency;
using LocalPlus.Sidecar.Resources;
using LocalPlus.Sidecar.Runtime;
using LocalPlus.Sidecar.Tracing;

namespace LocalPlus.Sidecar.PubSub;

/// <summary>The application did not take a message; another attempt may help.</summary>
internal sealed class RetriableException(string message) : Exception(message);

/// <summary>The application dropped a message: no retry, but the dead letter topic gets it.</summary>
internal sealed class DroppedException() : Exception("pub/sub message dropped"), IPermanentFailure;

/// <summary>Where a message goes, with the bytes that go there.</summary>
internal readonly record struct Routed(string Path, ReadOnlyMemory<byte> Body, TraceContext Trace);

/// <summary>Sends one event somewhere and understands the answer; the exceptions above say what became of it.</summary>
internal delegate Task EventSender(BrokerMessage message, Routed routed, CancellationToken cancel);

/// <summary>
/// One subscription's way from a broker's message to the application: envelope, expiration, routing rules, inbound
/// policy, dead letters.
/// </summary>
internal sealed class Delivery
{
    private readonly SubscriptionSpec spec;
    private readonly NamedPubSub broker;
    private readonly EventSender send;
    private readonly ILogger log;
    private readonly List<(Rule? Match, string Path)> rules;
    private readonly bool routesByContent;

    public Delivery(SubscriptionSpec spec, NamedPubSub broker, EventSender send, ILogger log)
    {
        this.spec = spec;
        this.broker = broker;
        this.send = send;
        this.log = log;
        rules = [.. spec.Rules.Select(r => (r.Match.Length == 0 ? null : Rule.Parse(r.Match), r.Path))];
        routesByContent = rules.Exists(r => r.Match is not null);
    }

    public async Task HandleAsync(BrokerMessage message, DeliveryTokens tokens)
    {
        try
        {
            if (TryRoute(message, out var routed))
            {
                await SendAsync(message, routed, tokens);
                return;
            }
        }
        catch (Exception problem) when (problem is not OperationCanceledException)
        {
            if (spec.DeadLetterTopic.Length == 0 || !await DeadLetterAsync(message))
            {
                throw;
            }
            return;
        }
        await DeadLetterAsync(message);
    }

    /// <summary>False = nobody shall have it: expired, or no rule fits. Throws when it cannot be read.</summary>
    public bool TryRoute(BrokerMessage message, out Routed routed)
    {
        routed = default;
        var body = message.Data;
        if (spec.RawPayload)
        {
            body = CloudEvents.WrapRaw(message.Data.Span, spec.PubSub, spec.Topic, message.Metadata);
        }
        if (!EventView.TryRead(body.Span, out var view))
        {
            throw new RetriableException(
                $"error deserializing cloud event in pubsub {spec.PubSub} and topic {spec.Topic}"
            );
        }
        if (view.HasExpired)
        {
            log.EventDropped("expired", spec.Topic);
            return false;
        }
        if (Path(body) is not { } path)
        {
            return false;
        }
        routed = new Routed(path, body, view.Trace);
        return true;
    }

    /// <summary>
    /// The original bytes and metadata, on the same broker; false when that failed or there is no such topic.
    /// </summary>
    public async Task<bool> DeadLetterAsync(BrokerMessage message, bool fromBatch = false)
    {
        if (spec.DeadLetterTopic.Length == 0)
        {
            return false;
        }
        using var limit = new CancellationTokenSource(Limits.DeadLetterTimeout);
        try
        {
            await Publisher.SendAsync(
                broker,
                message with
                {
                    Topic = spec.DeadLetterTopic,
                    Metadata = fromBatch ? message.Metadata : Noted(message),
                },
                limit.Token
            );
            return true;
        }
        catch (Exception problem)
        {
            log.DeadLetterFailed(spec.Topic, spec.DeadLetterTopic, problem.Message);
            return false;
        }
    }

    /// <summary>
    /// By the time a single message fails daprd has noted the broker's name in its metadata, and a dead letter keeps
    /// it.
    /// </summary>
    private Dictionary<string, string> Noted(BrokerMessage message) =>
        new(
            message.Metadata ?? System.Collections.Immutable.ImmutableDictionary<string, string>.Empty,
            StringComparer.Ordinal
        )
        {
            ["pubsubName"] = spec.PubSub,
        };

    private async Task SendAsync(BrokerMessage message, Routed routed, DeliveryTokens tokens)
    {
        broker.Counters.Add(Metric.Delivered, broker.Name, message.Topic);
        if (broker.Inbound.IsNone)
        {
            await send(message, routed, tokens.Cut);
            return;
        }
        await broker.Inbound.RunAsync(token => send(message, routed, token), tokens.Cut, tokens.GiveUp);
    }

    private string? Path(ReadOnlyMemory<byte> body)
    {
        if (!routesByContent)
        {
            return rules.Count > 0 ? rules[0].Path : null;
        }
        var members = Rule.Members(body);
        foreach (var (match, path) in rules)
        {
            if (match is null || match.IsTrue(members))
            {
                return path;
            }
        }
        return null;
    }
}

/// <summary>Delivers events to the application's HTTP side.</summary>
internal sealed class HttpEventSender(HostedApp app, AppChannel channel, string pubsub)
{
    public async Task SendAsync(BrokerMessage message, Routed routed, CancellationToken cancel)
    {
        var (span, trace) = routed.Trace.StartChild(app.Tracing, $"pubsub/{message.Topic}", ActivityKind.Consumer);
        using (span)
        {
            using var request = Request(channel, routed.Path, routed.Body, CloudEvents.ContentType, pubsub, trace);
            AddMetadata(request, message.Metadata);
            HttpResponseMessage response;
            try
            {
                response = await channel.SendAsync(request, cancel);
            }
            catch (HttpRequestException problem)
            {
                throw new RetriableException(
                    $"error returned from app channel while sending pub/sub event to app: {problem.Message}"
                );
            }
            using (response)
            {
                await UnderstandAsync(response, cancel);
            }
        }
    }

    internal static HttpRequestMessage Request(
        AppChannel channel,
        string path,
        ReadOnlyMemory<byte> body,
        string contentType,
        string pubsub,
        TraceContext trace
    )
    {
        var request = channel.Request(HttpMethod.Post, path.StartsWith('/') ? path : "/" + path);
        request.Content = new ReadOnlyMemoryContent(body);
        request.Content.Headers.TryAddWithoutValidation("Content-Type", contentType);
        request.Headers.TryAddWithoutValidation("pubsubname", pubsub);
        request.Headers.TryAddWithoutValidation("traceparent", trace.TraceParent);
        return request;
    }

    private static void AddMetadata(HttpRequestMessage request, IReadOnlyDictionary<string, string>? metadata)
    {
        foreach (
            var (name, value) in metadata ?? System.Collections.Immutable.ImmutableDictionary<string, string>.Empty
        )
        {
            // A name that is no header name, or that belongs to the framing, stays behind.
            if (
                !name.Equals("pubsubname", StringComparison.OrdinalIgnoreCase)
                && !name.Equals("content-length", StringComparison.OrdinalIgnoreCase)
                && !name.Equals("content-type", StringComparison.OrdinalIgnoreCase)
            )
            {
                request.Headers.TryAddWithoutValidation(name, value);
            }
        }
    }

    private static async Task UnderstandAsync(HttpResponseMessage response, CancellationToken cancel)
    {
        var status = (int)response.StatusCode;
        if (status == 404)
        {
            throw new DroppedException();
        }
        if (status is < 200 or >= 300)
        {
            throw new RetriableException(
                $"retriable error returned from app while processing pub/sub event: status code returned: {status}"
            );
        }
        if (response.Content.Headers.ContentLength is 0)
        {
            return;
        }
        await response.Content.LoadIntoBufferAsync(Limits.MaxAppAnswerBytes, cancel);
        switch (Status(await response.Content.ReadAsByteArrayAsync(cancel)))
        {
            case null or "" or "SUCCESS":
                return;
            case "DROP":
                throw new DroppedException();
            case "RETRY":
                throw new RetriableException("RETRY status returned from app while processing pub/sub event");
            case var other:
                throw new RetriableException(
                    $"unknown status returned from app while processing pub/sub event: {other}"
                );
        }
    }

    /// <summary>The status member; null when the body is no such object, which counts as success.</summary>
    private static string? Status(byte[] body)
    {
        try
        {
            var reader = new Utf8JsonReader(body);
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
            {
                return null;
            }
            string? status = null;
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                var isStatus = reader.ValueTextEquals("status"u8);
                reader.Read();
                if (isStatus && reader.TokenType != JsonTokenType.String)
                {
                    return null;
                }
                status = isStatus ? reader.GetString() : status;
                reader.Skip();
            }
            return status;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
