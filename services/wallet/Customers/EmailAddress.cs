using System.Text.RegularExpressions;

namespace LocalPlus.Wallet.Customers;

/// <summary>
/// What counts as an e-mail address here (WHATWG's form of RFC 5322's addr-spec, with a dotted domain), and when
/// two are the same.
/// </summary>
internal static partial class EmailAddress
{
    /// <summary>RFC 5321, 4.5.3.1.3, less the angle brackets.</summary>
    public const int MaxLength = 254;

    public static bool IsValid(string? text) => text is { Length: <= MaxLength } && Pattern().IsMatch(text);

    /// <summary>The form that lookups compare: mail systems in use ignore case on both sides of the @.</summary>
    public static string Normalise(string email) => email.ToLowerInvariant();

    // The value ends up in a mail header: no spaces, quotes, comments or control characters pass.
    [GeneratedRegex(
        @"\A[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@([A-Za-z0-9-]{1,63}\.)+[A-Za-z0-9-]{1,63}\z",
        RegexOptions.CultureInvariant,
        matchTimeoutMilliseconds: 100)]
    private static partial Regex Pattern();
}
