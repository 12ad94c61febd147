using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Ledger.Accounts;

/// <summary>Reads accounts without a lock. A foreign or absent id is not_found.</summary>
internal static class AccountReader
{
    public static async Task<AccountRow> FindAsync(
        Database database,
        MerchantId merchant,
        AccountId id,
        CancellationToken cancel
    ) =>
        await database.QuerySingleOrDefaultAsync<AccountRow>(Sql.Find, new { id, merchant }, cancel)
        ?? throw new FaultException(CommonFaults.NotFound, $"There is no account {id}.");

    /// <summary>The accounts in the order asked for.</summary>
    public static async Task<IReadOnlyList<AccountRow>> FindAllAsync(
        Database database,
        MerchantId merchant,
        IReadOnlyList<AccountId> ids,
        CancellationToken cancel
    )
    {
        var args = new { merchant, Ids = ids.Select(id => id.Value).ToArray() };
        var rows = (await database.QueryAsync<AccountRow>(Sql.FindAll, args, cancel)).ToDictionary(row =>
            row.AccountId
        );
        return
        [
            .. ids.Select(id =>
                rows.TryGetValue(id, out var row)
                    ? row
                    : throw new FaultException(CommonFaults.NotFound, $"There is no account {id}.")
            ),
        ];
    }

    private static class Sql
    {
        public const string Find = $"""
            SELECT {AccountRow.Columns}
              FROM {AccountRow.Source}
             WHERE a.account_id = @Id
               AND a.merchant_id = @Merchant
            """;

        public const string FindAll = $"""
            SELECT {AccountRow.Columns}
              FROM {AccountRow.Source}
             WHERE a.account_id = ANY(@Ids)
               AND a.merchant_id = @Merchant
            """;
    }
}
