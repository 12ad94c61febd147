using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Notification.Templates;

/// <summary>
/// PUT /v1/notification_templates/{kind}/{locale}: the merchant's own, from the next message on. Refusals: not_found,
/// if_match_required, version_conflict, invalid_request, template_invalid.
/// </summary>
internal static class PutTemplate
{
    /// <param name="Html">Liquid; every value is encoded.</param>
    /// <param name="Text">The same message without HTML.</param>
    /// <param name="Sms">Absent: the default's.</param>
    internal sealed record Request(string Subject, string Html, string Text, string? Sms = null);

    public static IEndpointRouteBuilder MapPutTemplate(this IEndpointRouteBuilder group)
    {
        group
            .MapPut("/notification_templates/{kind}/{locale}", HandleAsync)
            .RequireScope("notifications:write")
            .RequireIfMatch()
            .Refuses(Faults.TemplateInvalid)
            .Audit("notification_template.change")
            .WithName(nameof(PutTemplate))
            .Produces<TemplateView>();
        return group;
    }

    private static async Task<IResult> HandleAsync(
        HttpContext http,
        string kind,
        string locale,
        Request request,
        Database database,
        TimeProvider time,
        CancellationToken cancel
    )
    {
        TemplateChecks.RequireKnown(kind, locale);
        var version = http.RequireIfMatch();
        var text = TemplateChecks.Checked(kind, locale, new(request.Subject, request.Html, request.Text, request.Sms));
        await using var db = await database.BeginAsync(cancel);
        var changed = await db.QuerySingleOrDefaultAsync<TemplateRow>(
            version == 0 ? Sql.Add : Sql.Change,
            new
            {
                http.GetMerchant().MerchantId,
                Kind = kind,
                Locale = locale,
                text.Subject,
                text.Html,
                text.Text,
                text.Sms,
                Version = version,
                UpdatedAt = time.GetUtcNow(),
            }
        );
        if (changed is null)
        {
            throw new FaultException(CommonFaults.VersionConflict, "The template has another version.");
        }

        await db.CommitAsync();
        return Answer.Ok(TemplateView.Of(kind, locale, changed), changed.Version);
    }

    private static class Sql
    {
        public const string Add = $"""
            INSERT INTO notification_templates (merchant_id, kind, locale, subject, html, text, sms, version,
                   updated_at)
            VALUES (@MerchantId, @Kind, @Locale, @Subject, @Html, @Text, @Sms, @Version + 1, @UpdatedAt)
                ON CONFLICT (merchant_id, kind, locale) DO NOTHING
            RETURNING {TemplateRow.Columns}
            """;

        public const string Change = $"""
            UPDATE notification_templates
               SET subject = @Subject,
                   html = @Html,
                   text = @Text,
                   sms = @Sms,
                   version = version + 1,
                   updated_at = @UpdatedAt
             WHERE merchant_id = @MerchantId
               AND kind = @Kind
               AND locale = @Locale
               AND version = @Version
            RETURNING {TemplateRow.Columns}
            """;
    }
}
