using System.Collections.Frozen;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace LocalPlus.Kernel;

/// <summary>
/// A currency of ISO 4217, list one, that has a minor unit (which leaves out metals and the units of account of banks);
/// codes that were withdrawn are not known. Default: no currency, which only a default Money has.
/// </summary>
[JsonConverter(typeof(Converter))]
public readonly record struct Currency
{
    /// <summary>As of the year 2026, by the number of decimals.</summary>
    private static readonly FrozenDictionary<string, int> Exponents = new (int Exponent, string Codes)[]
    {
        (0, "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"),
        (2, "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF"),
        (2, "CHE CHF CHW CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD"),
        (2, "GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL"),
        (2, "MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR"),
        (2, "PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP"),
        (2, "TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST XAD XCD XCG YER ZAR ZMW ZWG"),
        (3, "BHD IQD JOD KWD LYD OMR TND"),
        (4, "CLF UYW"),
    }
        .SelectMany(row => row.Codes.Split(' ').Select(code => KeyValuePair.Create(code, row.Exponent)))
        .ToFrozenDictionary(StringComparer.Ordinal);

    private readonly string? code;

    private Currency(string code) => this.code = code;

    /// <summary>Every code that is known, in their order.</summary>
    public static IEnumerable<string> Codes => Exponents.Keys.Order(StringComparer.Ordinal);

    public static Currency Eur { get; } = new("EUR");

    public string Code => code ?? "XXX";

    /// <summary>How many decimals the minor unit is: 2 for EUR, 0 for JPY, 3 for KWD, 4 for CLF.</summary>
    public int Exponent => Exponents.GetValueOrDefault(Code);

    /// <summary>
    /// So many whole units in minor units: 500 EUR are 50000, 500 JPY are 500. For limits that are the same everywhere.
    /// </summary>
    public long Units(long units)
    {
        for (var i = 0; i < Exponent; i++)
        {
            units = checked(units * 10);
        }

        return units;
    }

    public static Currency Parse(string text) =>
        TryParse(text, out var currency) ? currency : throw new FormatException("Not an ISO 4217 code.");

    public static bool TryParse(string? text, out Currency currency)
    {
        currency = text is not null && Exponents.ContainsKey(text) ? new Currency(text) : default;
        return currency.code is not null;
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
