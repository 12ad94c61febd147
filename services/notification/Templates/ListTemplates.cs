using LocalPlus.Hosting;

namespace LocalPlus.Notification.Templates;

/// <summary>
/// GET /v1/notification_templates: every kind and language of what the merchant's customers get, its own or the
/// default. All of them are one page.
/// </summary>
internal static class ListTemplates
{
    public static IEndpointRouteBuilder MapListTemplates(this IEndpointRouteBuilder group)
    {
        group
            .MapGet("/notification_templates", HandleAsync)
            .RequireScope("notifications:read")
            .WithName(nameof(ListTemplates))
            .Produces<Page<TemplateSummary>>();
        return group;
    }

    private static async Task<IResult> HandleAsync(HttpContext http, TemplateStore templates, CancellationToken cancel)
    {
        var own = (await templates.AllAsync(http.GetMerchant().MerchantId, cancel)).ToDictionary(row =>
            (row.Kind, row.Locale)
        );
        var all =
            from kind in TemplateKinds.All
            from locale in TemplateKinds.Locales
            select TemplateSummary.Of(kind, locale, own.GetValueOrDefault((kind, locale)));
        return Answer.Ok(new Page<TemplateSummary>([.. all], null, false));
    }
}
