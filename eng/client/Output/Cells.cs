using System.Text.Json;
using System.Text.Json.Nodes;
using LocalPlus.Kernel;

namespace LocalPlus.Client.Output;

/// <summary>A column: where in a row it is, and whether it is an amount with its currency.</summary>
internal sealed record Column(string Path, bool IsMoney)
{
    private const string MoneyMark = ":money";

    public static Column Parse(string text) =>
        text.EndsWith(MoneyMark, StringComparison.Ordinal)
            ? new Column(text[..^MoneyMark.Length], true)
            : new Column(text, false);
}

/// <summary>JSON to cells.</summary>
internal static class Cells
{
    private const string Nothing = "-";

    /// <summary>The value at a dotted path; null when it is not there.</summary>
    public static JsonNode? At(JsonNode? node, string path)
    {
        foreach (var name in path.Split('.'))
        {
            node = (node as JsonObject)?[name];
        }

        return node;
    }

    /// <summary>For people: amounts in units, nothing that a terminal would obey.</summary>
    public static string ForPeople(JsonNode? node) =>
        node switch
        {
            null => Nothing,
            JsonObject money when IsMoney(money) => Money(money),
            JsonArray { Count: 0 } => Nothing,
            JsonArray list when list.All(item => item is JsonValue) => string.Join(", ", list.Select(ForPeople)),
            JsonValue value => Harmless(value.ToString()),
            _ => Harmless(node.ToJsonString()),
        };

    public static bool IsMoney(JsonNode? node) =>
        node is JsonObject { Count: 2 } map && map["amount"] is JsonValue && map["currency"] is JsonValue;

    /// <summary>For programs: numbers as they are, text that no spreadsheet takes for a formula.</summary>
    public static string ForPrograms(JsonNode? node) =>
        node switch
        {
            null => "",
            JsonValue value when value.GetValueKind() == JsonValueKind.String => CsvText.Text(value.ToString()),
            JsonValue value => value.ToString().ToLowerInvariant(),
            JsonArray list when list.All(item => item is JsonValue) => CsvText.Text(string.Join(' ', list)),
            _ => CsvText.Text(node.ToJsonString()),
        };

    /// <summary>
    /// What an object says, flat: its own values and those of what it holds, but for lists of objects.
    /// </summary>
    public static IEnumerable<(string Path, JsonNode? Value)> Flat(JsonObject map, string before = "")
    {
        foreach (var (name, value) in map)
        {
            var path = before + name;
            if (value is JsonObject inner && !IsMoney(inner))
            {
                foreach (var part in Flat(inner, $"{path}."))
                {
                    yield return part;
                }
            }
            else if (!IsTable(value))
            {
                yield return (path, value);
            }
        }
    }

    /// <summary>The lists of objects that an object holds, by their paths.</summary>
    public static IEnumerable<(string Path, JsonArray Rows)> Tables(JsonObject map, string before = "") =>
        map.SelectMany(member =>
            member.Value switch
            {
                JsonArray rows when IsTable(rows) => [(before + member.Key, rows)],
                JsonObject inner => Tables(inner, $"{before}{member.Key}."),
                _ => Enumerable.Empty<(string, JsonArray)>(),
            }
        );

    private static bool IsTable(JsonNode? node) =>
        node is JsonArray { Count: > 0 } list && list.All(i => i is JsonObject);

    private static string Money(JsonObject money)
    {
        var code = money["currency"]!.ToString();
        if (!Currency.TryParse(code, out var currency) || !long.TryParse(money["amount"]!.ToString(), out var units))
        {
            return Harmless(money.ToJsonString());
        }

        var digits = Math.Abs((decimal)units).ToString("0").PadLeft(currency.Exponent + 1, '0');
        var whole = digits[..^currency.Exponent];
        var sign = units < 0 ? "-" : "";
        return currency.Exponent == 0
            ? $"{sign}{digits} {code}"
            : $"{sign}{whole}.{digits[^currency.Exponent..]} {code}";
    }

    private static string Harmless(string text) => string.Concat(text.Select(c => char.IsControl(c) ? ' ' : c));
}
