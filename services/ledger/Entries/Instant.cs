using System.Globalization;
using System.Text.RegularExpressions;

namespace LocalPlus.Ledger.Entries;

/// <summary>
/// An instant in a query: RFC 3339 with its offset, for a time without one is another instant in every zone.
/// </summary>
internal readonly partial record struct Instant(DateTimeOffset Value)
{
    public static bool TryParse(string? text, IFormatProvider? provider, out Instant instant)
    {
        instant = default;
        if (text is null || !Rfc3339().IsMatch(text)
            || !DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.None, out var value))
        {
            return false;
        }

        instant = new(value.ToUniversalTime());
        return true;
    }

    public override string ToString() => Value.ToString("O", CultureInfo.InvariantCulture);

    [GeneratedRegex(@"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,7})?(Z|[+-]\d{2}:\d{2})$", RegexOptions.IgnoreCase)]
    private static partial Regex Rfc3339();
}
