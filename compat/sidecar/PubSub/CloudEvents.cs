using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Unicode;
using LocalPlus.Sidecar.Api;
using LocalPlus.Sidecar.Tracing;

namespace LocalPlus.Sidecar.PubSub;

/// <summary>What the envelope of a published message says.</summary>
internal sealed record EventContext(
    string AppId,
    string PubSub,
    string Topic,
    IReadOnlyDictionary<string, string>? Metadata,
    TraceContext Trace
);

/// <summary>A payload that claims to be a CloudEvent and is none.</summary>
public sealed class CloudEventException(string message) : Exception(message);

/// <summary>
/// Makes the CloudEvents that Dapr puts around messages, members in alphabetical order as Go writes a map.
/// </summary>
internal static class CloudEvents
{
    public const string ContentType = "application/cloudevents+json";
    private const string DefaultType = "com.dapr.event.sent";
    private const string DefaultSource = "Dapr";
    private const long LongestSeconds = 1L << 31;
    private static readonly GoStyle Style = new(EscapeHtml: true, KeepNumbers: true);

    public static bool IsCloudEvent(string contentType) =>
        MediaType(contentType).Equals(ContentType, StringComparison.OrdinalIgnoreCase);

    public static bool IsJson(string contentType) =>
        MediaType(contentType).Equals("application/json", StringComparison.OrdinalIgnoreCase);

    /// <summary>Bytes: they travel as base64.</summary>
    public static bool IsBinary(string contentType) =>
        MediaType(contentType).Equals("application/octet-stream", StringComparison.OrdinalIgnoreCase);

    public static bool IsText(string contentType) =>
        contentType.StartsWith("text/", StringComparison.OrdinalIgnoreCase)
        || MediaType(contentType).Equals("application/xml", StringComparison.OrdinalIgnoreCase);

    private static bool IsProtobufEvent(string contentType) =>
        MediaType(contentType).Equals("application/cloudevents+protobuf", StringComparison.OrdinalIgnoreCase);

    /// <summary>The bytes to put on the wire for a payload that is not published raw.</summary>
    public static byte[] Envelope(ReadOnlySpan<byte> data, string contentType, EventContext context) =>
        IsCloudEvent(contentType)
            ? PassThrough(data, context)
            : Wrap(data, contentType.Length == 0 ? "text/plain" : contentType, context);

    /// <summary>What a raw subscription gets: the bytes, whatever they are, in base64.</summary>
    public static byte[] WrapRaw(
        ReadOnlySpan<byte> data,
        string pubsub,
        string topic,
        IReadOnlyDictionary<string, string>? metadata
    )
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
        if (metadata is { Count: > 0 })
        {
            var parent = metadata.GetValueOrDefault("traceparent");
            TraceMember(output, "traceid", parent ?? metadata.GetValueOrDefault("traceid"));
            TraceMember(output, "traceparent", parent);
            TraceMember(output, "tracestate", metadata.GetValueOrDefault("tracestate"));
        }
        Member(output, "type", DefaultType);
        output.Write("}"u8);
        return output.WrittenSpan.ToArray();
    }

    private static void TraceMember(ArrayBufferWriter<byte> output, string name, string? value)
    {
        if (value is not null)
        {
            Member(output, name, value);
        }
    }

    /// <summary>The moment after which an event is not delivered; null without a valid time to live.</summary>
    private static string? Expiration(IReadOnlyDictionary<string, string>? metadata)
    {
        if (
            metadata is not { Count: > 0 }
            || (Find(metadata, "ttl") ?? Find(metadata, "ttlInSeconds")) is not { Length: > 0 } text
        )
        {
            return null;
        }
        if (long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var seconds))
        {
            // Zero is a valid Go duration, and a valid time to live with it; any other number without a unit is
            // seconds.
            return seconds is >= 0 and < LongestSeconds && (seconds > 0 || text == "0")
                ? Time(DateTime.UtcNow.AddSeconds(seconds))
                : null;
        }
        return Cli.Quantities.TryParseDuration(text, out var duration)
            ? Time(DateTime.UtcNow + (duration < TimeSpan.Zero ? TimeSpan.Zero : duration))
            : null;
    }

    private static byte[] Wrap(ReadOnlySpan<byte> data, string contentType, EventContext context)
    {
        var trace = context.Trace;
        var parent = Override(context, "traceparent") is { Length: > 0 } given
            ? given
            : Override(context, "traceid") ?? (trace.IsTrace ? trace.TraceParent : "");
        var output = new ArrayBufferWriter<byte>(data.Length + 512);
        if (IsBinary(contentType) || IsProtobufEvent(contentType))
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
        Member(output, "id", NotEmpty(Override(context, "id")) ?? Guid.NewGuid().ToString());
        Member(output, "pubsubname", context.PubSub);
        Member(
            output,
            "source",
            Override(context, "source") is { } source ? NotEmpty(source) ?? DefaultSource : context.AppId
        );
        Member(output, "specversion", "1.0");
        if (Override(context, "subject") is { Length: > 0 } subject)
        {
            Member(output, "subject", subject);
        }
        Member(output, "time", Time(DateTime.UtcNow));
        Member(output, "topic", context.Topic);
        Member(output, "traceid", parent);
        Member(output, "traceparent", parent);
        Member(output, "tracestate", Override(context, "tracestate") ?? trace.TraceState ?? "");
        Member(output, "type", NotEmpty(Override(context, "type")) ?? DefaultType);
        output.Write("}"u8);
        return output.WrittenSpan.ToArray();
    }

    /// <summary>
    /// A caller's own CloudEvent: what is missing is filled in (but for its id), topic and pubsubname are always ours.
    /// An event without a trace id gets the request's trace, whatever its traceparent says; metadata overrides nothing.
    /// </summary>
    private static byte[] PassThrough(ReadOnlySpan<byte> data, EventContext context)
    {
        var members = ReadMembers(data);
        var trace = context.Trace;
        var parent = trace.IsTrace ? trace.TraceParent : "";
        Default("source", DefaultSource);
        Default("specversion", "1.0");
        Default("type", DefaultType);
        members.TryAdd("time", Quoted(Time(DateTime.UtcNow)));
        members.TryAdd("tracestate", Quoted(trace.TraceState ?? ""));
        if (members.TryAdd("traceid", Quoted(parent)))
        {
            members["traceparent"] = Quoted(parent);
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
            GoJson.WriteString(output, name, escapeHtml: true);
            output.Write(":"u8);
            output.Write(value);
        }
        output.Write("}"u8);
        return output.WrittenSpan.ToArray();

        void Default(string name, string value)
        {
            if (!members.TryGetValue(name, out var present) || present.AsSpan().SequenceEqual("null"u8))
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
            var reader = new Utf8JsonReader(data, GoJson.Reading);
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
                GoJson.Reencode(ref reader, output, Style);
                members[name] = output.WrittenSpan.ToArray();
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
        if (IsJson(contentType) && !data.IsEmpty && GoJson.TryReencode(data, Style, whole: false) is { } json)
        {
            output.Write(json);
            return;
        }
        if (!Utf8.IsValid(data))
        {
            data = Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(data));
        }
        GoJson.WriteString(output, data, Style.EscapeHtml);
    }

    /// <summary>What the metadata says in place of an attribute, in any spelling of its name; null = nothing.</summary>
    private static string? Override(EventContext context, string name) =>
        context.Metadata is { Count: > 0 } metadata ? Find(metadata, "cloudevent." + name) : null;

    private static string? Find(IReadOnlyDictionary<string, string> metadata, string name) =>
        metadata.TryGetValue(name, out var exact) ? exact
        : metadata.FirstOrDefault(p => p.Key.Equals(name, StringComparison.OrdinalIgnoreCase))
            is { Key: not null } other
            ? other.Value
        : null;

    private static string? NotEmpty(string? text) => string.IsNullOrEmpty(text) ? null : text;

    private static void Member(ArrayBufferWriter<byte> output, string name, string value)
    {
        output.Write(",\""u8);
        Encoding.UTF8.GetBytes(name, output);
        output.Write("\":"u8);
        GoJson.WriteString(output, value, Style.EscapeHtml);
    }

    private static byte[] Quoted(string value)
    {
        var output = new ArrayBufferWriter<byte>(value.Length + 2);
        GoJson.WriteString(output, value, Style.EscapeHtml);
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
