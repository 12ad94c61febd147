using LocalPlus.Hosting;

namespace LocalPlus.Notification.Templates;

/// <summary>
/// DELETE /v1/notification_templates/{kind}/{locale}: the default again, from the next message on; also where it was
/// the default already. Refusals: not_found.
/// </summary>
internal static class DeleteTemplate
{
    public static IEndpointRouteBuilder MapDeleteTemplate(this IEndpointRouteBuilder group)
    {
        group
            .MapDelete("/notification_templates/{kind}/{locale}", HandleAsync)
            .RequireScope("notifications:write")
            .Audit("notification_template.reset")
            .WithName(nameof(DeleteTemplate))
            .Produces(StatusCodes.Status204NoContent);
        return group;
    }

    private static async Task<IResult> HandleAsync(
        HttpContext http,
        string kind,
        string locale,
        Database database,
        TimeProvider time,
        CancellationToken cancel
    )
    {
        TemplateChecks.RequireKnown(kind, locale);
        await using var db = await database.BeginAsync(cancel);
        await db.ExecuteAsync(
            Sql.Reset,
            new
            {
                http.GetMerchant().MerchantId,
                Kind = kind,
                Locale = locale,
                UpdatedAt = time.GetUtcNow(),
            }
        );
        await db.CommitAsync();
        return Results.NoContent();
    }

    private static class Sql
    {
        public const string Reset = """
            UPDATE notification_templates
               SET subject = NULL,
                   html = NULL,
                   text = NULL,
                   sms = NULL,
                   version = version + 1,
                   updated_at = @UpdatedAt
             WHERE merchant_id = @MerchantId
               AND kind = @Kind
               AND locale = @Locale
               AND subject IS NOT NULL
            """;
    }
}
