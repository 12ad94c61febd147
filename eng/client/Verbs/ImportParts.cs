using System.Text;

namespace LocalPlus.Client.Verbs;

/// <summary>A file in parts as large as the API takes them; each part of a CSV has the file's head.</summary>
internal static class ImportParts
{
    private const int MaxBytes = 1 << 20;
    private const int MaxRows = 20_000;
    private const int MaxParts = 1_000;

    public static IReadOnlyList<string> Split(string text, bool isCsv)
    {
        var records = Records(text, isCsv).ToList();
        var head = isCsv && records.Count > 0 ? records[0] : "";
        var parts = new List<string>();
        var part = new StringBuilder();
        var (rows, bytes) = (0, 0);
        foreach (var record in records.Skip(head.Length > 0 ? 1 : 0))
        {
            var size = Encoding.UTF8.GetByteCount(record);
            if (rows > 0 && (rows == MaxRows || bytes + size > MaxBytes))
            {
                parts.Add(part.ToString());
                part.Clear();
                rows = 0;
            }

            if (rows == 0)
            {
                part.Append(head);
                bytes = Encoding.UTF8.GetByteCount(head);
            }

            part.Append(record);
            bytes += size;
            rows++;
        }

        if (rows > 0)
        {
            parts.Add(part.ToString());
        }

        return parts.Count is > 0 and <= MaxParts
            ? parts
            : throw new CliFailure(
                ExitCodes.Usage,
                parts.Count == 0 ? "the file has no rows" : $"the file is more than {MaxParts} parts of 1 MiB",
                "an import has 1,000,000 rows at most; divide the file"
            );
    }

    /// <summary>Lines with their ends; one that ends within quotes goes on in the next.</summary>
    private static IEnumerable<string> Records(string text, bool isCsv)
    {
        var start = 0;
        var isQuoted = false;
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] == '"' && isCsv)
            {
                isQuoted = !isQuoted;
            }
            else if (text[i] == '\n' && !isQuoted)
            {
                yield return text[start..(i + 1)];
                start = i + 1;
            }
        }

        if (start < text.Length)
        {
            yield return $"{text[start..]}\n";
        }
    }
}
