using System.Globalization;
using LocalPlus.Kernel;

namespace LocalPlus.Analytics.Value;

/// <summary>Amounts as charts write them.</summary>
internal static class Amounts
{
    /// <summary>Whole units and decimals, without a float in between.</summary>
    public static string Text(long amount, Currency currency)
    {
        var unit = currency.Units(1);
        var sign = amount < 0 ? "-" : "";
        var rest = Math.Abs(amount % unit).ToString(CultureInfo.InvariantCulture).PadLeft(currency.Exponent, '0');
        var whole = Math.Abs(amount / unit).ToString(CultureInfo.InvariantCulture);
        return currency.Exponent == 0 ? $"{sign}{whole} {currency.Code}" : $"{sign}{whole}.{rest} {currency.Code}";
    }
}
