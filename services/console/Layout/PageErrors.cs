using System.Net;
using LocalPlus.Console.Api;
using LocalPlus.Console.Session;
using LocalPlus.Hosting;
using Microsoft.AspNetCore.Antiforgery;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.OpenIdConnect;
using Microsoft.IdentityModel.Protocols.OpenIdConnect;

namespace LocalPlus.Console.Layout;

/// <summary>What went wrong, as a page: what it was, what to do, and the id by which logs know it.</summary>
internal sealed class PageErrors(RequestDelegate next, ILogger<PageErrors> log)
{
    private const string StepUp = "step_up_required";

    public async Task InvokeAsync(HttpContext http)
    {
        try
        {
            await next(http);
        }
        catch (ApiRefusalException refusal) when (refusal.Code == StepUp && !http.Response.HasStarted)
        {
            // Back at the page of the form, whoever signed in again sends it once more.
            await http.ChallengeAsync(
                Sessions.Provider,
                new OpenIdConnectChallengeProperties
                {
                    MaxAge = RequiredStepUp.MaxAge,
                    RedirectUri = Back(http.Request),
                }
            );
        }
        catch (Exception failure)
            when (http.Request.Path.StartsWithSegments(ConsoleService.Root)
                && !http.Response.HasStarted
                && !http.RequestAborted.IsCancellationRequested
            )
        {
            await AnswerAsync(http, failure);
        }
    }

    private async Task AnswerAsync(HttpContext http, Exception failure)
    {
        var words = http.RequestServices.GetRequiredService<Words>();
        var id = (failure as ApiRefusalException)?.RequestId ?? http.TraceIdentifier;
        var (status, title, text) = failure switch
        {
            ApiRefusalException { Status: StatusCodes.Status403Forbidden } => (
                403,
                "Your role does not allow this",
                failure.Message
            ),
            ApiRefusalException { Status: StatusCodes.Status404NotFound } => (
                404,
                "There is no such thing",
                failure.Message
            ),
            ApiRefusalException { Status: < 500 } refusal => (
                refusal.Status,
                "The platform refused",
                $"{failure.Message} ({refusal.Code})"
            ),
            ApiRefusalException => (503, "The platform does not answer", "Try again in a moment."),
            AntiforgeryValidationException or BadHttpRequestException => (
                400,
                "The form is too old",
                "Go back, reload the page and try again."
            ),
            AuthenticationFailureException or OpenIdConnectProtocolException => (
                400,
                "Signing in failed",
                "Try again."
            ),
            _ => (500, "Something is broken on our side", ""),
        };
        if (status >= StatusCodes.Status500InternalServerError)
        {
            log.PageFailed(id, failure);
        }

        http.Response.Clear();
        http.Response.StatusCode = status;
        http.Response.ContentType = "text/html; charset=utf-8";
        await http.Response.WriteAsync(
            $"""
            <!doctype html>
            <html lang="{words.Language}"><head><meta charset="utf-8"><title>{Text(words[title])}</title>
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <link rel="stylesheet" href="{StaticFiles.Style}"></head>
            <body><main id="main"><h1>{Text(words[title])}</h1><p role="alert">{Text(words[text])}</p>
            <p>{Text(words.Format("request {0}", id))}</p>
            <p><a href="{Text(Back(http.Request))}">{Text(words["Back"])}</a></p></main></body></html>
            """,
            http.RequestAborted
        );
    }

    /// <summary>Where the form was, when that is known and ours.</summary>
    private static string Back(HttpRequest request) =>
        Uri.TryCreate(request.Headers.Referer, UriKind.Absolute, out var from)
        && from.Authority == request.Host.Value
        && ConsoleService.IsOwn(from.AbsolutePath)
            ? from.PathAndQuery
            : ConsoleService.Root;

    private static string Text(string text) => WebUtility.HtmlEncode(text);
}
