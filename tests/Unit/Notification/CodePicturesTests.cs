using System.Text.RegularExpressions;
using LocalPlus.Notification.Mails;
using ZXing;
using ZXing.Common;

namespace LocalPlus.Tests.Unit.Notification;

public sealed partial class CodePicturesTests
{
    private const string Code = "0123456789ABCDEF";

    [Fact]
    public void A_scanner_reads_the_code_from_either_picture()
    {
        Assert.Equal((BarcodeFormat.QR_CODE, Code), Scan(CodePictures.Qr(Code)));
        Assert.Equal((BarcodeFormat.CODE_128, Code), Scan(CodePictures.Code128(Code)));
    }

    [Fact]
    public void The_mail_of_a_digital_card_shows_both_and_the_code_in_no_address()
    {
        var mail = MailTemplates.Render(
            "gift_card_delivery",
            "en",
            new MailFacts(
                "Shop",
                null,
                "CDEF",
                null,
                null,
                new CardDelivery(Code, null, new(2500, LocalPlus.Kernel.Currency.Eur), null, null)
            )
        );

        Assert.Contains(CodePictures.Qr(Code), mail.Html, StringComparison.Ordinal);
        Assert.Contains(CodePictures.Code128(Code), mail.Html, StringComparison.Ordinal);
        Assert.DoesNotContain("src=", mail.Html, StringComparison.Ordinal);
        Assert.EndsWith("</html>\n", mail.Html, StringComparison.Ordinal);
    }

    /// <summary>Draws a table's cells and hands the picture to a reader.</summary>
    private static (BarcodeFormat, string) Scan(string table)
    {
        var rows = Row()
            .Matches(table)
            .Select(row =>
                Cell()
                    .Matches(row.Value)
                    .Select(cell =>
                        (
                            Width: int.Parse(cell.Groups[1].ValueSpan),
                            Height: int.Parse(cell.Groups[2].ValueSpan),
                            IsDark: cell.Groups[3].Value == "000000"
                        )
                    )
                    .ToArray()
            )
            .ToArray();
        var (width, height) = (rows[0].Sum(cell => cell.Width), rows.Sum(row => row[0].Height));
        var pixels = rows.SelectMany(row =>
                Enumerable.Repeat(
                    row.SelectMany(cell => Enumerable.Repeat(cell.IsDark ? (byte)0 : (byte)255, cell.Width)).ToArray(),
                    row[0].Height
                )
            )
            .SelectMany(line => line)
            .ToArray();
        var picture = new RGBLuminanceSource(pixels, width, height, RGBLuminanceSource.BitmapFormat.Gray8);
        var read = new MultiFormatReader().decode(new BinaryBitmap(new HybridBinarizer(picture)));
        return (read.BarcodeFormat, read.Text);
    }

    [GeneratedRegex("<tr>.*?</tr>")]
    private static partial Regex Row();

    [GeneratedRegex("""<td colspan="\d+" width="(\d+)" height="(\d+)" bgcolor="#(000000|ffffff)" """)]
    private static partial Regex Cell();
}
