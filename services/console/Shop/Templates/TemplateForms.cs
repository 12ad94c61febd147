using System.Globalization;
using LocalPlus.Console.Api;
using LocalPlus.Console.Session;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;

namespace LocalPlus.Console.Shop.Templates;

/// <summary>
/// The forms about what a shop writes to its customers. What the platform refuses of somebody's words is said above
/// them, with the words still there.
/// </summary>
internal static class TemplateForms
{
    /// <summary>
    /// A mail is somebody's HTML: it runs nothing, loads nothing, and is nobody's page, so it reaches no cookie.
    /// </summary>
    private const string MailPolicy =
        "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'none'; "
        + "base-uri 'none'; frame-ancestors 'none'";

    public static RouteGroupBuilder MapTemplateForms(this RouteGroupBuilder shop)
    {
        shop.MapPost("/templates/{kind}/{locale}", ChangeAsync);
        shop.MapPost("/templates/{kind}/{locale}/test", TestAsync);
        shop.MapPost("/templates/{kind}/{locale}/reset", ResetAsync).RequireForm();
        return shop;
    }

    /// <summary>Where the API has it.</summary>
    public static string Path(string kind, string locale) =>
        $"/v1/notification_templates/{Uri.EscapeDataString(kind)}/{Uri.EscapeDataString(locale)}";

    /// <summary>What somebody has typed. Browsers send line breaks as CRLF, whatever was there.</summary>
    private sealed record Typed(string Subject, string Html, string Text, string? Sms)
    {
        public static Typed Of(IFormCollection form) =>
            new(
                Line(form["subject"]),
                Line(form["html"]),
                Line(form["text"]),
                Line(form["sms"]) is { Length: > 0 } sms ? sms : null
            );

        private static string Line(string? field) => (field ?? "").ReplaceLineEndings("\n");
    }

    private static async Task<IResult> ChangeAsync(
        HttpContext http,
        string kind,
        string locale,
        IFormCollection form,
        Platform platform,
        ConsoleSettings settings
    )
    {
        var (typed, act) = (Typed.Of(form), form["act"].ToString());
        var version = long.TryParse(form["version"], NumberStyles.None, CultureInfo.InvariantCulture, out var seen)
            ? seen
            : throw new BadHttpRequestException("The form lacks its version.");
        try
        {
            if (act == "save")
            {
                settings.RequireWritable();
                Telemetry.Acted("template");
                await platform.PutAsync<MessageTemplate>(Path(kind, locale), typed, version);
                return Page(kind, locale, "saved");
            }

            var preview = await platform.PostAsync<TemplatePreview>($"{Path(kind, locale)}/preview", typed);
            return act == "mail"
                ? AsMail(http, preview)
                : await EditorAsync(platform, Path(kind, locale), typed, version, preview);
        }
        catch (ApiRefusalException refusal) when (refusal.Status is 400 or 412 or 422)
        {
            return await EditorAsync(platform, Path(kind, locale), typed, version, refusal: refusal);
        }
    }

    private static async Task<IResult> TestAsync(
        string kind,
        string locale,
        [FromForm] string to,
        [FromForm] string once,
        Platform platform,
        ConsoleSettings settings
    )
    {
        settings.RequireWritable();
        Telemetry.Acted("template");
        await platform.PostAsync<object>($"{Path(kind, locale)}/test", new { to }, Once.Of(once));
        return Page(kind, locale, "sent");
    }

    private static async Task<IResult> ResetAsync(
        string kind,
        string locale,
        Platform platform,
        ConsoleSettings settings
    )
    {
        settings.RequireWritable();
        Telemetry.Acted("template");
        await platform.DeleteAsync(Path(kind, locale));
        return Page(kind, locale, "reset");
    }

    private static IResult AsMail(HttpContext http, TemplatePreview preview)
    {
        http.Response.Headers.ContentSecurityPolicy = MailPolicy;
        return Results.Content(preview.Html, "text/html; charset=utf-8");
    }

    private static async Task<IResult> EditorAsync(
        Platform platform,
        string path,
        Typed typed,
        long version,
        TemplatePreview? preview = null,
        ApiRefusalException? refusal = null
    )
    {
        var saved = await platform.GetAsync<MessageTemplate>(path);
        return new RazorComponentResult<TemplateAnswer>(
            new
            {
                Template = saved with
                {
                    Subject = typed.Subject,
                    Html = typed.Html,
                    Text = typed.Text,
                    Sms = saved.Sms is null ? null : typed.Sms ?? "",
                    Version = version,
                },
                Preview = preview,
                Refusal = refusal,
            }
        )
        {
            StatusCode = refusal?.Status ?? StatusCodes.Status200OK,
        };
    }

    private static IResult Page(string kind, string locale, string done) =>
        Results.LocalRedirect(
            $"{ShopFeature.Root}/templates/{Uri.EscapeDataString(kind)}/{Uri.EscapeDataString(locale)}?done={done}"
        );
}
