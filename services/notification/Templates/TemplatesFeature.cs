namespace LocalPlus.Notification.Templates;

/// <summary>What messages say, as data.</summary>
internal static class TemplatesFeature
{
    public static IEndpointRouteBuilder MapTemplates(this IEndpointRouteBuilder merchants)
    {
        merchants.MapListTemplates().MapGetTemplate().MapPutTemplate().MapDeleteTemplate();
        return merchants.MapPreviewTemplate().MapTestTemplate();
    }
}
