using PdfSharp.Fonts;

namespace LocalPlus.Fonts;

/// <summary>
/// Liberation Sans, which comes with the service (SIL Open Font License), so that sheets need none of the machine's
/// fonts. Compiled into each service that prints: one resolver is a process's.
/// </summary>
internal sealed class BundledFonts : IFontResolver
{
    public const string Family = "Liberation Sans";

    private BundledFonts() { }

    /// <summary>Before the first sheet. Once it was used it can not be another.</summary>
    public static void Use() => GlobalFontSettings.FontResolver ??= new BundledFonts();

    public FontResolverInfo ResolveTypeface(string familyName, bool isBold, bool isItalic) =>
        new(isBold ? "LiberationSans-Bold" : "LiberationSans-Regular");

    public byte[] GetFont(string faceName)
    {
        using var font =
            typeof(BundledFonts).Assembly.GetManifestResourceStream($"fonts/{faceName}.ttf")
            ?? throw new InvalidOperationException($"The service lacks its font {faceName}.");
        using var bytes = new MemoryStream();
        font.CopyTo(bytes);
        return bytes.ToArray();
    }
}
