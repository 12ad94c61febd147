using System.Globalization;
using System.Text;
using ZXing;
using ZXing.Common;
using ZXing.OneD;
using ZXing.QrCode;

namespace LocalPlus.Notification.Mails;

/// <summary>
/// A card's code for a till's scanner, as QR and as Code 128. The pictures are tables: mail programs show neither SVG
/// nor data URLs, many keep pictures back until their reader asks for them, and an address of a picture would have the
/// code in it.
/// </summary>
internal static class CodePictures
{
    private const int ModulePixels = 6;
    private const int BarPixels = 2;
    private const int BarHeight = 60;

    public static string Qr(string code) =>
        Table(new QRCodeWriter().encode(code, BarcodeFormat.QR_CODE, 0, 0), "QR", ModulePixels, ModulePixels);

    public static string Code128(string code) =>
        Table(new Code128Writer().encode(code, BarcodeFormat.CODE_128, 0, 1), "Code 128", BarPixels, BarHeight);

    private static string Table(BitMatrix modules, string label, int width, int height)
    {
        var html = new StringBuilder("<table role=\"img\" aria-label=\"")
            .Append(label)
            .Append("\" cellpadding=\"0\" cellspacing=\"0\" border=\"0\" width=\"")
            .Append(modules.Width * width)
            .Append("\" style=\"border-collapse:collapse;table-layout:fixed;background:#ffffff\">\n<colgroup>")
            .Append(CultureInfo.InvariantCulture, $"<col span=\"{modules.Width}\" width=\"{width}\"></colgroup>\n");
        for (var y = 0; y < modules.Height; y++)
        {
            html.Append("<tr>");
            for (var x = 0; x < modules.Width; )
            {
                var from = x;
                var isDark = modules[x, y];
                while (x < modules.Width && modules[x, y] == isDark)
                {
                    x++;
                }

                var (span, colour) = (x - from, isDark ? "#000000" : "#ffffff");
                html.Append(CultureInfo.InvariantCulture, $"<td colspan=\"{span}\" width=\"{span * width}\" ")
                    .Append(CultureInfo.InvariantCulture, $"height=\"{height}\" bgcolor=\"{colour}\" ")
                    .Append("style=\"padding:0\"></td>");
            }

            html.Append("</tr>\n");
        }

        return html.Append("</table>\n").ToString();
    }
}
