using LocalPlus.Hosting;

namespace LocalPlus.Notification.Readers;

/// <summary>
/// GET /v1/notification_suppressions: the addresses to which the merchant's messages do not go, newest first, masked.
/// Refusals: invalid_request.
/// </summary>
internal static class ListSuppressions
{
    private const string Filters = "notification_suppressions";

    public static IEndpointRouteBuilder MapListSuppressions(this IEndpointRouteBuilder group)
    {
        group
            .MapGet("/notification_suppressions", HandleAsync)
            .RequireScope("notifications:read")
            .WithName(nameof(ListSuppressions))
            .Produces<Page<SuppressionView>>();
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
        var rows = await database.QueryAsync<SuppressionRow>(
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
            Page<SuppressionView>.Of(
                [.. rows.Select(row => row.ToView())],
                size,
                last => cursors.Write(new Keyset(last.CreatedAt, last.Id.Value), merchant, Filters)
            )
        );
    }

    private static class Sql
    {
        public const string List = $"""
            SELECT {SuppressionRow.Columns}
              FROM notification_suppressions
             WHERE merchant_id = @MerchantId
               AND (created_at, suppression_id) < (@CreatedAt, @Id)
             ORDER BY created_at DESC, suppression_id DESC
             LIMIT @Limit
            """;
    }
}
