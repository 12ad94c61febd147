using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using LocalPlus.Kernel;
using LocalPlus.Notification.Templates;

namespace LocalPlus.Notification.Mails;

/// <summary>What a message says, without who it goes to.</summary>
/// <param name="Shop">The merchant's name, as its customers know it.</param>
/// <param name="Name">The reader's name, if known.</param>
/// <param name="Last4">The last four characters of the card's code; more of it only in the mail that carries the
/// card.</param>
/// <param name="Support">Where the merchant's customers turn to.</param>
/// <param name="Unsubscribe">Where the reader asks for no more of the kind; null where there is no such choice.</param>
/// <param name="ExpiresAt">When the card ends that is written about for that.</param>
internal sealed record MailFacts(
    string Shop,
    string? Name,
    string? Last4,
    Money? Amount,
    string? Reference,
    CardDelivery? Delivery = null,
    string? Support = null,
    Uri? Unsubscribe = null,
    DateTimeOffset? ExpiresAt = null
)
{
    /// <summary>The day that a calendar is told of; null for none.</summary>
    public DateTimeOffset? EndsAt => Delivery is { } card ? card.ExpiresAt : ExpiresAt;
}

/// <summary>A finished message; the text says what the HTML says.</summary>
internal sealed record Mail(string Subject, string Html, string Text);

/// <summary>Puts facts into templates.</summary>
internal static partial class MailTemplates
{
    /// <summary>
    /// The message by the merchant's own template, or the one that everybody has. Throws
    /// <see cref="FormatException"/> or <see cref="TemplateTooCostlyException"/> for a template of its own that can
    /// not be rendered.
    /// </summary>
    public static Mail Render(string kind, string locale, MailFacts facts, TemplateText? own = null)
    {
        var template = own ?? DefaultTemplates.Of(kind, locale);
        var values = Values(locale, facts);
        return new(
            Subject(TemplateLanguage.Render(template.Subject, values, isHtml: false)),
            TemplateLanguage.Render(template.Html, values, isHtml: true),
            Gaps().Replace(TemplateLanguage.Render(template.Text, values, isHtml: false).Trim(), "\n\n") + "\n"
        );
    }

    /// <summary>The message as an SMS, of one line; null where the kind has none.</summary>
    public static string? RenderSms(string kind, string locale, MailFacts facts, TemplateText? own = null)
    {
        var template = own?.Sms ?? DefaultTemplates.Of(kind, locale).Sms;
        return template is null
            ? null
            : Cut(
                Blanks().Replace(TemplateLanguage.Render(template, Values(locale, facts), isHtml: false).Trim(), " "),
                TemplateLimits.RenderedSmsLength
            );
    }

    /// <summary>The amount with its currency's own number of decimals: 50.00 EUR, 50,00 EUR, 5000 JPY.</summary>
    internal static string Format(Money? amount, string locale)
    {
        if (amount is not { } money)
        {
            return "-";
        }

        var decimals = money.Currency.Exponent;
        var digits = Math.Abs(money.MinorUnits).ToString(CultureInfo.InvariantCulture).PadLeft(decimals + 1, '0');
        var text = new StringBuilder(money.MinorUnits < 0 ? "-" : "").Append(
            digits.AsSpan(0, digits.Length - decimals)
        );
        if (decimals > 0)
        {
            text.Append(locale == "fr" ? ',' : '.').Append(digits.AsSpan(digits.Length - decimals));
        }

        return text.Append(' ').Append(money.Currency.Code).ToString();
    }

    /// <summary>The code as people read it, in groups of four.</summary>
    internal static string Grouped(string code) => string.Join('-', code.Chunk(4).Select(c => new string(c)));

    /// <summary>A day as its readers write it: 24 December 2026, 24 décembre 2026.</summary>
    internal static string Day(DateTimeOffset day, string locale) =>
        string.Create(CultureInfo.InvariantCulture, $"{day.Day} {Months(locale)[day.Month - 1]} {day.Year}");

    private static Dictionary<string, TemplateValue> Values(string locale, MailFacts facts)
    {
        var values = new Dictionary<string, TemplateValue>(StringComparer.Ordinal);
        Add("shop", facts.Shop);
        Add("name", facts.Name);
        Add("last4", facts.Last4);
        Add("amount", Format(facts.Amount, locale));
        Add("reference", facts.Reference);
        Add("support", facts.Support);
        Add("unsubscribe_url", facts.Unsubscribe?.AbsoluteUri);
        Add("expires_on", facts.EndsAt is { } end ? Day(end, locale) : null);
        if (facts.Delivery is { } card)
        {
            Add("amount", Format(card.Amount, locale));
            Add("from", card.From);
            Add("message", card.Message);
            Add("code", Grouped(card.Code));
            Add("pin", card.Pin);
            values["qr"] = new("", CodePictures.Qr(card.Code));
            values["code128"] = new("", CodePictures.Code128(card.Code));
        }

        return values;

        void Add(string name, string? text)
        {
            if (text is not null)
            {
                values[name] = new(text);
            }
        }
    }

    private static string[] Months(string locale) =>
        locale == "fr"
            ? "janvier février mars avril mai juin juillet août septembre octobre novembre décembre".Split(' ')
            : "January February March April May June July August September October November December".Split(' ');

    /// <summary>One line, as a header has.</summary>
    private static string Subject(string rendered) =>
        Cut(Blanks().Replace(rendered, " ").Trim(), TemplateLimits.SubjectLength);

    private static string Cut(string text, int length)
    {
        var parts = new StringInfo(text);
        return parts.LengthInTextElements <= length ? text : parts.SubstringByTextElements(0, length - 1) + "…";
    }

    [GeneratedRegex(@"\n\s*\n(?:\s*\n)*")]
    private static partial Regex Gaps();

    [GeneratedRegex(@"[\s\p{C}]+")]
    private static partial Regex Blanks();
}
