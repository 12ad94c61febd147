using Dapper;
using LocalPlus.Kernel;

namespace LocalPlus.Notification.Readers;

/// <summary>Hours as requests and answers have them.</summary>
/// <param name="From">As 21:30.</param>
/// <param name="Until">As 08:00; the next morning's if it is before <paramref name="From"/>.</param>
internal sealed record HoursView(string From, string Until)
{
    public static HoursView? Of(short? from, short? until) =>
        QuietHours.Of(from, until) is { } hours ? new(hours.FromText, hours.UntilText) : null;

    /// <summary>Null for what is no time of day.</summary>
    public QuietHours? Read() =>
        QuietHours.TryParse(From, out var from) && QuietHours.TryParse(Until, out var until) ? new(from, until) : null;
}

/// <summary>What a customer wants of a merchant's messages. Version 0: nothing was said yet.</summary>
/// <param name="Declined">Kinds that are not sent to it.</param>
/// <param name="Sms">Kinds that come as SMS too.</param>
/// <param name="TimeZone">IANA name; absent: the merchant's.</param>
internal sealed record PreferenceView(
    CustomerId CustomerId,
    string Object,
    IReadOnlyList<string> Declined,
    IReadOnlyList<string> Sms,
    string? TimeZone,
    HoursView? QuietHours,
    long Version,
    DateTimeOffset? UpdatedAt
);

/// <summary>A row of notification_recipients.</summary>
[method: ExplicitConstructor] // Npgsql calls the types an Array, so Dapper would not match them to string[] by itself.
internal sealed record PreferenceRow(
    string[] Declined,
    string[] SmsKinds,
    string? TimeZone,
    short? QuietFrom,
    short? QuietUntil,
    long Version,
    DateTimeOffset UpdatedAt
)
{
    public const string Columns = "declined, sms_kinds, time_zone, quiet_from, quiet_until, version, updated_at";

    public static PreferenceView ViewOf(CustomerId customer, PreferenceRow? row) =>
        new(
            customer,
            "notification_preference",
            row?.Declined ?? [],
            row?.SmsKinds ?? [],
            row?.TimeZone,
            HoursView.Of(row?.QuietFrom, row?.QuietUntil),
            row?.Version ?? 0,
            row?.UpdatedAt
        );
}
