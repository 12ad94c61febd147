using System.Globalization;
using System.Text;

namespace LocalPlus.Notification.Mails;

/// <summary>
/// What goes with mails about cards: with the one that carries a digital card a sheet to print, and with that one and
/// the one before its end the day its value ends, for a calendar.
/// </summary>
internal static class CardFiles
{
    private const int FoldBytes = 73;

    /// <summary>When the calendar reminds of the day whose mail comes long before it, and of one that is
    /// near.</summary>
    private const string MonthBefore = "-P30D";
    private const string WeekBefore = "-P7D";

    /// <param name="id">What the calendar knows the day by; the card's, not its code.</param>
    public static IEnumerable<MailFile> Of(MailFacts facts, string locale, string id)
    {
        if (facts.Delivery is { } card)
        {
            yield return new(
                locale == "fr" ? "carte-cadeau.pdf" : "gift-card.pdf",
                "application/pdf",
                CardSheet.Draw(facts, card, locale)
            );
        }

        if (facts.EndsAt is { } end)
        {
            yield return new(
                locale == "fr" ? "echeance.ics" : "good-until.ics",
                "text/calendar; charset=utf-8; method=PUBLISH",
                Calendar(facts, end, locale, id)
            );
        }
    }

    /// <summary>An all-day event on the last day, with a reminder before it (RFC 5545).</summary>
    private static byte[] Calendar(MailFacts facts, DateTimeOffset end, string locale, string id)
    {
        var summary =
            locale == "fr"
                ? $"Dernier jour de votre carte cadeau {facts.Shop}"
                : $"Last day of your {facts.Shop} gift card";
        var day = end.UtcDateTime.Date;
        string[] lines =
        [
            "BEGIN:VCALENDAR",
            "VERSION:2.0",
            "PRODID:-//LocalPlus//notification//EN",
            "METHOD:PUBLISH",
            "BEGIN:VEVENT",
            $"UID:{id}@localplus",
            $"DTSTAMP:{Stamp(day)}T000000Z",
            $"DTSTART;VALUE=DATE:{Stamp(day)}",
            $"DTEND;VALUE=DATE:{Stamp(day.AddDays(1))}",
            $"SUMMARY:{Escape(summary)}",
            "TRANSP:TRANSPARENT",
            "BEGIN:VALARM",
            "ACTION:DISPLAY",
            $"TRIGGER:{(facts.Delivery is null ? WeekBefore : MonthBefore)}",
            $"DESCRIPTION:{Escape(summary)}",
            "END:VALARM",
            "END:VEVENT",
            "END:VCALENDAR",
        ];
        return Encoding.UTF8.GetBytes(string.Concat(lines.Select(line => Fold(line) + "\r\n")));
    }

    private static string Stamp(DateTime day) => day.ToString("yyyyMMdd", CultureInfo.InvariantCulture);

    private static string Escape(string text) =>
        text.Replace("\\", "\\\\", StringComparison.Ordinal)
            .Replace(";", "\\;", StringComparison.Ordinal)
            .Replace(",", "\\,", StringComparison.Ordinal)
            .ReplaceLineEndings("\\n");

    /// <summary>A line has at most 75 bytes; what is longer goes on after a blank.</summary>
    private static string Fold(string line)
    {
        var folded = new StringBuilder();
        var bytes = 0;
        foreach (var rune in line.EnumerateRunes())
        {
            bytes += rune.Utf8SequenceLength;
            if (bytes > FoldBytes)
            {
                folded.Append("\r\n ");
                bytes = rune.Utf8SequenceLength;
            }

            folded.Append(rune);
        }

        return folded.ToString();
    }
}
