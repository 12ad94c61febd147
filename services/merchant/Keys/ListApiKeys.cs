using LocalPlus.Hosting;

namespace LocalPlus.Merchant.Keys;

/// <summary>
/// GET /v1/api_keys: the merchant's keys, newest first, revoked and expired ones too; never their text.
/// Refusals: invalid_request.
/// </summary>
internal static class ListApiKeys
{
    private const string Filters = "api_keys";

    public static IEndpointRouteBuilder MapListApiKeys(this IEndpointRouteBuilder group)
    {
        group
            .MapGet("/api_keys", HandleAsync)
            .RequireScope("api_keys:read")
            .WithName(nameof(ListApiKeys))
            .Produces<Page<ApiKeyView>>();
        return group;
    }

    private static async Task<IResult> HandleAsync(
        HttpContext http,
        Database database,
        CursorCodec cursors,
        TimeProvider time,
        CancellationToken cancel,
        int? limit = null,
        string? cursor = null
    )
    {
        var merchant = http.GetMerchant().MerchantId;
        var size = CursorCodec.Limit(limit);
        var after = cursors.Read(cursor, merchant, Filters);
        var rows = await database.QueryAsync<ApiKeyRow>(
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
        var now = time.GetUtcNow();
        return Answer.Ok(
            Page<ApiKeyView>.Of(
                [.. rows.Select(row => row.ToView(now))],
                size,
                last => cursors.Write(new Keyset(last.CreatedAt, last.Id.Value), merchant, Filters)
            )
        );
    }

    private static class Sql
    {
        public const string List = $"""
            {ApiKeyRow.Columns}
             WHERE merchant_id = @MerchantId
               AND (created_at, api_key_id) < (@CreatedAt, @Id)
             ORDER BY created_at DESC, api_key_id DESC
             LIMIT @Limit
            """;
    }
}
