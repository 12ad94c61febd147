using LocalPlus.Hosting;

namespace LocalPlus.Ledger.Entries;

/// <summary>An instant in a query, by the same rule as everywhere (<see cref="Instants"/>).</summary>
internal readonly record struct Instant(DateTimeOffset Value)
{
    public static bool TryParse(string? text, IFormatProvider? provider, out Instant instant)
    {
        var isOne = Instants.TryParse(text, out var value);
        instant = new(value);
        return isOne;
    }

    public override string ToString() => Instants.Format(Value);
}
