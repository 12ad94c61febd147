using LocalPlus.Hosting;
using LocalPlus.Ledger.Core;

namespace LocalPlus.Ledger.Accounts;

/// <summary>GET /v1/accounts: the merchant's accounts, newest first; filter name (exact).</summary>
internal static class ListAccounts
{
    public static IEndpointRouteBuilder MapListAccounts(this IEndpointRouteBuilder group)
    {
        group.MapGet("/accounts", Handle).RequireScope("ledger:read");
        return group;
    }

    private static async Task<IResult> Handle(
        string? name, int? limit, string? cursor, HttpContext http, Database database, CursorCodec cursors, CancellationToken cancel)
    {
        var (merchant, size) = (http.GetMerchant().MerchantId, CursorCodec.Limit(limit));
        var filters = $"accounts:{name}";
        var after = cursors.Read(cursor, merchant, filters);
        var rows = await database.QueryAsync<Row>(Sql.List, new { merchant, name, after.CreatedAt, after.Id, Limit = size + 1 }, cancel);
        var page = Page<Row>.Of(rows, size, row => cursors.Write(new Keyset(row.CreatedAt, row.AccountId), merchant, filters));
        return Answer.Ok(new Page<AccountView>([.. page.Data.Select(row => row.ToView())], page.NextCursor, page.HasMore));
    }

    private sealed record Row(
        Guid AccountId, Guid MerchantId, string Name, string Asset, string Policy, string Status, long Posted, long Held, long Version, DateTimeOffset CreatedAt)
    {
        public AccountView ToView() => AccountView.Of(new Account
        {
            AccountId = AccountId, MerchantId = MerchantId, Name = Name, Asset = Asset, Policy = Policy, Status = Status,
            Posted = Posted, Held = Held, Version = Version,
        });
    }

    private static class Sql
    {
        public const string List = """
            SELECT account_id, merchant_id, name, asset, policy, status, posted, held, version, created_at
              FROM accounts
             WHERE merchant_id = @Merchant
               AND (@Name::text IS NULL OR name = @Name)
               AND (created_at, account_id) < (@CreatedAt, @Id)
             ORDER BY created_at DESC, account_id DESC
             LIMIT @Limit
            """;
    }
}
