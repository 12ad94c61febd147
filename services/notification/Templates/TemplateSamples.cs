using LocalPlus.Kernel;
using LocalPlus.Notification.Mails;
using LocalPlus.Notification.Readers;

namespace LocalPlus.Notification.Templates;

/// <summary>A message about nobody, to look at.</summary>
internal static class TemplateSamples
{
    internal sealed record Sample(string Subject, string Html, string Text, string? Sms);

    /// <param name="shop">The merchant's name, where it is known.</param>
    /// <param name="support">Its customers' address, where it is known.</param>
    public static MailFacts Facts(string kind, string? shop = null, string? support = null)
    {
        var amount = new Money(5000, Currency.Eur);
        var end = new DateTimeOffset(2030, 12, 31, 0, 0, 0, TimeSpan.Zero);
        return new(
            shop ?? "Le Fournil",
            "Anna",
            "7Q2M",
            amount,
            "rdm_sample",
            kind == NotificationKinds.GiftCardDelivery
                ? new("SAMPLE0CARD07Q2M", "0000", amount, "Max", "Happy birthday!\nEnjoy it.", end)
                : null,
            support ?? "help@example.com",
            NotificationKinds.IsDeclinable(kind) ? new Uri("https://example.com/unsubscribe/sample") : null,
            kind == NotificationKinds.CardExpiring ? end : null
        );
    }

    /// <summary>Refuses with template_invalid what takes too long to render.</summary>
    public static Sample Render(string kind, string locale, TemplateText text)
    {
        try
        {
            var facts = Facts(kind);
            var mail = MailTemplates.Render(kind, locale, facts, text);
            var sms = SmsKinds.Contains(kind) ? MailTemplates.RenderSms(kind, locale, facts, text) : null;
            return new(mail.Subject, mail.Html, mail.Text, sms);
        }
        catch (TemplateTooCostlyException costly)
        {
            throw new FaultException(Faults.TemplateInvalid, costly.Message, new FieldError("/html", "too_costly"));
        }
    }
}
