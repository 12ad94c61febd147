using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace LocalPlus.Client.Output;

/// <summary>Data on standard output, in the form that was asked for.</summary>
internal static class Printer
{
    private static readonly JsonWriterOptions ForPeople = new()
    {
        Indented = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <param name="body">What `json` prints.</param>
    public static void Rows(OutputFormat format, string body, IReadOnlyList<JsonObject> rows, Column[] columns)
    {
        switch (format)
        {
            case OutputFormat.Json:
                Json(body);
                break;
            case OutputFormat.Lines:
                foreach (var row in rows)
                {
                    Console.WriteLine(row.ToJsonString());
                }

                break;
            case OutputFormat.Csv:
                Csv(rows, Known(rows, columns));
                break;
            default:
                Terminal.List([
                    [.. Known(rows, columns).Select(c => c.Path)],
                    .. rows.Select(row =>
                        Known(rows, columns).Select(c => Cells.ForPeople(Cells.At(row, c.Path))).ToArray()
                    ),
                ]);
                break;
        }
    }

    public static void Show(OutputFormat format, string body, JsonObject shown)
    {
        switch (format)
        {
            case OutputFormat.Json or OutputFormat.Lines:
                Json(body);
                break;
            case OutputFormat.Csv:
                Csv([shown], Known([shown], []));
                break;
            default:
                Whole(shown);
                break;
        }
    }

    /// <summary>As it came where a program reads, indented where people do.</summary>
    public static void Json(string text)
    {
        if (Console.IsOutputRedirected || JsonNode.Parse(text) is not { } node)
        {
            Console.WriteLine(text);
            return;
        }

        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer, ForPeople))
        {
            node.WriteTo(writer);
        }

        Console.WriteLine(Encoding.UTF8.GetString(buffer.ToArray()));
    }

    /// <summary>The columns that the verb names, else all that the rows have.</summary>
    private static Column[] Known(IReadOnlyList<JsonObject> rows, Column[] columns) =>
        columns.Length > 0
            ? columns
            :
            [
                .. rows.SelectMany(row => Cells.Flat(row))
                    .GroupBy(cell => cell.Path)
                    .Select(cells => new Column(cells.Key, cells.Any(cell => Cells.IsMoney(cell.Value)))),
            ];

    private static void Csv(IReadOnlyList<JsonObject> rows, Column[] columns)
    {
        string[] paths =
        [
            .. columns.SelectMany(c => c.IsMoney ? new[] { $"{c.Path}.amount", $"{c.Path}.currency" } : [c.Path]),
        ];
        Console.WriteLine(CsvText.Line(paths));
        foreach (var row in rows)
        {
            Console.WriteLine(CsvText.Line(paths.Select(path => Cells.ForPrograms(Cells.At(row, path)))));
        }
    }

    /// <summary>An object's values, then each list that it holds.</summary>
    private static void Whole(JsonObject shown)
    {
        Terminal.Table([
            ["field", "value"],
            .. Cells.Flat(shown).Select(cell => new[] { cell.Path, Cells.ForPeople(cell.Value) }),
        ]);
        foreach (var (path, list) in Cells.Tables(shown))
        {
            Console.WriteLine();
            Terminal.Title(path);
            Rows(OutputFormat.Table, "", [.. list.OfType<JsonObject>()], []);
        }
    }
}
