using PhoneNumbers;

namespace LocalPlus.Notification.Readers;

/// <summary>Telephone numbers that an SMS can be sent to.</summary>
internal static class SmsNumbers
{
    private static readonly PhoneNumberUtil Numbers = PhoneNumberUtil.GetInstance();

    /// <summary>
    /// The number in the form of E.164, as +33612345678; null for none, and for one that takes no SMS as far as its
    /// digits tell.
    /// </summary>
    /// <param name="country">ISO 3166, whose national form is understood too; null for none.</param>
    public static string? Normalize(string? text, string? country = null)
    {
        if (string.IsNullOrWhiteSpace(text))
        {
            return null;
        }

        try
        {
            var number = Numbers.Parse(text, country);
            return
                Numbers.IsValidNumber(number)
                && Numbers.GetNumberType(number)
                    is PhoneNumberType.MOBILE
                        or PhoneNumberType.FIXED_LINE_OR_MOBILE
                        or PhoneNumberType.PERSONAL_NUMBER
                ? Numbers.Format(number, PhoneNumberFormat.E164)
                : null;
        }
        catch (NumberParseException)
        {
            return null;
        }
    }

    /// <summary>A number as merchants may see it: its country and its last two digits.</summary>
    public static string Mask(string e164)
    {
        var country = Numbers.Parse(e164, null).CountryCode;
        return $"+{country}***{e164[^2..]}";
    }
}
