using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Unicode;
using LocalPlus.Sidecar.Api;
using LocalPlus.Sidecar.Tracing;

namespace LocalPlus.Sidecar.PubSub;

/// <summary>What the envelope of a published message says.</summary>
internal sealed record EventContext(string AppId, string PubSub, string Topic, IReadOnlyDictionary<string, string>? Metadata, TraceContext Trace);

/// <summary>A payload that claims to be a CloudEvent and is none.</summary>
public sealed class CloudEventException(string message) : Exception(message);

/// <summary>Makes the CloudEvents that Dapr puts around messages, members in alphabetical order as Go writes a map.</summary>
internal static class CloudEvents
{
    public const string ContentType = "application/cloudevents+json";
    private const string DefaultType = "com.dapr.event.sent";
    private const string DefaultSource = "Dapr";

    public static bool IsCloudEvent(string contentType) => MediaType(contentType).Equals(ContentType, StringComparison.OrdinalIgnoreCase);

    public static bool IsJson(string contentType) => MediaType(contentType).Equals("application/json", StringComparison.OrdinalIgnoreCase);

    public static bool IsBinary(string contentType) => MediaType(contentType).Equals("application/octet-stream", StringComparison.OrdinalIgnoreCase);

    /// <summary>The bytes to put on the wire for a payload that is not published raw.</summary>
    public static byte[] Envelope(ReadOnlySpan<byte> data, string contentType, EventContext context) =>
        IsCloudEvent(contentType) ? PassThrough(data, context) : Wrap(data, contentType.Length == 0 ? "text/plain" : contentType, context);

    /// <summary>What a raw subscription gets: the bytes, whatever they are, in base64.</summary>
    public static byte[] WrapRaw(ReadOnlySpan<byte> data, string pubsub, string topic)
    {
        var output = new ArrayBufferWriter<byte>((data.Length * 4 / 3) + 256);
        output.Write("{\"data_base64\":\""u8);
        WriteBase64(output, data);
        output.Write("\",\"datacontenttype\":\"application/octet-stream\""u8);
        Member(output, "id", Guid.NewGuid().ToString());
        Member(output, "pubsubname", pubsub);
        Member(output, "source", DefaultSource);
        Member(output, "specversion", "1.0");
        Member(output, "topic", topic);
        Member(output, "type", DefaultType);
        output.Write("}"u8);
        return output.WrittenSpan.ToArray();
    }

    /// <summary>The moment after which an event is not delivered; null without a valid time to live.</summary>
    private static string? Expiration(IReadOnlyDictionary<string, string>? metadata) =>
        metadata is not null && metadata.TryGetValue("ttlInSeconds", out var text)
        && long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds) && seconds is > 0 and < 1L << 31
            ? Time(DateTime.UtcNow.AddSeconds(seconds))
            : null;

    private static byte[] Wrap(ReadOnlySpan<byte> data, string contentType, EventContext context)
    {
        var trace = context.Trace;
        var parent = Override(context, "traceparent") ?? (trace.IsTrace ? trace.TraceParent : "");
        var output = new ArrayBufferWriter<byte>(data.Length + 512);
        if (IsBinary(contentType))
        {
            output.Write("{\"data_base64\":\""u8);
            WriteBase64(output, data);
            output.Write("\""u8);
        }
        else
        {
            output.Write("{\"data\":"u8);
            WriteData(output, data, contentType);
        }
        Member(output, "datacontenttype", contentType);
        if (Expiration(context.Metadata) is { } expiration)
        {
            Member(output, "expiration", expiration);
        }
        Member(output, "id", Override(context, "id") ?? Guid.NewGuid().ToString());
        Member(output, "pubsubname", context.PubSub);
        Member(output, "source", Override(context, "source") ?? context.AppId);
        Member(output, "specversion", "1.0");
        if (Override(context, "subject") is { } subject)
        {
            Member(output, "subject", subject);
        }
        Member(output, "time", Time(DateTime.UtcNow));
        Member(output, "topic", context.Topic);
        Member(output, "traceid", Override(context, "traceid") ?? parent);
        Member(output, "traceparent", parent);
        Member(output, "tracestate", Override(context, "tracestate") ?? trace.TraceState ?? "");
        Member(output, "type", Override(context, "type") ?? DefaultType);
        output.Write("}"u8);
        return output.WrittenSpan.ToArray();
    }

    /// <summary>A caller's own CloudEvent: what is missing is filled in, topic and pubsubname are always ours.</summary>
    private static byte[] PassThrough(ReadOnlySpan<byte> data, EventContext context)
    {
        var members = ReadMembers(data);
        var trace = context.Trace;
        var parent = trace.IsTrace ? trace.TraceParent : "";
        Default("id", Guid.NewGuid().ToString());
        Default("source", DefaultSource);
        Default("specversion", "1.0");
        Default("time", Time(DateTime.UtcNow));
        Default("traceid", parent);
        Default("traceparent", parent);
        Default("tracestate", trace.TraceState ?? "");
        Default("type", DefaultType);
        foreach (var name in (ReadOnlySpan<string>)["id", "source", "type", "subject", "traceid", "traceparent", "tracestate"])
        {
            if (Override(context, name) is { } value)
            {
                members[name] = Quoted(value);
            }
        }
        if (Expiration(context.Metadata) is { } expiration)
        {
            members["expiration"] = Quoted(expiration);
        }
        members["pubsubname"] = Quoted(context.PubSub);
        members["topic"] = Quoted(context.Topic);
        var output = new ArrayBufferWriter<byte>(data.Length + 512);
        foreach (var (name, value) in members)
        {
            output.Write(output.WrittenCount == 0 ? "{"u8 : ","u8);
            GoJson.WriteString(output, name);
            output.Write(":"u8);
            output.Write(value);
        }
        output.Write("}"u8);
        return output.WrittenSpan.ToArray();

        void Default(string name, string value)
        {
            if (!members.TryGetValue(name, out var present) || present.AsSpan().SequenceEqual("\"\""u8))
            {
                members[name] = Quoted(value);
            }
        }
    }

    private static SortedDictionary<string, byte[]> ReadMembers(ReadOnlySpan<byte> data)
    {
        var members = new SortedDictionary<string, byte[]>(StringComparer.Ordinal);
        try
        {
            var reader = new Utf8JsonReader(data);
            reader.Read();
            if (reader.TokenType != JsonTokenType.StartObject)
            {
                throw new CloudEventException("json: cannot unmarshal into Go value of type map[string]interface {}");
            }
            var output = new ArrayBufferWriter<byte>(256);
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                var name = reader.GetString()!;
                reader.Read();
                output.ResetWrittenCount();
                GoJson.Reencode(ref reader, output, escapeHtml: false);
                members[name] = output.WrittenSpan.ToArray();
            }
            while (reader.Read())
            {
                throw new CloudEventException("invalid character after top-level value");
            }
            return members;
        }
        catch (Exception problem) when (problem is JsonException or InvalidOperationException)
        {
            throw new CloudEventException(problem.Message);
        }
    }

    /// <summary>JSON stays JSON; everything else, broken and empty JSON too, is a string.</summary>
    private static void WriteData(ArrayBufferWriter<byte> output, ReadOnlySpan<byte> data, string contentType)
    {
        if (IsJson(contentType) && !data.IsEmpty && GoJson.TryReencode(data, escapeHtml: false) is { } json)
        {
            output.Write(json);
            return;
        }
        if (!Utf8.IsValid(data))
        {
            data = Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(data));
        }
        GoJson.WriteString(output, data, escapeHtml: false);
    }

    private static string? Override(EventContext context, string name) =>
        context.Metadata is { Count: > 0 } metadata && metadata.TryGetValue("cloudevent." + name, out var value) && value.Length > 0 ? value : null;

    private static void Member(ArrayBufferWriter<byte> output, string name, string value)
    {
        output.Write(",\""u8);
        Encoding.UTF8.GetBytes(name, output);
        output.Write("\":"u8);
        GoJson.WriteString(output, value);
    }

    private static byte[] Quoted(string value)
    {
        var output = new ArrayBufferWriter<byte>(value.Length + 2);
        GoJson.WriteString(output, value);
        return output.WrittenSpan.ToArray();
    }

    private static void WriteBase64(ArrayBufferWriter<byte> output, ReadOnlySpan<byte> data)
    {
        var span = output.GetSpan(System.Buffers.Text.Base64.GetMaxEncodedToUtf8Length(data.Length));
        System.Buffers.Text.Base64.EncodeToUtf8(data, span, out _, out var written);
        output.Advance(written);
    }

    private static string Time(DateTime utc) => utc.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    private static ReadOnlySpan<char> MediaType(string contentType)
    {
        var cut = contentType.AsSpan().IndexOf(';');
        return (cut < 0 ? contentType.AsSpan() : contentType.AsSpan(0, cut)).Trim();
    }
}
