namespace LocalPlus.Client.Output;

/// <summary>Lines of CSV by RFC 4180.</summary>
internal static class CsvText
{
    /// <summary>With what a spreadsheet begins a formula.</summary>
    private const string Formula = "=+-@\t\r";

    /// <summary>Text that stays text in a spreadsheet.</summary>
    public static string Text(string text) =>
        text.Length > 0 && Formula.Contains(text[0], StringComparison.Ordinal) ? $"'{text}" : text;

    public static string Line(IEnumerable<string> cells) => string.Join(',', cells.Select(Quoted));

    private static string Quoted(string cell) =>
        cell.AsSpan().ContainsAny(",\"\r\n") || cell.StartsWith(' ') || cell.EndsWith(' ')
            ? $"\"{cell.Replace("\"", "\"\"", StringComparison.Ordinal)}\""
            : cell;
}
