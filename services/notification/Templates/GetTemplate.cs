using LocalPlus.Hosting;

namespace LocalPlus.Notification.Templates;

/// <summary>
/// GET /v1/notification_templates/{kind}/{locale}: the merchant's own or the default; its version is the ETag.
/// Refusals: not_found.
/// </summary>
internal static class GetTemplate
{
    public static IEndpointRouteBuilder MapGetTemplate(this IEndpointRouteBuilder group)
    {
        group
            .MapGet("/notification_templates/{kind}/{locale}", HandleAsync)
            .RequireScope("notifications:read")
            .WithName(nameof(GetTemplate))
            .Produces<TemplateView>();
        return group;
    }

    private static async Task<IResult> HandleAsync(
        HttpContext http,
        string kind,
        string locale,
        TemplateStore templates,
        CancellationToken cancel
    )
    {
        TemplateChecks.RequireKnown(kind, locale);
        var row = await templates.FindAsync(http.GetMerchant().MerchantId, kind, locale, cancel);
        return Answer.Ok(TemplateView.Of(kind, locale, row), row?.Version ?? 0);
    }
}
