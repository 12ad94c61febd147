using LocalPlus.Hosting;

namespace LocalPlus.Ledger.Accounts;

/// <summary>GET /v1/accounts: the merchant's accounts, newest first; filters name (exact), asset and status.</summary>
internal static class ListAccounts
{
    public static IEndpointRouteBuilder MapListAccounts(this IEndpointRouteBuilder group)
    {
        group
            .MapGet("/accounts", HandleAsync)
            .RequireScope("ledger:read")
            .WithName(nameof(ListAccounts))
            .Produces<Page<AccountView>>();
        return group;
    }

    private static async Task<IResult> HandleAsync(
        string? name,
        string? asset,
        string? status,
        int? limit,
        string? cursor,
        HttpContext http,
        Database database,
        CursorCodec cursors,
        CancellationToken cancel
    )
    {
        var (merchant, size) = (http.GetMerchant().MerchantId, CursorCodec.Limit(limit));
        var filters = $"accounts\n{name}\n{asset}\n{status}";
        var after = cursors.Read(cursor, merchant, filters);
        var args = new
        {
            merchant,
            name,
            asset,
            status,
            after.CreatedAt,
            after.Id,
            Limit = size + 1,
        };
        var rows = await database.SearchAsync<AccountRow>(Sql.List, args, cancel);
        var page = Page<AccountRow>.Of(
            rows,
            size,
            row => cursors.Write(new Keyset(row.CreatedAt, row.AccountId.Value), merchant, filters)
        );
        return Answer.Ok(new Page<AccountView>([.. page.Data.Select(AccountView.Of)], page.NextCursor, page.HasMore));
    }

    private static class Sql
    {
        public const string List = $"""
            SELECT {AccountRow.Columns}
              FROM {AccountRow.Source}
             WHERE a.merchant_id = @Merchant
               AND (@Name::text IS NULL OR a.name = @Name)
               AND (@Asset::text IS NULL OR a.asset = @Asset)
               AND (@Status::text IS NULL OR a.status = @Status)
               AND (a.created_at, a.account_id) < (@CreatedAt, @Id)
             ORDER BY a.created_at DESC, a.account_id DESC
             LIMIT @Limit
            """;
    }
}
