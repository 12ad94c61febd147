using System.Text.Json;
using System.Text.Json.Serialization;

namespace LocalPlus.Kernel;

/// <summary>
/// An amount of one currency in its minor unit (cents for EUR, yen for JPY), |amount| &lt; 2^53 so that every JSON
/// reader gets it exactly. Arithmetic is checked; mixing currencies throws <see cref="InvalidOperationException"/>.
/// </summary>
public readonly record struct Money
{
    /// <summary>
    /// Amounts are smaller than this: the largest integer range that a JSON number carries everywhere.
    /// </summary>
    public const long Limit = 1L << 53;

    [JsonConstructor]
    public Money(long minorUnits, Currency currency)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(minorUnits, Limit);
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(minorUnits, -Limit);
        MinorUnits = minorUnits;
        Currency = currency;
    }

    [JsonPropertyName("amount")]
    [JsonConverter(typeof(AmountConverter))]
    public long MinorUnits { get; }

    public Currency Currency { get; }

    public static Money operator +(Money left, Money right) => new(left.MinorUnits + Same(left, right), left.Currency);

    public static Money operator -(Money left, Money right) => new(left.MinorUnits - Same(left, right), left.Currency);

    /// <summary>
    /// Splits the amount in proportion to the weights (none negative, at least one positive) by largest remainder: the
    /// parts always add up to the whole. Earlier parts win ties.
    /// </summary>
    public IReadOnlyList<Money> Allocate(params ReadOnlySpan<long> weights)
    {
        Int128 total = 0;
        foreach (var weight in weights)
        {
            ArgumentOutOfRangeException.ThrowIfNegative(weight, nameof(weights));
            total += weight;
        }

        ArgumentOutOfRangeException.ThrowIfZero((long)total, nameof(weights));
        var parts = new long[weights.Length];
        var remainders = new (Int128 Remainder, int Index)[weights.Length];
        var left = MinorUnits;
        for (var i = 0; i < weights.Length; i++)
        {
            var share = (Int128)MinorUnits * weights[i];
            parts[i] = (long)(share / total);
            remainders[i] = (Int128.Abs(share % total), i);
            left -= parts[i];
        }

        var step = Math.Sign(left);
        foreach (
            var (_, index) in remainders
                .OrderByDescending(r => r.Remainder)
                .ThenBy(r => r.Index)
                .Take((int)Math.Abs(left))
        )
        {
            parts[index] += step;
        }

        var currency = Currency;
        return Array.ConvertAll(parts, part => new Money(part, currency));
    }

    public override string ToString() => $"{MinorUnits} {Currency}";

    private static long Same(Money left, Money right) =>
        left.Currency == right.Currency
            ? right.MinorUnits
            : throw new InvalidOperationException($"{left.Currency} and {right.Currency} do not mix.");

    /// <summary>An amount that is out of range is a wrong body, not a wrong program.</summary>
    private sealed class AmountConverter : JsonConverter<long>
    {
        public override long Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            reader.TokenType == JsonTokenType.Number
            && reader.TryGetInt64(out var amount)
            && amount is > -Limit and < Limit
                ? amount
                : throw new JsonException("expected an integer between -2^53 and 2^53");

        public override void Write(Utf8JsonWriter writer, long value, JsonSerializerOptions options) =>
            writer.WriteNumberValue(value);
    }
}
