using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Notification.Templates;

/// <summary>A row of notification_templates; without a subject the merchant went back to the default.</summary>
internal sealed record TemplateRow(
    string Kind,
    string Locale,
    string? Subject,
    string? Html,
    string? Text,
    string? Sms,
    long Version,
    DateTimeOffset UpdatedAt
)
{
    public const string Columns = "kind, locale, subject, html, text, sms, version, updated_at";

    public TemplateText? Own => Subject is null ? null : new(Subject, Html!, Text!, Sms);
}

/// <summary>Merchants' own templates.</summary>
internal sealed class TemplateStore(Database database)
{
    public Task<TemplateRow?> FindAsync(MerchantId merchant, string kind, string locale, CancellationToken cancel) =>
        database.QuerySingleOrDefaultAsync<TemplateRow>(
            Sql.Get,
            new
            {
                MerchantId = merchant,
                Kind = kind,
                Locale = locale,
            },
            cancel
        );

    public Task<IReadOnlyList<TemplateRow>> AllAsync(MerchantId merchant, CancellationToken cancel) =>
        database.QueryAsync<TemplateRow>(Sql.List, new { MerchantId = merchant }, cancel);

    private static class Sql
    {
        public const string Get = $"""
            SELECT {TemplateRow.Columns}
              FROM notification_templates
             WHERE merchant_id = @MerchantId
               AND kind = @Kind
               AND locale = @Locale
            """;

        // One for each kind and language at most.
        public const string List = $"""
            SELECT {TemplateRow.Columns}
              FROM notification_templates
             WHERE merchant_id = @MerchantId
             ORDER BY kind, locale
            """;
    }
}
