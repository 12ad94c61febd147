using System.Globalization;
using LocalPlus.Kernel;

namespace LocalPlus.Console.Api;

/// <summary>Amounts as people type them.</summary>
internal static class Amounts
{
    private const int MostDigits = 15;

    /// <summary>
    /// "12.50", "12,5" or "12" of a currency with two decimals is 1250 minor units. Throws
    /// <see cref="ApiRefusalException"/> for what is no amount, is not positive or has too many decimals.
    /// </summary>
    public static Amount Parse(string typed, string currency)
    {
        var exponent = Currency.TryParse(currency, out var known) ? known.Exponent : throw Refused(typed);
        var parts = typed.Trim().Replace(',', '.').Split('.');
        var decimals = parts.Length == 2 ? parts[1] : "";
        return
            parts.Length <= 2
            && decimals.Length <= exponent
            && parts[0].Length is > 0 and < MostDigits
            && long.TryParse(
                parts[0] + decimals.PadRight(exponent, '0'),
                NumberStyles.None,
                CultureInfo.InvariantCulture,
                out var minorUnits
            )
            && minorUnits > 0
            ? new Amount(minorUnits, currency)
            : throw Refused(typed);
    }

    private static ApiRefusalException Refused(string typed) =>
        new(StatusCodes.Status400BadRequest, "invalid_request", $"\"{typed}\" is no amount.", null);
}
