namespace LocalPlus.Giftcard.Reports;

/// <summary>Days of a time zone.</summary>
internal static class Days
{
    /// <summary>By a name with a place, as Europe/Paris; UTC when nothing is said; null: there is none.</summary>
    public static TimeZoneInfo? Zone(string? name) =>
        name is null or "UTC" ? TimeZoneInfo.Utc
        : name.Contains('/', StringComparison.Ordinal) && TimeZoneInfo.TryFindSystemTimeZoneById(name, out var found)
            ? found
        : null;

    /// <summary>The first instant of a day; where a clock skips midnight, that is later.</summary>
    public static DateTimeOffset Begins(TimeZoneInfo zone, DateOnly day)
    {
        var local = day.ToDateTime(TimeOnly.MinValue);
        while (zone.IsInvalidTime(local))
        {
            local = local.AddMinutes(15);
        }

        return new(local, zone.GetUtcOffset(local));
    }
}
