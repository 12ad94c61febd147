using System.Globalization;

namespace LocalPlus.Giftcard.Reports;

/// <summary>A UTC month, written as 2026-03 and kept as its first day.</summary>
internal static class Month
{
    private const string Format = "yyyy-MM";

    public static DateOnly? Parse(string text) =>
        DateOnly.TryParseExact(text, Format, CultureInfo.InvariantCulture, DateTimeStyles.None, out var month)
            ? month
            : null;

    public static string Name(DateOnly month) => month.ToString(Format, CultureInfo.InvariantCulture);

    public static DateOnly Of(DateTimeOffset at) => new(at.UtcDateTime.Year, at.UtcDateTime.Month, 1);

    public static DateTimeOffset Begins(DateOnly month) => new(month.ToDateTime(TimeOnly.MinValue), TimeSpan.Zero);
}
