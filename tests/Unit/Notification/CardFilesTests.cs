using System.Text;
using LocalPlus.Kernel;
using LocalPlus.Notification.Mails;
using PdfSharp.Pdf.IO;

namespace LocalPlus.Tests.Unit.Notification;

[Collection("fonts")]
public sealed class CardFilesTests
{
    private static readonly CardDelivery Card = new(
        "0123456789ABCDEF",
        "4711",
        new(2500, Currency.Eur),
        "Max",
        "Alles Gute zum Geburtstag, \u017elu\u0165ou\u010dk\u00fd k\u016f\u0148!\n" + new string('w', 300),
        new DateTimeOffset(2030, 12, 31, 0, 0, 0, TimeSpan.Zero)
    );

    private static readonly MailFacts Facts = new(
        "Fish; Chips, \u00c9t\u00e9 & S\u00f6hne, der Laden an der langen Stra\u00dfe",
        null,
        "CDEF",
        null,
        null,
        Card
    );

    [Theory]
    [InlineData("en", "gift-card.pdf", "good-until.ics")]
    [InlineData("fr", "carte-cadeau.pdf", "echeance.ics")]
    public void A_card_that_ends_has_a_sheet_and_a_day(string locale, string sheet, string day) =>
        Assert.Equal([sheet, day], CardFiles.Of(Facts, locale, "gc_1").Select(file => file.Name));

    [Fact]
    public void Only_a_card_has_files_and_one_that_does_not_end_has_no_day()
    {
        Assert.Empty(CardFiles.Of(Facts with { Delivery = null }, "en", "ntf_1"));
        var file = Assert.Single(CardFiles.Of(Facts with { Delivery = Card with { ExpiresAt = null } }, "en", "gc_1"));
        Assert.Equal("application/pdf", file.MediaType);
    }

    [Fact]
    public void A_reminder_carries_the_day_alone_and_is_rung_a_week_before()
    {
        var facts = Facts with
        {
            Delivery = null,
            ExpiresAt = new DateTimeOffset(2030, 12, 31, 0, 0, 0, TimeSpan.Zero),
        };
        var file = Assert.Single(CardFiles.Of(facts, "en", "gc_1"));
        var text = Encoding.UTF8.GetString(file.Content);

        Assert.Equal("good-until.ics", file.Name);
        Assert.Contains("DTSTART;VALUE=DATE:20301231\r\n", text, StringComparison.Ordinal);
        Assert.Contains("TRIGGER:-P7D\r\n", text, StringComparison.Ordinal);
    }

    [Fact]
    public void The_sheet_is_one_page_of_A4_with_fonts_of_its_own()
    {
        var bytes = CardFiles.Of(Facts, "en", "gc_1").First().Content;
        using var stream = new MemoryStream(bytes);
        using var document = PdfReader.Open(stream, PdfDocumentOpenMode.Import);

        Assert.Equal(1, document.PageCount);
        Assert.Equal((595, 842), ((int)document.Pages[0].Width.Point, (int)document.Pages[0].Height.Point));
        Assert.Contains("/FontFile2", Encoding.Latin1.GetString(bytes), StringComparison.Ordinal);
        Assert.InRange(bytes.Length, 1, 512 * 1024);
    }

    [Fact]
    public void The_day_is_a_calendar_s_own_format_with_short_lines()
    {
        var bytes = CardFiles.Of(Facts, "en", "gc_1").Last().Content;
        var text = Encoding.UTF8.GetString(bytes);

        Assert.All(text.Split("\r\n"), line => Assert.InRange(Encoding.UTF8.GetByteCount(line), 0, 75));
        Assert.EndsWith("END:VCALENDAR\r\n", text, StringComparison.Ordinal);
        var unfolded = text.Replace("\r\n ", "", StringComparison.Ordinal);
        Assert.Contains("DTSTART;VALUE=DATE:20301231\r\n", unfolded, StringComparison.Ordinal);
        Assert.Contains("DTEND;VALUE=DATE:20310101\r\n", unfolded, StringComparison.Ordinal);
        Assert.Contains("UID:gc_1@localplus\r\n", unfolded, StringComparison.Ordinal);
        Assert.Contains(
            "SUMMARY:Last day of your Fish\\; Chips\\, Été & Söhne\\, der Laden an der langen Straße gift card\r\n",
            unfolded,
            StringComparison.Ordinal
        );
        Assert.DoesNotContain(Card.Code, text, StringComparison.Ordinal);
    }
}
