using LocalPlus.Fonts;
using PdfSharp.Drawing;
using PdfSharp.Pdf;
using ZXing;
using ZXing.QrCode;

namespace LocalPlus.Giftcard.Batches;

/// <summary>A card on a sheet.</summary>
internal sealed record PrintedCard(string Code, string? Pin);

/// <summary>
/// The cards of a batch on sheets of A4, ten on each, with lines to cut along: code as QR and as text, and the PIN.
/// Their font comes with the service (Liberation Sans, under the SIL Open Font License).
/// </summary>
internal static class CodeSheets
{
    private const int Margin = 28;
    private const int Columns = 2;
    private const int Rows = 5;
    private const int Padding = 14;
    private const int GroupLength = 4;
    private const int LetterHeight = 12;
    private const int LineHeight = 20;

    static CodeSheets() => BundledFonts.Use();

    public static byte[] Draw(IReadOnlyList<PrintedCard> cards)
    {
        using var document = new PdfDocument();
        document.Info.Title = "Gift cards";
        foreach (var sheet in cards.Chunk(Columns * Rows))
        {
            var page = document.AddPage();
            page.Size = PdfSharp.PageSize.A4;
            using var canvas = XGraphics.FromPdfPage(page);
            var width = ((int)page.Width.Point - (2 * Margin)) / Columns;
            var height = ((int)page.Height.Point - (2 * Margin)) / Rows;
            foreach (var (place, card) in sheet.Index())
            {
                var area = new XRect(
                    Margin + (place % Columns * width),
                    Margin + (place / Columns * height),
                    width,
                    height
                );
                DrawCard(canvas, card, area);
            }
        }

        using var bytes = new MemoryStream();
        document.Save(bytes, closeStream: false);
        return bytes.ToArray();
    }

    private static void DrawCard(XGraphics canvas, PrintedCard card, XRect area)
    {
        canvas.DrawRectangle(new XPen(XColors.LightGray, 1), area);
        var side = (int)area.Height - (2 * Padding);
        DrawQr(canvas, card.Code, new XRect(area.X + Padding, area.Y + Padding, side, side));
        string?[] lines =
        [
            .. card.Code.Chunk(GroupLength * 2).Select(Grouped),
            card.Pin is null ? null : $"PIN {card.Pin}",
        ];
        var font = new XFont(BundledFonts.Family, LetterHeight, XFontStyleEx.Bold);
        foreach (var (n, line) in lines.OfType<string>().Index())
        {
            var at = new XPoint(area.X + side + (2 * Padding), area.Y + (3 * Padding) + (n * LineHeight));
            canvas.DrawString(line, font, XBrushes.Black, at);
        }
    }

    private static string Grouped(char[] part) =>
        string.Join('-', part.Chunk(GroupLength).Select(group => new string(group)));

    private static void DrawQr(XGraphics canvas, string code, XRect area)
    {
        var modules = new QRCodeWriter().encode(code, BarcodeFormat.QR_CODE, 0, 0);
        var module = area.Width / modules.Width;
        for (var y = 0; y < modules.Height; y++)
        {
            for (var x = 0; x < modules.Width; )
            {
                var from = x;
                while (x < modules.Width && modules[x, y] == modules[from, y])
                {
                    x++;
                }

                if (modules[from, y])
                {
                    canvas.DrawRectangle(
                        XBrushes.Black,
                        area.X + (from * module),
                        area.Y + (y * module),
                        (x - from) * module,
                        module
                    );
                }
            }
        }
    }
}
