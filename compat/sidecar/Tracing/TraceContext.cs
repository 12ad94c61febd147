using System.Buffers;
using System.Diagnostics;
using System.Globalization;
using System.Text;
using LocalPlus.Sidecar.Api.Http;

namespace LocalPlus.Sidecar.Tracing;

/// <summary>
/// The W3C trace context of one call. Where tracing is not configured the caller's context passes through unchanged,
/// and a call without one carries zeros, as daprd does.
/// </summary>
public sealed record TraceContext(string TraceParent, string? TraceState)
{
    private const int BinaryLength = 29;

    public const string ZeroParent = "00-00000000000000000000000000000000-0000000000000000-00";

    public static readonly TraceContext None = new(ZeroParent, null);

    private static readonly SearchValues<char> Hex = SearchValues.Create("0123456789abcdef-");

    /// <summary>False for the zeros of a call without a trace.</summary>
    public bool IsTrace => !ReferenceEquals(TraceParent, ZeroParent) && TraceParent != ZeroParent;

    /// <summary>The context of the request that is being answered.</summary>
    public static TraceContext Of(HttpContext http) => http.Features.Get<TraceContext>() ?? None;

    /// <summary>
    /// Begins the span of an incoming call, when somebody records spans, and tells the caller its context.
    /// </summary>
    internal static Activity? StartServer(HttpContext http, ActivitySource source, ApiPath path)
    {
        var span = Start(http, source, source.HasListeners() ? Name(path) : "");
        var headers = http.Response.Headers;
        var context = Of(http);
        headers["Traceparent"] = context.TraceParent;
        if (context.TraceState is { Length: > 0 } state)
        {
            headers["Tracestate"] = state;
        }
        return span;
    }

    /// <summary>
    /// The API and what it is about, without keys: <c>/v1.0/state/statestore</c>, <c>CallLocal/ledger/…</c>.
    /// </summary>
    private static string Name(ApiPath path) =>
        (path.Api, path.Count) switch
        {
            ("invoke", > 2) => $"CallLocal/{path[0]}/{string.Join('/', path.Segments.Skip(5))}",
            ("publish", > 1) => $"/{path.Version}/publish/{string.Join('/', path.Segments.Skip(2))}",
            (_, > 0) => $"/{path.Version}/{path.Api}/{path[0]}",
            _ => path.Raw,
        };

    /// <summary>The same without response headers: gRPC sends none.</summary>
    internal static Activity? Start(HttpContext http, ActivitySource source, string name)
    {
        var incoming = Incoming(http);
        var span = source.HasListeners()
            ? source.StartActivity(name, ActivityKind.Server, incoming.IsTrace ? incoming.ToContext() : default)
            : null;
        http.Features.Set(span is null ? incoming : From(span));
        return span;
    }

    /// <summary>What the caller sent: the text headers, or the older binary one of gRPC clients.</summary>
    internal static TraceContext Incoming(HttpContext http)
    {
        var parent = http.Request.Headers.TraceParent.ToString();
        if (IsValid(parent))
        {
            return Parse(parent, http.Request.Headers.TraceState.ToString());
        }
        var binary = http.Request.Headers["grpc-trace-bin"].ToString();
        return binary.Length > 0 ? FromBinary(binary) : None;
    }

    /// <summary>A span below this context, for what the sidecar itself sends.</summary>
    internal (Activity? Span, TraceContext Context) StartChild(ActivitySource source, string name, ActivityKind kind)
    {
        var span = source.HasListeners() ? source.StartActivity(name, kind, IsTrace ? ToContext() : default) : null;
        return (span, span is null ? this : From(span));
    }

    internal static TraceContext From(Activity span) =>
        new(
            string.Create(
                CultureInfo.InvariantCulture,
                $"00-{span.TraceId}-{span.SpanId}-{(span.Recorded ? "01" : "00")}"
            ),
            string.IsNullOrEmpty(span.TraceStateString) ? null : span.TraceStateString
        );

    internal static TraceContext Parse(string? parent, string? state) =>
        IsValid(parent) ? new TraceContext(parent!, string.IsNullOrEmpty(state) ? null : state) : None;

    internal ActivityContext ToContext() =>
        ActivityContext.TryParse(TraceParent, TraceState, isRemote: true, out var context) ? context : default;

    /// <summary>The older binary form that gRPC callees may read, base64 encoded.</summary>
    internal string ToBinary()
    {
        Span<byte> bytes = stackalloc byte[BinaryLength];
        bytes.Clear();
        var context = ToContext();
        context.TraceId.CopyTo(bytes[2..18]);
        bytes[18] = 1;
        context.SpanId.CopyTo(bytes[19..27]);
        bytes[27] = 2;
        bytes[28] = (byte)context.TraceFlags;
        return Convert.ToBase64String(bytes);
    }

    private static TraceContext FromBinary(string text)
    {
        Span<byte> bytes = stackalloc byte[64];
        var padded = text.PadRight((text.Length + 3) / 4 * 4, '=');
        if (
            !Convert.TryFromBase64String(padded, bytes, out var length)
            || length != BinaryLength
            || bytes[0] != 0
            || bytes[1] != 0
        )
        {
            return None;
        }
        return new TraceContext(
            $"00-{Convert.ToHexStringLower(bytes[2..18])}-{Convert.ToHexStringLower(bytes[19..27])}-{bytes[28]:x2}",
            null
        );
    }

    private static bool IsValid(string? parent) =>
        parent is { Length: 55 }
        && parent[2] == '-'
        && parent[35] == '-'
        && parent[52] == '-'
        && Ascii.IsValid(parent)
        && parent.AsSpan().IndexOfAnyExcept(Hex) < 0;
}
