using System.Buffers;
using System.Collections.Frozen;
using System.IO.Pipelines;
using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using LocalPlus.Sidecar.Tracing;

namespace LocalPlus.Sidecar.Invoke;

/// <summary>Copies requests and answers between the caller's connection and the callee's.</summary>
internal static class HttpForward
{
    private static readonly FrozenSet<string> HopByHop = new[]
    {
        "Connection",
        "Keep-Alive",
        "Proxy-Connection",
        "Transfer-Encoding",
        "Upgrade",
        "HTTP2-Settings",
        "TE",
        "Trailer",
        "Proxy-Authorization",
        "Proxy-Authenticate",
    }.ToFrozenSet(StringComparer.OrdinalIgnoreCase);

    private static readonly FrozenSet<string> NotForwarded = HopByHop
        .Concat(["Host", "Content-Length", "dapr-app-id", "dapr-api-token", "traceparent", "tracestate"])
        .ToFrozenSet(StringComparer.OrdinalIgnoreCase);

    private static readonly Lazy<string> OwnAddress = new(FindOwnAddress);

    /// <summary>Copies the caller's headers; those of the body go to the content.</summary>
    public static void CopyHeaders(HttpRequest from, HttpRequestMessage to)
    {
        foreach (var (name, values) in from.Headers)
        {
            if (name.StartsWith(':') || NotForwarded.Contains(name))
            {
                continue;
            }
            if (!to.Headers.TryAddWithoutValidation(name, (IEnumerable<string?>)values))
            {
                to.Content?.Headers.TryAddWithoutValidation(name, (IEnumerable<string?>)values);
            }
        }
    }

    /// <summary>Tells another application who calls it.</summary>
    public static void AddIdentity(HttpRequestMessage request, string caller, string space, string callee)
    {
        var host = OwnAddress.Value;
        Append(request, "dapr-caller-app-id", caller);
        request.Headers.TryAddWithoutValidation("dapr-caller-namespace", space);
        request.Headers.TryAddWithoutValidation("dapr-callee-app-id", callee);
        Append(request, "Forwarded", $"for={host};by={host};host={Environment.MachineName}");
        Append(request, "X-Forwarded-For", host);
        request.Headers.Remove("X-Forwarded-Host");
        request.Headers.TryAddWithoutValidation("X-Forwarded-Host", Environment.MachineName);
    }

    public static void AddTrace(HttpRequestMessage request, TraceContext trace)
    {
        request.Headers.TryAddWithoutValidation("traceparent", trace.TraceParent);
        if (trace.TraceState is { Length: > 0 } state)
        {
            request.Headers.TryAddWithoutValidation("tracestate", state);
        }
    }

    /// <summary>Passes an answer on as it comes in: every piece leaves before the next exists.</summary>
    public static async Task CopyResponseAsync(HttpResponseMessage from, HttpContext http)
    {
        var response = http.Response;
        response.StatusCode = (int)from.StatusCode;
        Copy(from.Headers, response.Headers);
        Copy(from.Content.Headers, response.Headers);
        if (HttpMethods.IsHead(http.Request.Method) || response.StatusCode is 204 or 304)
        {
            return;
        }
        response.Headers.Remove("Content-Length");
        if (WantsEvents(http.Request))
        {
            response.ContentType = "text/event-stream";
            response.Headers.CacheControl = "no-cache";
        }
        else
        {
            response.ContentLength = from.Content.Headers.ContentLength;
        }
        if (response.StatusCode >= 400 && response.ContentType is null)
        {
            response.ContentType = "application/json";
        }
        await using var body = await from.Content.ReadAsStreamAsync(http.RequestAborted);
        var writer = response.BodyWriter;
        while (true)
        {
            var memory = writer.GetMemory(4096);
            var count = await body.ReadAsync(memory, http.RequestAborted);
            if (count == 0)
            {
                return;
            }
            response.ContentType ??= ContentSniffer.Detect(memory.Span[..count]);
            writer.Advance(count);
            await writer.FlushAsync(http.RequestAborted);
        }
    }

    /// <summary>
    /// The caller wants server-sent events: then that is what the answer is called, whatever the application named it.
    /// </summary>
    public static bool WantsEvents(HttpRequest request) =>
        request
            .Headers.Accept.ToString()
            .AsSpan()
            .Trim()
            .Equals("text/event-stream", StringComparison.OrdinalIgnoreCase);

    private static void Copy(System.Net.Http.Headers.HttpHeaders from, IHeaderDictionary to)
    {
        foreach (var (name, values) in from.NonValidated)
        {
            if (!HopByHop.Contains(name))
            {
                to[name] = values.Count == 1 ? values.ToString() : values.ToArray();
            }
        }
    }

    /// <summary>What the caller sent stays in front: whoever forwards adds to the list.</summary>
    private static void Append(HttpRequestMessage request, string name, string value)
    {
        var former = request.Headers.NonValidated.TryGetValues(name, out var values) ? values.ToString() + ", " : "";
        request.Headers.Remove(name);
        request.Headers.TryAddWithoutValidation(name, former + value);
    }

    private static string FindOwnAddress()
    {
        try
        {
            return NetworkInterface
                    .GetAllNetworkInterfaces()
                    .Where(n =>
                        n.OperationalStatus == OperationalStatus.Up
                        && n.NetworkInterfaceType != NetworkInterfaceType.Loopback
                    )
                    .SelectMany(n => n.GetIPProperties().UnicastAddresses)
                    .Select(a => a.Address)
                    .FirstOrDefault(a => a.AddressFamily == AddressFamily.InterNetwork)
                    ?.ToString()
                ?? "127.0.0.1";
        }
        catch (NetworkInformationException)
        {
            return "127.0.0.1";
        }
    }
}

/// <summary>A request body passed on while it is being received, up to the limit.</summary>
internal sealed class RequestBodyContent(PipeReader body, long? length, long limit) : HttpContent
{
    protected override async Task SerializeToStreamAsync(
        Stream stream,
        TransportContext? context,
        CancellationToken cancellationToken
    )
    {
        long total = 0;
        while (true)
        {
            var result = await body.ReadAsync(cancellationToken);
            foreach (var part in result.Buffer)
            {
                total += part.Length;
                if (total > limit)
                {
                    throw new HttpRequestException("http: request body too large");
                }
                await stream.WriteAsync(part, cancellationToken);
            }
            body.AdvanceTo(result.Buffer.End);
            if (result.IsCompleted)
            {
                return;
            }
            await stream.FlushAsync(cancellationToken);
        }
    }

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
        SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override bool TryComputeLength(out long computed)
    {
        computed = length ?? 0;
        return length is not null;
    }
}

/// <summary>The type of a body whose sender did not name one, as Go's server finds it.</summary>
internal static class ContentSniffer
{
    private const int Window = 512;

    public static string Detect(ReadOnlySpan<byte> body)
    {
        body = body[..Math.Min(body.Length, Window)];
        if (body.IndexOfAnyInRange<byte>(0, 8) >= 0 || body.IndexOfAnyInRange<byte>(14, 26) >= 0)
        {
            return "application/octet-stream";
        }
        var text = body.TrimStart(" \t\n\r\f"u8);
        if (text.StartsWith("<?xml"u8))
        {
            return "text/xml; charset=utf-8";
        }
        return Ascii(text, "<!DOCTYPE HTML") || Ascii(text, "<HTML") || Ascii(text, "<HEAD") || Ascii(text, "<BODY")
            ? "text/html; charset=utf-8"
            : "text/plain; charset=utf-8";
    }

    private static bool Ascii(ReadOnlySpan<byte> text, string prefix) =>
        text.Length >= prefix.Length && System.Text.Ascii.EqualsIgnoreCase(text[..prefix.Length], prefix);
}
