using LocalPlus.Kernel;
using Microsoft.AspNetCore.Http;

namespace LocalPlus.Hosting;

/// <summary>
/// Refuses what the framework would let through and a money API must not: texts in the path or query that break
/// <see cref="Texts"/>'s rule, and requests whose framing was ambiguous (Kestrel moves a Content-Length that came
/// beside chunked encoding to X-Content-Length).
/// </summary>
internal sealed class RequestHygiene(RequestDelegate next)
{
    public Task InvokeAsync(HttpContext http)
    {
        var request = http.Request;
        if (request.Headers.ContainsKey("X-Content-Length"))
        {
            throw new FaultException(CommonFaults.InvalidRequest, "The request says its length twice.");
        }

        RequireText(request.Path.Value, "path");
        RequireText(Uri.UnescapeDataString((request.QueryString.Value ?? "").Replace('+', ' ')), "query");
        return next(http);
    }

    private static void RequireText(string? text, string where)
    {
        if (Texts.Problem(text, mayBreakLines: false) is { } problem)
        {
            throw new FaultException(
                CommonFaults.InvalidRequest,
                $"The {where} has characters that no text may have.",
                new FieldError(where, problem)
            );
        }
    }
}
