using LocalPlus.Hosting;

namespace LocalPlus.Notification;

/// <summary>GET /v1/notifications: the merchant's messages, newest first. Refusals: invalid_request.</summary>
internal static class ListNotifications
{
    private const string Filters = "notifications";

    public static IEndpointRouteBuilder MapListNotifications(this IEndpointRouteBuilder group)
    {
        group
            .MapGet("/notifications", HandleAsync)
            .RequireScope("notifications:read")
            .WithName(nameof(ListNotifications))
            .Produces<Page<NotificationView>>();
        return group;
    }

    private static async Task<IResult> HandleAsync(
        HttpContext http,
        Database database,
        CursorCodec cursors,
        CancellationToken cancel,
        int? limit = null,
        string? cursor = null
    )
    {
        var merchant = http.GetMerchant().MerchantId;
        var size = CursorCodec.Limit(limit);
        var after = cursors.Read(cursor, merchant, Filters);
        var rows = await database.QueryAsync<NotificationRow>(
            Sql.List,
            new
            {
                MerchantId = merchant,
                after.CreatedAt,
                after.Id,
                Limit = size + 1,
            },
            cancel
        );
        return Answer.Ok(
            Page<NotificationView>.Of(
                [.. rows.Select(row => row.ToView())],
                size,
                last => cursors.Write(new Keyset(last.CreatedAt, last.Id.Value), merchant, Filters)
            )
        );
    }

    private static class Sql
    {
        public const string List = $"""
            SELECT {NotificationRow.Columns}
              FROM notifications
             WHERE merchant_id = @MerchantId
               AND (created_at, notification_id) < (@CreatedAt, @Id)
             ORDER BY created_at DESC, notification_id DESC
             LIMIT @Limit
            """;
    }
}
