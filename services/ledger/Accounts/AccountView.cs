using System.ComponentModel.DataAnnotations;
using LocalPlus.Kernel;

namespace LocalPlus.Ledger.Accounts;

/// <summary>An account as merchants see it; amounts in minor units of the asset, credits positive.</summary>
/// <param name="Policy">bounded or unbounded: whether there is a floor.</param>
/// <param name="Owner">The service that alone changes it; absent: it is the merchant's own.</param>
/// <param name="Available">posted - held.</param>
/// <param name="Version">The number of entries: the sequence of the last one.</param>
internal sealed record AccountView(
    AccountId Id,
    string Object,
    string Name,
    [property: RegularExpression(AccountToOpen.AssetPattern)] string Asset,
    string Policy,
    long? Floor,
    long? Ceiling,
    string Status,
    bool Striped,
    long Posted,
    long Held,
    long Available,
    long Version,
    DateTimeOffset CreatedAt,
    string? Owner
)
{
    public static AccountView Of(AccountRow row) =>
        new(
            row.AccountId,
            "account",
            row.Name,
            row.Asset,
            row.Floor is null ? "unbounded" : "bounded",
            row.Floor,
            row.Ceiling,
            row.Status,
            row.Striped,
            row.Posted,
            row.Held,
            row.Posted - row.Held,
            row.Sequence,
            row.CreatedAt,
            row.Owner
        );
}

/// <summary>What an operation left on an account.</summary>
internal sealed record AccountBalanceView(
    AccountId Id,
    [property: RegularExpression(AccountToOpen.AssetPattern)] string Asset,
    long Posted,
    long Held,
    long Available,
    long Version
)
{
    public static AccountBalanceView Of(Books.Account account) =>
        new(account.Id, account.Asset, account.Posted, account.Held, account.Available, account.State.Sequence);
}
