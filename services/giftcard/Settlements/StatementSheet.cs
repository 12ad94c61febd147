using System.Globalization;
using LocalPlus.Fonts;
using LocalPlus.Giftcard.Reports;
using LocalPlus.Kernel;
using PdfSharp.Drawing;
using PdfSharp.Pdf;

namespace LocalPlus.Giftcard.Settlements;

/// <summary>A line of a statement's table; an amount that is null is an empty field.</summary>
internal sealed record SheetLine(string Text, string? Captured, string? Refunded, string? Commission, string? Balance);

/// <summary>
/// A statement on one sheet of A4: opening balance, the movements of each day with the balance after them, closing
/// balance.
/// </summary>
internal static class StatementSheet
{
    private const int Margin = 42;
    private const int LineHeight = 17;
    private const int TitleHeight = 16;
    private const int LetterHeight = 9;
    private const int TableTop = 150;

    /// <summary>Where the columns of amounts end, from the left.</summary>
    private static readonly int[] Columns = [280, 370, 460, 553];

    static StatementSheet() => BundledFonts.Use();

    public static byte[] Draw(StatementRow statement)
    {
        using var document = new PdfDocument();
        document.Info.Title = $"Settlement {Month.Name(statement.Month)}";
        var page = document.AddPage();
        page.Size = PdfSharp.PageSize.A4;
        using (var canvas = XGraphics.FromPdfPage(page))
        {
            var title = new XFont(BundledFonts.Family, TitleHeight, XFontStyleEx.Bold);
            var text = new XFont(BundledFonts.Family, LetterHeight, XFontStyleEx.Regular);
            canvas.DrawString(document.Info.Title, title, XBrushes.Black, new XPoint(Margin, 60));
            foreach (var (n, line) in Head(statement).Index())
            {
                canvas.DrawString(line, text, XBrushes.Black, new XPoint(Margin, 80 + (n * LineHeight)));
            }

            foreach (var (n, line) in Table(statement).Index())
            {
                DrawLine(canvas, text, line, TableTop + (n * LineHeight));
            }
        }

        using var bytes = new MemoryStream();
        document.Save(bytes, closeStream: false);
        return bytes.ToArray();
    }

    /// <summary>What stands above the table.</summary>
    internal static IReadOnlyList<string> Head(StatementRow s) =>
        [
            $"Statement {s.StatementId}, closed {s.ClosedAt.UtcDateTime:yyyy-MM-dd HH:mm} UTC",
            $"Issuer of the cards {s.IssuerId}",
            $"Merchant that took them {s.MerchantId}: what the issuer owes it, in {s.Currency}",
        ];

    /// <summary>The table, from the names of its columns to the closing balance.</summary>
    internal static IReadOnlyList<SheetLine> Table(StatementRow s)
    {
        var currency = Currency.Parse(s.Currency);
        var balance = s.Opening;
        var lines = new List<SheetLine>
        {
            new("Date", "Captured", "Refunded", "Commission", "Balance"),
            new("Opening balance", null, null, null, Text(s.Opening, currency)),
        };
        foreach (var (date, captured, refunded, commission) in s.Movements())
        {
            balance = checked(balance + captured - refunded - commission);
            lines.Add(
                new(
                    date?.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture) ?? "Of closed months",
                    Text(captured, currency),
                    Text(refunded, currency),
                    Text(commission, currency),
                    Text(balance, currency)
                )
            );
        }

        lines.Add(
            new(
                $"Total of {s.Redemptions} redemptions, {s.Refunds} refunds",
                Text(s.Captured, currency),
                Text(s.Refunded, currency),
                Text(s.Commission, currency),
                null
            )
        );
        lines.Add(new("Closing balance", null, null, null, Text(s.Closing, currency)));
        return lines;
    }

    private static void DrawLine(XGraphics canvas, XFont font, SheetLine line, int y)
    {
        canvas.DrawString(line.Text, font, XBrushes.Black, new XPoint(Margin, y));
        string?[] amounts = [line.Captured, line.Refunded, line.Commission, line.Balance];
        foreach (var (right, amount) in Columns.Zip(amounts))
        {
            if (amount is not null)
            {
                var width = canvas.MeasureString(amount, font).Width;
                canvas.DrawString(amount, font, XBrushes.Black, new XPoint(right - width, y));
            }
        }
    }

    /// <summary>Whole units and decimals, without a float in between.</summary>
    private static string Text(long amount, Currency currency)
    {
        var unit = currency.Units(1);
        var sign = amount < 0 ? "-" : "";
        var whole = Math.Abs(amount / unit).ToString(CultureInfo.InvariantCulture);
        var rest = Math.Abs(amount % unit).ToString(CultureInfo.InvariantCulture).PadLeft(currency.Exponent, '0');
        return currency.Exponent == 0 ? $"{sign}{whole}" : $"{sign}{whole}.{rest}";
    }
}
