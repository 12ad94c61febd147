using LocalPlus.Fonts;
using PdfSharp.Drawing;
using PdfSharp.Pdf;
using ZXing;
using ZXing.Common;
using ZXing.OneD;
using ZXing.QrCode;

namespace LocalPlus.Notification.Mails;

/// <summary>
/// A digital card on a sheet of A4, to print and give. Its font comes with the service (Liberation Sans, under the SIL
/// Open Font License), so that it needs none of the machine's.
/// </summary>
internal static class CardSheet
{
    private const int Margin = 56;
    private const int QrSide = 170;
    private const int BarsHeight = 56;

    static CardSheet() => BundledFonts.Use();

    public static byte[] Draw(MailFacts facts, CardDelivery card, string locale)
    {
        var isFrench = locale == "fr";
        using var document = new PdfDocument();
        document.Info.Title = isFrench ? $"Carte cadeau {facts.Shop}" : $"{facts.Shop} gift card";
        var page = document.AddPage();
        page.Size = PdfSharp.PageSize.A4;
        using (var canvas = XGraphics.FromPdfPage(page))
        {
            var width = (int)page.Width.Point - (2 * Margin);
            var text = new Lines(canvas, Margin, width);
            text.Write(facts.Shop, 28, XFontStyleEx.Bold);
            text.Write(isFrench ? "Carte cadeau" : "Gift card", 16);
            text.Write(MailTemplates.Format(card.Amount, locale), 36, XFontStyleEx.Bold);
            if (card.From is { } giver)
            {
                text.Write(isFrench ? $"De la part de {giver}" : $"From {giver}", 13);
            }

            if (card.Message is { } message)
            {
                text.Write(message, 13);
            }

            text.Space(18);
            var rectangle = new XRect(Margin, text.Top, QrSide, QrSide);
            Fill(canvas, new QRCodeWriter().encode(card.Code, BarcodeFormat.QR_CODE, 0, 0), rectangle);
            text.Space(QrSide + 18);
            var bars = new XRect(Margin, text.Top, Math.Min(width, 320), BarsHeight);
            Fill(canvas, new Code128Writer().encode(card.Code, BarcodeFormat.CODE_128, 0, 1), bars);
            text.Space(BarsHeight + 12);
            text.Write(MailTemplates.Grouped(card.Code), 16, XFontStyleEx.Bold);
            if (card.Pin is { } pin)
            {
                text.Write(isFrench ? $"PIN : {pin}" : $"PIN: {pin}", 13);
            }

            if (card.ExpiresAt is { } end)
            {
                var day = MailTemplates.Day(end, locale);
                text.Write(isFrench ? $"Valable jusqu'au {day}" : $"Good until {day}", 11);
            }

            if (facts.Support is { } support)
            {
                text.Write(isFrench ? $"Une question ? {support}" : $"Questions? {support}", 11);
            }
        }

        using var bytes = new MemoryStream();
        document.Save(bytes, closeStream: false);
        return bytes.ToArray();
    }

    /// <summary>Draws the dark modules as large as the rectangle has room for, whole ones.</summary>
    private static void Fill(XGraphics canvas, BitMatrix modules, XRect area)
    {
        var (width, height) = (area.Width / modules.Width, area.Height / modules.Height);
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
                        area.X + (from * width),
                        area.Y + (y * height),
                        (x - from) * width,
                        height
                    );
                }
            }
        }
    }

    /// <summary>Text from the top down, broken at blanks where a line is full.</summary>
    private sealed class Lines(XGraphics canvas, int left, int width)
    {
        /// <summary>From one line to the next, in tenths of a letter's height.</summary>
        private const int Leading = 14;

        public int Top { get; private set; } = Margin;

        public void Space(int points) => Top += points;

        public void Write(string text, int size, XFontStyleEx style = XFontStyleEx.Regular)
        {
            var font = new XFont(BundledFonts.Family, size, style);
            foreach (var paragraph in text.ReplaceLineEndings("\n").Split('\n'))
            {
                var line = "";
                foreach (var word in paragraph.Split(' ').SelectMany(word => Pieces(word, font)))
                {
                    var longer = line.Length == 0 ? word : $"{line} {word}";
                    if (line.Length > 0 && canvas.MeasureString(longer, font).Width > width)
                    {
                        Put(line, font, size);
                        line = word;
                    }
                    else
                    {
                        line = longer;
                    }
                }

                Put(line, font, size);
            }
        }

        private void Put(string line, XFont font, int size)
        {
            canvas.DrawString(line, font, XBrushes.Black, new XPoint(left, Top + size));
            Top += size * Leading / 10;
        }

        /// <summary>A word, in pieces where it is wider than a line.</summary>
        private IEnumerable<string> Pieces(string word, XFont font)
        {
            while (canvas.MeasureString(word, font).Width > width && word.Length > 1)
            {
                var length = word.Length - 1;
                while (length > 1 && canvas.MeasureString(word[..length], font).Width > width)
                {
                    length--;
                }

                yield return word[..length];
                word = word[length..];
            }

            yield return word;
        }
    }
}
