using System.Globalization;
using System.Text;
using System.Text.Json;
using CsvHelper;
using CsvHelper.Configuration;
using LocalPlus.Kernel;

namespace LocalPlus.Giftcard.Imports;

/// <summary>
/// Reads the rows of a part: CSV (RFC 4180; comma, semicolon or tab) whose first line names the columns, or a JSON
/// object a line with the fields' own names. A part that can not be read as a whole is refused (invalid_request); a
/// row that can be read and is wrong is not this reader's business.
/// </summary>
internal static class ImportParser
{
    public const string Csv = "text/csv";
    public const string Ndjson = "application/x-ndjson";

    private const int FieldLengthMax = 1000;
    private const int ColumnsMax = 100;

    private static readonly CsvConfiguration Configuration = new(CultureInfo.InvariantCulture)
    {
        DetectDelimiter = true,
        DetectDelimiterValues = [",", ";", "\t"],
        MaxFieldSize = FieldLengthMax,
        IgnoreBlankLines = true,
        TrimOptions = TrimOptions.Trim,
    };

    /// <param name="columns">The merchant's own names of columns, by field.</param>
    public static IReadOnlyList<ImportText> Read(byte[] body, bool isCsv, IReadOnlyDictionary<string, string>? columns)
    {
        try
        {
            var text = new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(body).TrimStart('\uFEFF');
            var rows = isCsv ? OfCsv(text, columns) : OfLines(text);
            return rows.Count is > 0 and <= GiftcardLimits.ImportPartRowsMax
                ? rows
                : throw Unreadable($"A part has 1 to {GiftcardLimits.ImportPartRowsMax} rows.");
        }
        catch (DecoderFallbackException)
        {
            throw Unreadable("It is not UTF-8.");
        }
        catch (CsvHelperException broken)
        {
            throw Unreadable($"It can not be read at line {broken.Context?.Parser?.RawRow ?? 1}.");
        }
    }

    private static List<ImportText> OfCsv(string text, IReadOnlyDictionary<string, string>? columns)
    {
        using var csv = new CsvReader(new StringReader(text), Configuration);
        if (!csv.Read() || !csv.ReadHeader() || csv.HeaderRecord is not { Length: <= ColumnsMax } heads)
        {
            throw Unreadable($"Its first line names its columns, {ColumnsMax} at most.");
        }

        var places = ImportColumns.Find(heads, columns);
        if (!places.ContainsKey(ImportColumns.Code) || !places.ContainsKey(ImportColumns.Balance))
        {
            throw Unreadable("No column is known as code or as balance; name them in the import's columns.");
        }

        var rows = new List<ImportText>();
        while (csv.Read())
        {
            rows.Add(
                new(
                    csv.Parser.RawRow,
                    Field(ImportColumns.Code),
                    Field("pin"),
                    Field(ImportColumns.Balance),
                    Field("currency"),
                    Field("expires_at"),
                    Field("email"),
                    Field("name"),
                    Field("state")
                )
            );
        }

        return rows;

        string? Field(string name) =>
            places.TryGetValue(name, out var place)
            && csv.TryGetField<string>(place, out var value)
            && !string.IsNullOrWhiteSpace(value)
                ? value
                : null;
    }

    private static List<ImportText> OfLines(string text)
    {
        var rows = new List<ImportText>();
        var line = 0;
        foreach (var written in text.EnumerateLines())
        {
            line++;
            if (!written.IsWhiteSpace())
            {
                rows.Add(OfLine(line, written.ToString()));
            }
        }

        return rows;
    }

    private static ImportText OfLine(int line, string text)
    {
        try
        {
            using var document = JsonDocument.Parse(text, new JsonDocumentOptions { MaxDepth = 2 });
            var root = document.RootElement;
            if (
                root.ValueKind != JsonValueKind.Object
                || root.EnumerateObject().FirstOrDefault(m => !ImportColumns.Fields.Contains(m.Name))
                    is { Value.ValueKind: not JsonValueKind.Undefined }
            )
            {
                throw Unreadable($"Line {line} has members other than {string.Join(", ", ImportColumns.Fields)}.");
            }

            return new(
                line,
                Member(root, ImportColumns.Code),
                Member(root, "pin"),
                Member(root, ImportColumns.Balance),
                Member(root, "currency"),
                Member(root, "expires_at"),
                Member(root, "email"),
                Member(root, "name"),
                Member(root, "state")
            );
        }
        catch (JsonException)
        {
            throw Unreadable($"Line {line} is not a JSON object.");
        }
    }

    /// <summary>Texts, and numbers and truths as they are written.</summary>
    private static string? Member(JsonElement row, string name) =>
        row.TryGetProperty(name, out var value)
            ? value.ValueKind switch
            {
                JsonValueKind.Null => null,
                JsonValueKind.String => string.IsNullOrWhiteSpace(value.GetString()) ? null : value.GetString(),
                _ => value.GetRawText(),
            }
            : null;

    private static FaultException Unreadable(string detail) => new(CommonFaults.InvalidRequest, detail);
}
