using System.Globalization;
using System.Text.Json.Nodes;
using LocalPlus.Kernel;

namespace LocalPlus.Client.Catalog;

/// <summary>
/// A field of a body, which is an option of the verb: `name`, with ! when the route needs it, and its type after a
/// colon (text when nothing is said): `seconds!:number`, `scopes!:list`, `ordered:flag`, `amount!:money`,
/// `code!:secret`.
/// </summary>
internal sealed record BodyField(string Name, string Type, bool IsRequired)
{
    public string Option => $"--{Name.Replace('_', '-')}";

    public string Hint =>
        Type switch
        {
            "number" => "N",
            "list" => "A,B",
            "money" => "AMOUNT",
            "secret" => "TEXT|-",
            "time" => "TIME",
            _ => "TEXT",
        };

    public string Meaning =>
        Type switch
        {
            "list" => "several with commas between",
            "money" => "with its currency, as 12.50EUR",
            "secret" => "- reads it from standard input",
            "time" => "as 2030-01-31T08:00:00Z",
            "flag" => "set it",
            _ => "",
        };

    public static BodyField Parse(string text)
    {
        var (name, type) = text.Split(':') is [var n, var t] ? (n, t) : (text, "text");
        return new BodyField(name.TrimEnd('!'), type, name.EndsWith('!'));
    }

    /// <summary>As the body has it; what it is not is a usage failure.</summary>
    public JsonNode Value(string text, string noun) =>
        Type switch
        {
            "number" => long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number)
                ? JsonValue.Create(number)
                : throw CliFailure.Usage($"{Option} takes a whole number", noun),
            "list" => new JsonArray([
                .. text.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
                    .Select(part => (JsonNode)JsonValue.Create(part)),
            ]),
            "money" => Money(text) ?? throw CliFailure.Usage($"{Option} takes an amount as 12.50EUR", noun),
            "flag" => JsonValue.Create(true),
            _ => JsonValue.Create(text),
        };

    /// <summary>12.50EUR, 12.5 EUR and 500JPY; never rounded.</summary>
    private static JsonObject? Money(string text)
    {
        if (
            text.Length < 4
            || !Currency.TryParse(text[^3..].ToUpperInvariant(), out var currency)
            || text[..^3].Trim().Split('.') is not [var whole, ..] parts
            || parts.Length > 2
        )
        {
            return null;
        }

        var fraction = parts.Length == 2 ? parts[1] : "";
        return
            (parts.Length == 1 || fraction.Length > 0)
            && fraction.Length <= currency.Exponent
            && long.TryParse(
                whole + fraction.PadRight(currency.Exponent, '0'),
                NumberStyles.AllowLeadingSign,
                CultureInfo.InvariantCulture,
                out var units
            )
            ? new JsonObject { ["amount"] = units, ["currency"] = currency.Code }
            : null;
    }
}
