using LocalPlus.Kernel;

namespace LocalPlus.Ledger.Core;

/// <summary>An account as a batch sees it: the row under its lock, changed in memory by one command after the other.</summary>
internal sealed class Account
{
    public required Guid AccountId { get; init; }

    public required Guid MerchantId { get; init; }

    public required string Name { get; init; }

    public required string Asset { get; init; }

    public required string Policy { get; init; }

    public required string Status { get; init; }

    public required long Posted { get; set; }

    public required long Held { get; set; }

    /// <summary>The sequence of the account's last entry.</summary>
    public required long Version { get; set; }

    public long Available => Posted - Held;

    public bool IsBounded => Policy == "floor_zero";

    /// <summary>Refuses what a frozen or closed account refuses: new debits, credits and holds.</summary>
    public void RequireOpen()
    {
        if (Status != "open")
        {
            throw new FaultException(Status == "frozen" ? Faults.AccountFrozen : Faults.AccountClosed, $"Account {new AccountId(AccountId)} is {Status}.");
        }
    }
}
