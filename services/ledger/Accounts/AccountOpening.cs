using LocalPlus.Hosting;
using LocalPlus.Kernel;
using LocalPlus.Ledger.Core;

namespace LocalPlus.Ledger.Accounts;

/// <summary>An account to open. Asset: an ISO currency or PTS:programme; policy: floor_zero or unbounded.</summary>
internal sealed record AccountToOpen(Guid AccountId, string Name, string Asset, string Policy);

/// <summary>Opens accounts; one of the same merchant, name and asset that exists is returned as it is.</summary>
internal static class AccountOpening
{
    public const int NameCharacters = 200;

    public static bool IsAsset(string asset) =>
        (asset.Length == 3 && asset.All(char.IsAsciiLetterUpper))
        || (asset.StartsWith("PTS:", StringComparison.Ordinal) && asset.Length is > 4 and <= 44
            && asset.Skip(4).All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '_'));

    public static async Task<IReadOnlyList<Account>> OpenAsync(DbSession db, Guid merchantId, IReadOnlyList<AccountToOpen> accounts, DateTimeOffset now)
    {
        var args = new
        {
            merchantId,
            Now = now,
            Ids = accounts.Select(a => a.AccountId).ToArray(),
            Names = accounts.Select(a => a.Name).ToArray(),
            Assets = accounts.Select(a => a.Asset).ToArray(),
            Policies = accounts.Select(a => a.Policy).ToArray(),
        };
        await db.ExecuteAsync(Sql.Open, args);
        var rows = (await db.QueryAsync<Account>(Sql.Find, args)).ToDictionary(a => (a.Name, a.Asset));
        return [.. accounts.Select(a => rows.GetValueOrDefault((a.Name, a.Asset))
            ?? throw new FaultException(CommonFaults.InvalidRequest, $"The id {new AccountId(a.AccountId)} is another account's."))];
    }

    private static class Sql
    {
        public const string Open = """
            INSERT INTO accounts (account_id, merchant_id, name, asset, policy, created_at)
            SELECT id, @MerchantId, name, asset, policy, @Now
              FROM unnest(@Ids, @Names, @Assets, @Policies) AS a (id, name, asset, policy)
             ORDER BY id
            ON CONFLICT DO NOTHING
            """;

        public const string Find = """
            SELECT account_id, merchant_id, name, asset, policy, status, posted, held, version
              FROM accounts
             WHERE merchant_id = @MerchantId
               AND (name, asset) IN (SELECT * FROM unnest(@Names, @Assets))
            """;
    }
}
