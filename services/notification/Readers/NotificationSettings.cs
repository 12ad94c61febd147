using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Notification.Readers;

/// <summary>
/// GET and PUT /v1/notification_settings: when a merchant's readers are left in peace who said nothing themselves; the
/// version is the ETag, 0 when nothing was set. Refusals: if_match_required, version_conflict, invalid_request.
/// </summary>
internal static class NotificationSettings
{
    internal sealed record View(
        string Object,
        string? TimeZone,
        HoursView? QuietHours,
        long Version,
        DateTimeOffset? UpdatedAt
    );

    /// <param name="TimeZone">IANA name, as Europe/Paris; absent: the merchant's own, or UTC.</param>
    internal sealed record Request(string? TimeZone = null, HoursView? QuietHours = null);

    public static IEndpointRouteBuilder MapNotificationSettings(this IEndpointRouteBuilder group)
    {
        group
            .MapGet("/notification_settings", GetAsync)
            .RequireScope("notifications:read")
            .WithName("GetNotificationSettings")
            .Produces<View>();
        group
            .MapPut("/notification_settings", PutAsync)
            .RequireScope("notifications:write")
            .RequireIfMatch()
            .Audit("notification_settings.change")
            .WithName("PutNotificationSettings")
            .Produces<View>();
        return group;
    }

    private static async Task<IResult> GetAsync(HttpContext http, Database database, CancellationToken cancel)
    {
        var args = new { http.GetMerchant().MerchantId };
        return Ok(await database.QuerySingleOrDefaultAsync<Row>(Sql.Get, args, cancel));
    }

    private static async Task<IResult> PutAsync(
        HttpContext http,
        Request request,
        Database database,
        TimeProvider time,
        CancellationToken cancel
    )
    {
        new FieldChecks().Hours(request.TimeZone, request.QuietHours).ThrowIfAny();
        var version = http.RequireIfMatch();
        var hours = request.QuietHours?.Read();
        await using var db = await database.BeginAsync(cancel);
        var changed = await db.QuerySingleOrDefaultAsync<Row>(
            version == 0 ? Sql.Add : Sql.Change,
            new
            {
                http.GetMerchant().MerchantId,
                request.TimeZone,
                QuietFrom = hours?.FromMinute,
                QuietUntil = hours?.UntilMinute,
                Version = version,
                UpdatedAt = time.GetUtcNow(),
            }
        );
        if (changed is null)
        {
            throw new FaultException(CommonFaults.VersionConflict, "The settings have another version.");
        }

        await ListSettingsVersions.AddAsync(db, http.GetMerchant(), changed.Version);
        await db.CommitAsync();
        return Ok(changed);
    }

    private static Answer Ok(Row? row) =>
        Answer.Ok(
            new View(
                "notification_settings",
                row?.TimeZone,
                HoursView.Of(row?.QuietFrom, row?.QuietUntil),
                row?.Version ?? 0,
                row?.UpdatedAt
            ),
            row?.Version ?? 0
        );

    private sealed record Row(
        string? TimeZone,
        short? QuietFrom,
        short? QuietUntil,
        long Version,
        DateTimeOffset UpdatedAt
    );

    private static class Sql
    {
        private const string Columns = "time_zone, quiet_from, quiet_until, version, updated_at";

        public const string Get = $"""
            SELECT {Columns}
              FROM notification_settings
             WHERE merchant_id = @MerchantId
            """;

        public const string Add = $"""
            INSERT INTO notification_settings (merchant_id, time_zone, quiet_from, quiet_until, version, updated_at)
            VALUES (@MerchantId, @TimeZone, @QuietFrom, @QuietUntil, @Version + 1, @UpdatedAt)
                ON CONFLICT (merchant_id) DO NOTHING
            RETURNING {Columns}
            """;

        public const string Change = $"""
            UPDATE notification_settings
               SET time_zone = @TimeZone,
                   quiet_from = @QuietFrom,
                   quiet_until = @QuietUntil,
                   version = version + 1,
                   updated_at = @UpdatedAt
             WHERE merchant_id = @MerchantId
               AND version = @Version
            RETURNING {Columns}
            """;
    }
}
