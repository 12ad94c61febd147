using System.Globalization;
using System.Text.Json;
using LocalPlus.Sidecar.Tracing;

namespace LocalPlus.Sidecar.PubSub;

/// <summary>What the sidecar itself needs to know of an event; the rest goes to the application unread.</summary>
internal readonly record struct EventView(DateTimeOffset? Expiration, TraceContext Trace)
{
    public bool HasExpired => Expiration is { } at && at < DateTimeOffset.UtcNow;

    /// <summary>Reads over the top level; false when the bytes are no JSON object.</summary>
    public static bool TryRead(ReadOnlySpan<byte> json, out EventView view)
    {
        view = new EventView(null, TraceContext.None);
        string? parent = null;
        string? state = null;
        DateTimeOffset? expiration = null;
        try
        {
            var reader = new Utf8JsonReader(json);
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
            {
                return false;
            }
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                var which =
                    reader.ValueTextEquals("traceparent"u8) ? 1
                    : reader.ValueTextEquals("tracestate"u8) ? 2
                    : reader.ValueTextEquals("expiration"u8) ? 3
                    : 0;
                reader.Read();
                if (which == 0 || reader.TokenType != JsonTokenType.String)
                {
                    reader.Skip();
                    continue;
                }
                var text = reader.GetString();
                parent = which == 1 ? text : parent;
                state = which == 2 ? text : state;
                expiration =
                    which == 3
                    && DateTimeOffset.TryParse(
                        text,
                        CultureInfo.InvariantCulture,
                        DateTimeStyles.AssumeUniversal,
                        out var at
                    )
                        ? at
                        : expiration;
            }
            if (reader.Read())
            {
                return false;
            }
        }
        catch (Exception problem) when (problem is JsonException or InvalidOperationException)
        {
            return false;
        }
        view = new EventView(expiration, TraceContext.Parse(parent, state));
        return true;
    }
}
