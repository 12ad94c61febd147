using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace LocalPlus.Notification.Readers;

/// <summary>Hours of each day in which a reader is not written to about what can wait.</summary>
/// <param name="From">The first minute of them.</param>
/// <param name="Until">The first minute after them, the next morning's if it is before <paramref name="From"/>.</param>
internal sealed record QuietHours(TimeOnly From, TimeOnly Until)
{
    private const string Form = "HH:mm";

    public string FromText => From.ToString(Form, CultureInfo.InvariantCulture);

    public string UntilText => Until.ToString(Form, CultureInfo.InvariantCulture);

    public short FromMinute => Minute(From);

    public short UntilMinute => Minute(Until);

    public static QuietHours? Of(short? from, short? until) =>
        from is { } start && until is { } end
            ? new(TimeOnly.MinValue.AddMinutes(start), TimeOnly.MinValue.AddMinutes(end))
            : null;

    /// <summary>Reads hours as 21:30.</summary>
    public static bool TryParse(string? text, out TimeOnly time) =>
        TimeOnly.TryParseExact(text, Form, CultureInfo.InvariantCulture, DateTimeStyles.None, out time);

    public static bool TryFindZone(string? name, [NotNullWhen(true)] out TimeZoneInfo? zone)
    {
        zone = null;
        return name is not null && TimeZoneInfo.TryFindSystemTimeZoneById(name, out zone) && zone.HasIanaId;
    }

    /// <summary>When they end that <paramref name="now"/> lies in; null when it lies in none.</summary>
    public DateTimeOffset? EndAt(DateTimeOffset now, TimeZoneInfo zone)
    {
        var local = TimeZoneInfo.ConvertTime(now, zone).DateTime;
        var time = TimeOnly.FromDateTime(local);
        // IsBetween has its end not in it, and goes over midnight.
        if (From == Until || !time.IsBetween(From, Until))
        {
            return null;
        }

        var end = local.Date + Until.ToTimeSpan();
        end = end <= local ? end.AddDays(1) : end;
        // A clock that is put forward leaves hours out.
        while (zone.IsInvalidTime(end))
        {
            end = end.AddMinutes(1);
        }

        return new DateTimeOffset(end, zone.GetUtcOffset(end)).ToUniversalTime();
    }

    private static short Minute(TimeOnly time) => (short)((time.Hour * 60) + time.Minute);
}
