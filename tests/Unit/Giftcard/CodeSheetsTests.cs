using System.Text;
using LocalPlus.Giftcard;
using LocalPlus.Giftcard.Batches;
using PdfSharp.Pdf.IO;

namespace LocalPlus.Tests.Unit.Giftcard;

[Collection("fonts")]
public sealed class CodeSheetsTests
{
    [Theory]
    [InlineData(1, 1)]
    [InlineData(10, 1)]
    [InlineData(11, 2)]
    [InlineData(GiftcardLimits.BatchSheetsMax, 50)]
    public void Ten_cards_are_on_a_sheet_of_A4(int cards, int sheets)
    {
        var bytes = CodeSheets.Draw([
            .. Enumerable
                .Range(0, cards)
                .Select(n => new PrintedCard($"0123456789AB{n:0000}", n % 2 == 0 ? "4711" : null)),
        ]);

        using var stream = new MemoryStream(bytes);
        using var document = PdfReader.Open(stream, PdfDocumentOpenMode.Import);
        Assert.Equal(sheets, document.PageCount);
        Assert.Equal((595, 842), ((int)document.Pages[0].Width.Point, (int)document.Pages[0].Height.Point));
        Assert.Contains("/FontFile2", Encoding.Latin1.GetString(bytes), StringComparison.Ordinal);
        // It travels in an answer, and is kept there for repeats.
        Assert.InRange(bytes.Length, 1, 4 * 1024 * 1024);
    }
}
