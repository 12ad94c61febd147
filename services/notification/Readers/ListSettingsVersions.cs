using LocalPlus.Hosting;

namespace LocalPlus.Notification.Readers;

/// <summary>
/// GET /v1/notification_settings/versions: every version of the merchant's settings, newest first, with who made it.
/// What was set before versions were kept has an actor of kind unknown. Refusals: invalid_request.
/// </summary>
internal static class ListSettingsVersions
{
    private const string Filters = "notification_settings_versions";

    /// <param name="Kind">key, person (of the merchant's team) or unknown.</param>
    internal sealed record ActorView(string Kind, string? Id);

    internal sealed record VersionView(
        string Object,
        long Version,
        ActorView Actor,
        string? TimeZone,
        HoursView? QuietHours,
        DateTimeOffset CreatedAt
    );

    public static IEndpointRouteBuilder MapListSettingsVersions(this IEndpointRouteBuilder group)
    {
        group
            .MapGet("/notification_settings/versions", HandleAsync)
            .RequireScope("notifications:read")
            .WithName("ListNotificationSettingsVersions")
            .Produces<Page<VersionView>>();
        return group;
    }

    /// <summary>Writes the version that the settings now have, in the transaction that made it.</summary>
    public static Task AddAsync(DbSession db, MerchantIdentity caller, long version) =>
        db.ExecuteAsync(
            Sql.Add,
            new
            {
                caller.MerchantId,
                Version = version,
                ActorKind = caller.Person is null ? AuditEntry.Key : AuditEntry.Person,
                Actor = caller.Person ?? caller.KeyId.ToString(),
            }
        );

    private static async Task<IResult> HandleAsync(
        HttpContext http,
        Database database,
        CursorCodec cursors,
        CancellationToken cancel,
        int? limit = null,
        string? cursor = null
    )
    {
        var size = CursorCodec.Limit(limit);
        var merchant = http.GetMerchant().MerchantId;
        var rows = await database.QueryAsync<Row>(
            Sql.List,
            new
            {
                MerchantId = merchant,
                Before = cursors.Read(cursor, merchant, Filters).Number,
                Limit = size + 1,
            },
            cancel
        );
        return Answer.Ok(
            Page<VersionView>.Of(
                [.. rows.Select(row => row.ToView())],
                size,
                last => cursors.Write(Keyset.Of(last.CreatedAt, last.Version), merchant, Filters)
            )
        );
    }

    private sealed record Row(
        long Version,
        string ActorKind,
        string? Actor,
        string? TimeZone,
        short? QuietFrom,
        short? QuietUntil,
        DateTimeOffset CreatedAt
    )
    {
        public VersionView ToView() =>
            new(
                "notification_settings_version",
                Version,
                new(ActorKind, Actor),
                TimeZone,
                HoursView.Of(QuietFrom, QuietUntil),
                CreatedAt
            );
    }

    private static class Sql
    {
        public const string Add = """
            INSERT INTO notification_settings_versions (merchant_id, version, actor_kind, actor, time_zone, quiet_from,
                   quiet_until, created_at)
            SELECT merchant_id, version, @ActorKind, @Actor, time_zone, quiet_from, quiet_until, updated_at
              FROM notification_settings
             WHERE merchant_id = @MerchantId
               AND version = @Version
            """;

        public const string List = """
            SELECT version, actor_kind, actor, time_zone, quiet_from, quiet_until, created_at
              FROM notification_settings_versions
             WHERE merchant_id = @MerchantId
               AND version < @Before
             ORDER BY version DESC
             LIMIT @Limit
            """;
    }
}
