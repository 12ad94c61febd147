using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Notification.Templates;

/// <summary>A template without its parts, for the list.</summary>
internal sealed record TemplateSummary(
    string Object,
    string Kind,
    string Locale,
    bool IsDefault,
    long Version,
    DateTimeOffset? UpdatedAt
)
{
    public static TemplateSummary Of(string kind, string locale, TemplateRow? row) =>
        new("notification_template", kind, locale, row?.Own is null, row?.Version ?? 0, row?.UpdatedAt);
}

/// <summary>A template. Version 0: the merchant has written none.</summary>
/// <param name="Variables">The names that may stand in it.</param>
internal sealed record TemplateView(
    string Object,
    string Kind,
    string Locale,
    bool IsDefault,
    string Subject,
    string Html,
    string Text,
    string? Sms,
    IReadOnlyList<string> Variables,
    long Version,
    DateTimeOffset? UpdatedAt
)
{
    public static TemplateView Of(string kind, string locale, TemplateRow? row)
    {
        var text = row?.Own ?? DefaultTemplates.Of(kind, locale);
        return new(
            "notification_template",
            kind,
            locale,
            row?.Own is null,
            text.Subject,
            text.Html,
            text.Text,
            text.Sms,
            [.. TemplateKinds.Variables(kind).Order(StringComparer.Ordinal)],
            row?.Version ?? 0,
            row?.UpdatedAt
        );
    }
}

/// <summary>What requests about templates have in common.</summary>
internal static class TemplateChecks
{
    /// <summary>Refuses a kind that merchants do not write themselves, and a language that there is not.</summary>
    public static void RequireKnown(string kind, string locale)
    {
        if (!TemplateKinds.IsKnown(kind, locale))
        {
            throw new FaultException(CommonFaults.NotFound, "There is no such template.");
        }
    }

    /// <summary>
    /// Refuses a template that could not be sent: invalid_request for its sizes, template_invalid with what is wrong in
    /// which part.
    /// </summary>
    public static TemplateText Checked(string kind, string locale, TemplateText text)
    {
        new FieldChecks()
            .Text(text.Subject, "/subject", TemplateLimits.SubjectLength)
            .Message(text.Html, "/html", TemplateLimits.HtmlLength)
            .Message(text.Text, "/text", TemplateLimits.TextLength)
            .Message(text.Sms, "/sms", TemplateLimits.SmsLength)
            .Require(text.Sms is null || Readers.SmsKinds.Contains(kind), "/sms", "not_by_sms")
            .ThrowIfAny();
        var variables = TemplateKinds.Variables(kind);
        (string Pointer, string? Part, bool IsHtml)[] parts =
        [
            ("/subject", text.Subject, false),
            ("/html", text.Html, true),
            ("/text", text.Text, false),
            ("/sms", text.Sms, false),
        ];
        var wrong = parts
            .Where(part => part.Part is not null)
            .Select(part => (part.Pointer, Problem: TemplateLanguage.Problem(part.Part!, variables, part.IsHtml)))
            .Where(part => part.Problem is not null)
            .ToArray();
        if (wrong.Length > 0)
        {
            throw new FaultException(
                Faults.TemplateInvalid,
                string.Join(' ', wrong.Select(part => $"{part.Pointer}: {part.Problem!.Detail}")),
                [.. wrong.Select(part => new FieldError(part.Pointer, part.Problem!.Code))]
            );
        }

        _ = TemplateSamples.Render(kind, locale, text);
        return text;
    }
}
