using System.Globalization;
using System.Net;
using System.Text;
using MimeKit;

namespace LocalPlus.LocalMail;

/// <summary>
/// A list of what came and a page a message: its text, its HTML in a frame that runs nothing and loads nothing, its
/// headers. Answers to this machine's names only, so that no page of a browser can reach it under another.
/// </summary>
internal static class MailPages
{
    private const string Html = "text/html; charset=utf-8";
    private const string OwnPages = "default-src 'none'; style-src 'unsafe-inline'; frame-src 'self'";
    private const string Foreign = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:";
    private static readonly string[] Hosts = ["localhost", "127.0.0.1"];

    public static void MapMailPages(this WebApplication app, MailFolder folder)
    {
        app.Use(
            (http, next) =>
            {
                http.Response.Headers.XContentTypeOptions = "nosniff";
                if (Hosts.Contains(http.Request.Host.Host))
                {
                    return next(http);
                }

                http.Response.StatusCode = StatusCodes.Status403Forbidden;
                return Task.CompletedTask;
            }
        );
        app.MapGet("/", () => Page("Mail", OwnPages, List(folder)));
        app.MapGet(
            "/{name}",
            (string name) => Show(folder, name, message => Page(Subject(message), OwnPages, One(name, message)))
        );
        app.MapGet(
            "/{name}/html",
            (string name) => Show(folder, name, message => new Answer(Foreign, message.HtmlBody ?? ""))
        );
    }

    private static IResult Show(MailFolder folder, string name, Func<MimeMessage, IResult> show) =>
        folder.Find(name) is { } message ? show(message) : Results.NotFound();

    private static string List(MailFolder folder)
    {
        var rows = string.Concat(
            folder
                .Newest()
                .Select(mail =>
                    $"<tr><td>{When(mail.Message)}</td><td>{Text(mail.Message.To)}</td>"
                    + $"<td><a href=\"/{mail.Name}\">{Text(Subject(mail.Message))}</a></td></tr>"
                )
        );
        return rows.Length == 0
            ? "<p>No mail has come yet.</p>"
            : $"<table><tr><th>when (UTC)</th><th>to</th><th>subject</th></tr>{rows}</table>";
    }

    private static string One(string name, MimeMessage message)
    {
        var page = new StringBuilder($"<p><a href=\"/\">All mail</a></p><p>{When(message)}, to {Text(message.To)}</p>");
        if (message.TextBody is { } text)
        {
            page.Append($"<h2>Text</h2><pre>{Text(text)}</pre>");
        }

        if (message.HtmlBody is not null)
        {
            page.Append($"<h2>HTML</h2><iframe sandbox src=\"/{name}/html\" title=\"HTML\"></iframe>");
        }

        var headers = string.Join('\n', message.Headers.Select(header => $"{header.Field}: {header.Value}"));
        return page.Append($"<h2>Headers</h2><pre>{Text(headers)}</pre>").ToString();
    }

    private static string Subject(MimeMessage message) =>
        message.Subject is { Length: > 0 } subject ? subject : "(none)";

    private static string When(MimeMessage message) =>
        message.Date.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture);

    private static string Text(object? text) => WebUtility.HtmlEncode($"{text}");

    private static Answer Page(string title, string policy, string body) =>
        new(
            policy,
            $$"""
            <!doctype html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <title>{{Text(title)}}</title>
            <style>
            body { font: 15px/1.5 system-ui, sans-serif; color: #222 }
            body { margin: 2rem auto; max-width: 60rem; padding: 0 1rem }
            table { border-collapse: collapse; width: 100% }
            th, td { text-align: left; padding: .4rem .8rem .4rem 0; border-bottom: 1px solid #ddd }
            pre { background: #f5f5f5; padding: 1rem; white-space: pre-wrap; overflow-wrap: anywhere }
            iframe { width: 100%; height: 30rem; border: 1px solid #ddd }
            </style>
            </head>
            <body><h1>{{Text(title)}}</h1>{{body}}</body>
            </html>
            """
        );

    private sealed record Answer(string Policy, string Body) : IResult
    {
        public Task ExecuteAsync(HttpContext httpContext)
        {
            httpContext.Response.Headers.ContentSecurityPolicy = Policy;
            httpContext.Response.ContentType = Html;
            return httpContext.Response.WriteAsync(Body, httpContext.RequestAborted);
        }
    }
}
