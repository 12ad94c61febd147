using LocalPlus.Hosting;
using LocalPlus.Kernel;
using LocalPlus.Ledger.Core;

namespace LocalPlus.Ledger.Accounts;

/// <summary>GET /v1/accounts/{id}: balance now; with as_of (effective time) the balance that counted then.</summary>
internal static class GetAccount
{
    public static IEndpointRouteBuilder MapGetAccount(this IEndpointRouteBuilder group)
    {
        group.MapGet("/accounts/{id}", Handle).RequireScope("ledger:read");
        group.MapGet("/accounts/{id}/balance", HandleBalance).RequireScope("ledger:read");
        return group;
    }

    public static async Task<Account> FindAsync(Database database, MerchantId merchant, AccountId id, CancellationToken cancel) =>
        await database.QuerySingleOrDefaultAsync<Account>(Sql.Find, new { Id = id, Merchant = merchant }, cancel)
        ?? throw new FaultException(CommonFaults.NotFound, $"There is no account {id}.");

    private static async Task<IResult> Handle(AccountId id, HttpContext http, Database database, CancellationToken cancel)
    {
        var account = await FindAsync(database, http.GetMerchant().MerchantId, id, cancel);
        return Answer.Ok(AccountView.Of(account), account.Version);
    }

    private static async Task<IResult> HandleBalance(
        AccountId id, DateTimeOffset? as_of, HttpContext http, Database database, TimeProvider time, CancellationToken cancel)
    {
        var account = await FindAsync(database, http.GetMerchant().MerchantId, id, cancel);
        var asOf = as_of ?? time.GetUtcNow();
        var posted = as_of is null
            ? account.Posted
            : await database.QuerySingleOrDefaultAsync<long>(Sql.AsOf, new { Id = id, AsOf = asOf }, cancel);
        return Answer.Ok(new Balance(id, account.Asset, posted, asOf));
    }

    private sealed record Balance(AccountId AccountId, string Asset, long Posted, DateTimeOffset AsOf);

    private static class Sql
    {
        public const string Find = """
            SELECT account_id, merchant_id, name, asset, policy, status, posted, held, version
              FROM accounts
             WHERE account_id = @Id
               AND merchant_id = @Merchant
            """;

        public const string AsOf = """
            SELECT COALESCE(sum(amount), 0)::bigint
              FROM ledger_entries
             WHERE account_id = @Id
               AND effective_at <= @AsOf
            """;
    }
}
