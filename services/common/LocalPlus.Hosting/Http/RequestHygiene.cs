using System.Buffers;
using LocalPlus.Kernel;
using Microsoft.AspNetCore.Http;

namespace LocalPlus.Hosting;

/// <summary>
/// Refuses what the framework would let through and a money API must not: a body in another charset than UTF-8, control
/// characters in the path or query, and requests whose framing was ambiguous (Kestrel moves a Content-Length that came
/// beside chunked encoding to X-Content-Length).
/// </summary>
internal sealed class RequestHygiene(RequestDelegate next)
{
    private static readonly SearchValues<char> ControlCharacters =
        SearchValues.Create([.. Enumerable.Range(0, 32).Select(c => (char)c), '\u007F']);

    public Task InvokeAsync(HttpContext http)
    {
        var request = http.Request;
        if (request.Headers.ContainsKey("X-Content-Length"))
        {
            throw new FaultException(CommonFaults.InvalidRequest, "The request says its length twice.");
        }

        if (request.Path.Value.AsSpan().ContainsAny(ControlCharacters)
            || Uri.UnescapeDataString(request.QueryString.Value ?? "").AsSpan().ContainsAny(ControlCharacters))
        {
            throw new FaultException(CommonFaults.InvalidRequest, "The address has control characters.");
        }

        if (request.ContentType?.IndexOf("charset=", StringComparison.OrdinalIgnoreCase) is int at and >= 0
            && !request.ContentType.AsSpan(at + "charset=".Length).TrimStart('"').StartsWith("utf-8", StringComparison.OrdinalIgnoreCase))
        {
            throw new FaultException(CommonFaults.UnsupportedMediaType, "Bodies are UTF-8.");
        }

        return next(http);
    }
}
