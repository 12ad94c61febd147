using System.Globalization;
using System.Text.RegularExpressions;
using LocalPlus.Giftcard.Cards;
using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Giftcard.Imports;

/// <summary>A row as it stands in a file; nothing of it is believed yet. Empty texts are null.</summary>
internal sealed record ImportText(
    int Line,
    string? Code,
    string? Pin = null,
    string? Balance = null,
    string? Currency = null,
    string? ExpiresAt = null,
    string? Email = null,
    string? Name = null,
    string? State = null
);

/// <summary>What the import's programme and order say of its rows.</summary>
internal sealed record ImportTerms(Currency Currency, long MaxBalance, bool NeedsPin, bool IsMajor, DateTimeOffset Now);

/// <summary>Why a row is not imported: stable codes, for the report of rows alone.</summary>
internal static class RowFault
{
    public const string BalanceInvalid = "balance_invalid";
    public const string CodeInvalid = "code_invalid";
    public const string CodeTaken = "code_taken";
    public const string CurrencyMismatch = "currency_mismatch";
    public const string DuplicateCode = "duplicate_code";
    public const string EmailInvalid = "email_invalid";
    public const string Expired = "expired";
    public const string ExpiresAtInvalid = "expires_at_invalid";
    public const string LimitExceeded = "limit_exceeded";
    public const string NameInvalid = "name_invalid";
    public const string NotActive = "not_active";
    public const string NothingOnIt = "nothing_on_it";
    public const string PinInvalid = "pin_invalid";
    public const string PinMissing = "pin_missing";
    public const string WeakCode = "weak_code";
}

/// <summary>A row that was read: what is to be imported, or why not.</summary>
/// <param name="Code">Normalised; null where it is none.</param>
/// <param name="IsWeak">It has no PIN and can be guessed: it may never hold more than a little.</param>
internal sealed record ImportLine(
    int Line,
    string? Code,
    bool IsWeak,
    string? Pin,
    long? Amount,
    DateTimeOffset? ExpiresAt,
    string? Email,
    string? Name,
    string? Fault
);

/// <summary>The rules of rows. Pure.</summary>
internal static partial class ImportRules
{
    private static readonly string[] Usable = ["active", "enabled", "true", "yes", "1", "on", "activated"];

    private static readonly string[] ExpiryForms =
    [
        "yyyy-MM-dd'T'HH:mm:ssK",
        "yyyy-MM-dd'T'HH:mm:ss.FFFFFFFK",
        "yyyy-MM-dd HH:mm:ss",
        "yyyy-MM-dd HH:mm:ss 'UTC'",
    ];

    /// <param name="before">The code of the row before.</param>
    public static ImportLine Read(ImportText text, ImportTerms terms, string? before)
    {
        var code = CodeOf(text.Code);
        var amount = AmountOf(text.Balance, terms);
        var hasExpiry = TryExpiry(text.ExpiresAt, out var expiresAt);
        var isWeak = code is not null && text.Pin is null && CodeStrength.IsWeak(code, before);
        var line = new ImportLine(
            text.Line,
            code,
            isWeak,
            text.Pin,
            amount > 0 ? amount : null,
            expiresAt,
            text.Email,
            text.Name,
            null
        );
        return line with { Fault = FaultOf(line, text, terms, amount, hasExpiry) };
    }

    private static string? FaultOf(ImportLine line, ImportText text, ImportTerms terms, long? amount, bool hasExpiry) =>
        line.Code is null ? RowFault.CodeInvalid
        : text.State is { } state && !Usable.Contains(state.ToLowerInvariant(), StringComparer.Ordinal)
            ? RowFault.NotActive
        : amount is null ? RowFault.BalanceInvalid
        : amount == 0 ? RowFault.NothingOnIt
        : text.Currency is { } currency && !currency.Equals(terms.Currency.Code, StringComparison.OrdinalIgnoreCase)
            ? RowFault.CurrencyMismatch
        : amount > terms.MaxBalance ? RowFault.LimitExceeded
        : !hasExpiry ? RowFault.ExpiresAtInvalid
        : line.ExpiresAt <= terms.Now ? RowFault.Expired
        : line.Pin is { } pin && !IsPin(pin) ? RowFault.PinInvalid
        : line.Pin is null && terms.NeedsPin ? RowFault.PinMissing
        : line.IsWeak && amount > terms.Currency.Units(GiftcardLimits.WeakCodeUnits) ? RowFault.WeakCode
        : line.Email is { } email && !EmailAddress.TryParse(email, out _) ? RowFault.EmailInvalid
        : line.Name is { } name && (name.Length > Texts.NameLength || Texts.Problem(name, false) is not null)
            ? RowFault.NameInvalid
        : null;

    private static string? CodeOf(string? text)
    {
        if (text is not { Length: <= CardCode.MaxInputLength })
        {
            return null;
        }

        var code = CardCode.Normalise(text);
        return
            code.Length is >= CardCode.ForeignLengthMin and <= CardCode.ForeignLengthMax
            && code.All(char.IsAsciiLetterOrDigit)
            ? code
            : null;
    }

    private static bool IsPin(string pin) =>
        pin.Length is >= CardSecrets.MinPinLength and <= CardSecrets.MaxPinLength && pin.All(char.IsAsciiDigit);

    /// <summary>Minor units; null for what is no amount, or might be read as two.</summary>
    private static long? AmountOf(string? text, ImportTerms terms)
    {
        if (text is null)
        {
            return null;
        }

        if (!terms.IsMajor)
        {
            return
                long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var units)
                && units < Money.Limit
                ? units
                : null;
        }

        // 1,000 is a thousand here and one there: a comma is a point only where no thousands can be meant.
        var match = MajorUnits().Match(text);
        var fraction = match.Groups["fraction"].Value;
        return
            match.Success && fraction.Length <= terms.Currency.Exponent && (fraction.Length != 3 || text.Contains('.'))
            ? checked(
                terms.Currency.Units(
                    long.Parse(match.Groups["whole"].ValueSpan, NumberStyles.None, CultureInfo.InvariantCulture)
                ) + Fraction(fraction, terms.Currency.Exponent)
            )
            : null;
    }

    private static long Fraction(string digits, int exponent) =>
        exponent == 0 ? 0 : long.Parse(digits.PadRight(exponent, '0'), NumberStyles.None, CultureInfo.InvariantCulture);

    /// <summary>A day ends at its midnight in UTC. False for what is no instant; dates with slashes are two.</summary>
    private static bool TryExpiry(string? text, out DateTimeOffset? expiresAt)
    {
        expiresAt = null;
        if (text is null)
        {
            return true;
        }

        if (DateOnly.TryParseExact(text, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var day))
        {
            if (day < DateOnly.MaxValue)
            {
                expiresAt = new(day.AddDays(1).ToDateTime(TimeOnly.MinValue), TimeSpan.Zero);
            }
        }
        else if (
            DateTimeOffset.TryParseExact(
                text,
                ExpiryForms,
                CultureInfo.InvariantCulture,
                DateTimeStyles.AssumeUniversal,
                out var instant
            )
        )
        {
            expiresAt = instant.ToUniversalTime();
        }

        return expiresAt is not null;
    }

    [GeneratedRegex(
        @"^[$€£¥]?\s?(?<whole>[0-9]{1,12})([.,](?<fraction>[0-9]{1,4}))?\s?[$€£¥]?$",
        RegexOptions.ExplicitCapture
    )]
    private static partial Regex MajorUnits();
}
