using System.Text.Json;
using System.Text.RegularExpressions;
using LocalPlus.Kernel;
using Microsoft.AspNetCore.Diagnostics;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace LocalPlus.Hosting;

/// <summary>The edge: the one place where an exception becomes an answer.</summary>
internal sealed partial class FaultHandler(ILogger<FaultHandler> log) : IExceptionHandler
{
    public async ValueTask<bool> TryHandleAsync(
        HttpContext httpContext,
        Exception exception,
        CancellationToken cancellationToken
    )
    {
        if (httpContext.RequestAborted.IsCancellationRequested)
        {
            return true;
        }

        var fault = ToFault(exception);
        if (fault.Fault.Status >= StatusCodes.Status500InternalServerError)
        {
            log.RequestFailed(fault.Fault.Code, Problems.RequestId(httpContext), exception);
        }

        await Problems.WriteAsync(httpContext, fault);
        return true;
    }

    /// <summary>
    /// What a caller is told of an exception: refusals as they are, a missing database as busy, bugs as
    /// internal_error.
    /// </summary>
    internal static FaultException ToFault(Exception exception) =>
        exception switch
        {
            FaultException fault => fault,
            BadHttpRequestException { InnerException: JsonException json } => FromJson(json),
            BadHttpRequestException { StatusCode: 413 } => new(
                CommonFaults.BodyTooLarge,
                "The body is larger than the limit."
            ),
            BadHttpRequestException { StatusCode: 415 } => new(
                CommonFaults.UnsupportedMediaType,
                "Send application/json."
            ),
            BadHttpRequestException bad => FromBinding(bad.Message),
            _ when DatabaseAway.IsToldBy(exception) || DatabaseAway.IsTooSlow(exception) => new(
                CommonFaults.Busy,
                "The database did not answer in time."
            ),
            PostgresException { IsTransient: true } => new(
                CommonFaults.Busy,
                "The database can not take the request now."
            ),
            HttpRequestException or Dapr.DaprException => new(
                CommonFaults.Busy,
                "A service behind this one did not answer."
            ),
            _ => new(CommonFaults.InternalError, "The request failed; quote the request_id when you report it."),
        };

    /// <summary>
    /// Says which parameter is missing or wrong in the caller's words; the framework's name its own types.
    /// </summary>
    private static FaultException FromBinding(string message)
    {
        if (BadParameter().Match(message) is { Success: true } parameter)
        {
            var name = parameter.Groups["name"].Value;
            var missing = message.StartsWith("Required", StringComparison.Ordinal);
            return new(
                CommonFaults.InvalidRequest,
                missing ? $"The parameter {name} is missing." : $"The parameter {name} is not valid.",
                new FieldError(name, missing ? "required" : "invalid")
            );
        }

        return message.StartsWith("Implicit body", StringComparison.Ordinal)
            ? new(CommonFaults.InvalidRequest, "The request needs a JSON body.", new FieldError("/", "required"))
            : new(CommonFaults.InvalidRequest, "The request is malformed.");
    }

    [GeneratedRegex(
        @"\A(Failed to bind|Required) parameter ""[^""]*? (?<name>[^"" ]+)""",
        RegexOptions.NonBacktracking
    )]
    private static partial Regex BadParameter();

    private static FaultException FromJson(JsonException json)
    {
        var pointer = Pointer(json.Path, json.Data[StrictJson.MemberKey] as string);
        return json.Message.Contains("could not be mapped to any .NET member", StringComparison.Ordinal)
            ? new(CommonFaults.UnknownField, $"Unknown field at {pointer}.", new FieldError(pointer, "unknown_field"))
            : new(
                CommonFaults.InvalidRequest,
                $"The body is not valid at {pointer}.",
                new FieldError(pointer, json.Data[StrictJson.CodeKey] as string ?? "invalid")
            );
    }

    /// <summary>
    /// System.Text.Json's path ($.amount.currency, $['a.b'][2]) and a member below it as a JSON pointer (RFC 6901).
    /// </summary>
    internal static string Pointer(string? path, string? member = null)
    {
        var pointer = string.Concat(Elements(path ?? "").Select(element => "/" + Escape(element)));
        return (pointer, member) switch
        {
            ("", null) => "/",
            (_, null) => pointer,
            _ => $"{pointer}/{string.Join('/', member.Split('/', 2).Select(Escape))}",
        };
    }

    private static string Escape(string element) =>
        element.Replace("~", "~0", StringComparison.Ordinal).Replace("/", "~1", StringComparison.Ordinal);

    /// <summary>The path's elements. Names are the caller's and as long as it likes: each is gone over once.</summary>
    private static IEnumerable<string> Elements(string path)
    {
        for (var at = path.StartsWith('$') ? 1 : 0; at < path.Length; )
        {
            var (from, to, next) = path[at] switch
            {
                '[' when path.AsSpan(at).StartsWith("['", StringComparison.Ordinal) => Quoted(path, at + 2),
                '[' => Plain(path, at + 1, "]", 1),
                _ => Plain(path, at + 1, ".[", 0),
            };
            yield return path[from..to];
            at = next;
        }
    }

    private static (int From, int To, int Next) Plain(string path, int from, string ends, int endLength) =>
        path.AsSpan(from).IndexOfAny(ends) is >= 0 and var length
            ? (from, from + length, from + length + endLength)
            : (from, path.Length, path.Length);

    // A quote inside a name is not escaped by the serializer: the name ends where the bracket does.
    private static (int From, int To, int Next) Quoted(string path, int from)
    {
        const string closing = "']";
        var to = path.IndexOf(closing, from, StringComparison.Ordinal);
        while (to >= 0 && to + closing.Length < path.Length && path[to + closing.Length] is not ('.' or '['))
        {
            to = path.IndexOf(closing, to + 1, StringComparison.Ordinal);
        }

        return to < 0 ? (from, path.Length, path.Length) : (from, to, to + closing.Length);
    }
}
