using System.Text.Json;
using System.Text.Json.Serialization;

namespace LocalPlus.Kernel;

/// <summary>An ISO 4217 alphabetic code, three capital letters. Default: no currency, which only a default Money has.</summary>
[JsonConverter(typeof(Converter))]
public readonly record struct Currency
{
    private readonly string? code;

    private Currency(string code) => this.code = code;

    public static Currency Eur { get; } = new("EUR");

    public string Code => code ?? "XXX";

    public static Currency Parse(string text) =>
        TryParse(text, out var currency) ? currency : throw new FormatException("Not an ISO 4217 code.");

    public static bool TryParse(string? text, out Currency currency)
    {
        currency = default;
        if (text is not { Length: 3 } || !text.All(char.IsAsciiLetterUpper))
        {
            return false;
        }

        currency = new Currency(text);
        return true;
    }

    public override string ToString() => Code;

    private sealed class Converter : JsonConverter<Currency>
    {
        public override Currency Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            reader.TokenType == JsonTokenType.String && TryParse(reader.GetString(), out var currency)
                ? currency
                : throw new JsonException("expected an ISO 4217 code such as EUR");

        public override void Write(Utf8JsonWriter writer, Currency value, JsonSerializerOptions options) =>
            writer.WriteStringValue(value.Code);
    }
}
