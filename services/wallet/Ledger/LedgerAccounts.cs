using System.Collections.Concurrent;
using LocalPlus.Contracts.Ledger.V1;
using LocalPlus.Hosting;
using LocalPlus.Kernel;
using LocalPlus.Wallet.Points;

namespace LocalPlus.Wallet.Ledger;

/// <summary>
/// Opens accounts in the ledger the first time they are booked on and remembers their ids, in SQL for ever and in
/// memory while the process lives. The ledger returns an account that exists as it is, so racing openers agree.
/// </summary>
internal sealed class LedgerAccounts(Database database, LedgerGateway ledger, TimeProvider time)
{
    private const int RememberedMax = 50_000;

    private readonly ConcurrentDictionary<(MerchantId Merchant, string Asset, string Name), AccountId> remembered =
        new();

    /// <summary>The accounts of these names, by name.</summary>
    /// <param name="mayBeNegative">Whether members' accounts of points may go below zero.</param>
    public async Task<IReadOnlyDictionary<string, AccountId>> EnsureAsync(
        MerchantId merchant,
        string asset,
        IReadOnlyCollection<string> names,
        bool mayBeNegative,
        CancellationToken cancel
    )
    {
        var found = new Dictionary<string, AccountId>(StringComparer.Ordinal);
        foreach (var name in names)
        {
            if (remembered.TryGetValue((merchant, asset, name), out var id))
            {
                found[name] = id;
            }
        }

        if (found.Count < names.Count)
        {
            await ReadAsync(merchant, asset, names, found, cancel);
        }

        if (found.Count < names.Count)
        {
            var missing = names.Where(name => !found.ContainsKey(name)).ToArray();
            await OpenAsync(merchant, asset, missing, mayBeNegative, found, cancel);
        }

        return found;
    }

    private async Task ReadAsync(
        MerchantId merchant,
        string asset,
        IReadOnlyCollection<string> names,
        Dictionary<string, AccountId> found,
        CancellationToken cancel
    )
    {
        var rows = await database.QueryAsync<NamedAccount>(
            Sql.Read,
            new
            {
                MerchantId = merchant,
                Asset = asset,
                Names = names.ToArray(),
            },
            cancel
        );
        foreach (var row in rows)
        {
            Remember(merchant, asset, row, found);
        }
    }

    private async Task OpenAsync(
        MerchantId merchant,
        string asset,
        string[] names,
        bool mayBeNegative,
        Dictionary<string, AccountId> found,
        CancellationToken cancel
    )
    {
        var request = new OpenAccountsRequest { MerchantId = merchant.ToString() };
        request.Accounts.AddRange(
            names.Select(name => new OpenAccount
            {
                AccountId = AccountId.New(time).ToString(),
                Name = name,
                Asset = asset,
                Policy =
                    PointsAccounts.IsMembers(name) && !(mayBeNegative && PointsAccounts.MayBeNegative(name))
                        ? AccountPolicy.Unspecified
                        : AccountPolicy.Unbounded,
                Striped = !PointsAccounts.IsMembers(name),
            })
        );
        var opened = (await ledger.OpenAccountsAsync(request, cancel))
            .Accounts.Select(account => new NamedAccount(account.Name, AccountId.Parse(account.AccountId)))
            .ToArray();
        await using var db = await database.BeginAsync(cancel);
        await db.ExecuteAsync(
            Sql.Insert,
            new
            {
                MerchantId = merchant,
                Asset = asset,
                Names = Array.ConvertAll(opened, account => account.Name),
                AccountIds = Array.ConvertAll(opened, account => account.AccountId),
            }
        );
        await db.CommitAsync();
        foreach (var account in opened)
        {
            Remember(merchant, asset, account, found);
        }
    }

    private void Remember(MerchantId merchant, string asset, NamedAccount account, Dictionary<string, AccountId> found)
    {
        if (remembered.Count >= RememberedMax)
        {
            remembered.Clear();
        }

        found[account.Name] = remembered[(merchant, asset, account.Name)] = account.AccountId;
    }

    private sealed record NamedAccount(string Name, AccountId AccountId);

    private static class Sql
    {
        public const string Read = """
            SELECT name, account_id
              FROM ledger_accounts
             WHERE merchant_id = @MerchantId
               AND asset = @Asset
               AND name = ANY(@Names)
            """;

        public const string Insert = """
            INSERT INTO ledger_accounts (name, account_id, merchant_id, asset)
            SELECT *, @MerchantId, @Asset
              FROM unnest(@Names, @AccountIds)
                ON CONFLICT DO NOTHING
            """;
    }
}
