namespace LocalPlus.Analytics.Value;

/// <summary>Time zones as callers name them, and the instants at which their days begin.</summary>
internal static class ZoneFinder
{
    /// <summary>Names with a place, as Europe/Paris: those of one letter or three mean different things to different
    /// systems.</summary>
    public static TimeZoneInfo? Find(string? zone)
    {
        if (zone is null or "UTC")
        {
            return TimeZoneInfo.Utc;
        }

        return
            zone.Contains('/', StringComparison.Ordinal) && TimeZoneInfo.TryFindSystemTimeZoneById(zone, out var found)
            ? found
            : null;
    }

    /// <summary>The first instant of a day; where a clock skips midnight, that is later.</summary>
    public static DateTimeOffset Midnight(TimeZoneInfo zone, DateOnly day)
    {
        var local = day.ToDateTime(TimeOnly.MinValue);
        while (zone.IsInvalidTime(local))
        {
            local = local.AddMinutes(15);
        }

        return new(local, zone.GetUtcOffset(local));
    }
}
