using LocalPlus.Hosting;

namespace LocalPlus.Notification.Templates;

/// <summary>
/// POST /v1/notification_templates/{kind}/{locale}/preview: what a message would look like, with values of nobody.
/// Parts that are sent are taken in place of those that are saved; nothing is kept. Refusals: not_found,
/// invalid_request, template_invalid.
/// </summary>
internal static class PreviewTemplate
{
    internal sealed record Request(
        string? Subject = null,
        string? Html = null,
        string? Text = null,
        string? Sms = null
    );

    internal sealed record Preview(string Object, string Subject, string Html, string Text, string? Sms);

    public static IEndpointRouteBuilder MapPreviewTemplate(this IEndpointRouteBuilder group)
    {
        group
            .MapPost("/notification_templates/{kind}/{locale}/preview", HandleAsync)
            .RequireScope("notifications:read")
            .Refuses(Faults.TemplateInvalid)
            .WithName(nameof(PreviewTemplate))
            .Produces<Preview>();
        return group;
    }

    private static async Task<IResult> HandleAsync(
        HttpContext http,
        string kind,
        string locale,
        Request request,
        TemplateStore templates,
        CancellationToken cancel
    )
    {
        TemplateChecks.RequireKnown(kind, locale);
        var row = await templates.FindAsync(http.GetMerchant().MerchantId, kind, locale, cancel);
        var saved = row?.Own ?? DefaultTemplates.Of(kind, locale);
        var text = TemplateChecks.Checked(
            kind,
            locale,
            new(
                request.Subject ?? saved.Subject,
                request.Html ?? saved.Html,
                request.Text ?? saved.Text,
                request.Sms ?? saved.Sms
            )
        );
        var sample = TemplateSamples.Render(kind, locale, text);
        return Answer.Ok(new Preview("notification_preview", sample.Subject, sample.Html, sample.Text, sample.Sms));
    }
}
