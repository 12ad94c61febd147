using LocalPlus.Hosting;

namespace LocalPlus.Notification.Readers;

/// <summary>What requests about hours have in common.</summary>
internal static class ReaderChecks
{
    public static FieldChecks Hours(this FieldChecks checks, string? zone, HoursView? hours) =>
        checks
            .Text(zone, "/time_zone", ReaderLimits.TimeZoneLength)
            .Require(zone is null || QuietHours.TryFindZone(zone, out _), "/time_zone", "unknown_time_zone")
            .Require(hours is null || hours.Read() is not null, "/quiet_hours", "invalid");
}
