namespace LocalPlus.Wallet.Members;

/// <summary>A telephone number as it is hashed: E.164, so that every way of writing it finds the same member.</summary>
internal static class PhoneNumber
{
    private const int DigitsMin = 8;
    private const int DigitsMax = 15;

    /// <summary>Null for anything that is not an international number.</summary>
    public static string? Parse(string typed)
    {
        var number = string.Concat(
            typed.Where(c => !char.IsWhiteSpace(c) && c is not ('-' or '.' or '(' or ')' or '/'))
        );
        number = number.StartsWith("00", StringComparison.Ordinal) ? $"+{number[2..]}" : number;
        return
            number.Length is > DigitsMin and <= DigitsMax + 1
            && number[0] == '+'
            && number[1] != '0'
            && number.AsSpan(1).IndexOfAnyExceptInRange('0', '9') < 0
            ? number
            : null;
    }
}
