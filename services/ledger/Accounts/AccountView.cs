using LocalPlus.Kernel;
using LocalPlus.Ledger.Core;

namespace LocalPlus.Ledger.Accounts;

/// <summary>An account as merchants see it; amounts in minor units of the asset.</summary>
internal sealed record AccountView(
    AccountId Id, string Object, string Name, string Asset, string Policy, string Status, long Posted, long Held, long Available, long Version)
{
    public static AccountView Of(Account account) => new(
        new AccountId(account.AccountId), "account", account.Name, account.Asset, account.Policy, account.Status,
        account.Posted, account.Held, account.Available, account.Version);
}
